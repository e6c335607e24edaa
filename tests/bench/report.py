"""Writes docs/performance.md and its plots from what the benches kept in docs/performance.

Run as ``python -m tests.bench.report``. The page is written by hand but for what stands between ``<!-- NAME -->`` and
``<!-- end -->``: the answers, a bench's table (``peers.landed``), and where each was measured.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.bench_growth import exponent
from tests.bench.desk import say
from tests.bench.kept import FOLDER, Kept, Row, read_all
from tests.support.environments import python_of
from tests.support.sandbox_server import REPOSITORY

PAGE = FOLDER.with_suffix(".md")
DRAWING, DRAW = Path(__file__).with_name("drawing.txt"), Path(__file__).with_name("draw.py")
BLOCK = re.compile(r"(<!-- (?P<name>[\w.]+) -->\n).*?(<!-- end -->)", re.DOTALL)
SPENT, PEAK = "processor s", "peak MB"
MANY, MOST = 10_000, 1_000_000
# From so many seconds on, hundredths say nothing.
TENTHS = 10

Benches = Mapping[str, Kept]


class Asked(NamedTuple):
    """What is asked of the product: a figure of at most ``limit``, or at ``least`` that, as ``found`` finds it."""

    what: str
    limit: float
    unit: str
    found: Callable[[Benches], float]
    least: bool = False


def of(benches: Benches, bench: str, table: str, column: str, **where: object) -> float:
    """Return one figure of a table; KeyError where it was not measured."""
    rows = benches[bench].tables[table]
    for row in rows:
        if all(row[name] == value for name, value in where.items()) and row.get(column) is not None:
            return float(row[column] or 0)
    raise KeyError(bench, table, column)


def figure(bench: str, table: str, column: str, **where: object) -> Callable[[Benches], float]:
    """Find one figure of a table."""
    return lambda benches: of(benches, bench, table, column, **where)


def grown(what: str, column: str, documents: int = MOST) -> Callable[[Benches], float]:
    """Find a figure of the growth."""
    return figure("growth", "growth", column, what=what, documents=documents)


def grew(what: str, column: str, first: int) -> Callable[[Benches], float]:
    """Find how many times as much something is beside a million documents."""
    return lambda benches: grown(what, column)(benches) / grown(what, column, first)(benches)


def full(benches: Benches) -> float:
    """Find what all of the comparison takes."""
    return grown("rec", SPENT)(benches) + grown("close", SPENT)(benches)


MILLION = "1,000,000 documents"
FLOOR, PANDAS = "floor: same tables, no merge", "pandas and requests"
LANDED, TIMES, OF_OURS = "landed times", "processor times", "of ours times"
UNLIMITED = "the whole run: read, check, send, acknowledge, compare, publish, no limits"
ASKED = (
    Asked(
        "10,000 invoices end to end, of what the ledger's limits alone dictate",
        1.08,
        "times",
        figure("run", "whole", "of the limits times"),
    ),
    Asked(
        "10,000 invoices end to end with no limits, of the same requests alone",
        1.3,
        "times",
        figure("run", "whole", "of the requests times", what=UNLIMITED),
    ),
    Asked("plain dlt, of our landing", 8, "times", figure("peers", "landed", LANDED, what="plain dlt"), least=True),
    Asked(
        "the floor of landing, of our landing", 0.7, "times", figure("peers", "landed", LANDED, what=FLOOR), least=True
    ),
    Asked(
        "the whole path by pandas, of ours",
        5,
        "times",
        figure("path", "path", TIMES, what=PANDAS, documents=MANY),
        least=True,
    ),
    Asked(
        "rec and close by pandas, of ours", 3, "times", figure("rec", "compared", OF_OURS, what="pandas"), least=True
    ),
    Asked(
        "rec and close by polars, of ours", 3, "times", figure("rec", "compared", OF_OURS, what="polars"), least=True
    ),
    Asked(f"rec and close of {MILLION}, in full", 25, "s", full),
    Asked(f"rec and close of {MILLION}, peak", 3_000, "MB", grown("rec", PEAK)),
    Asked(f"rec and close of {MILLION}, behind a batch of 100", 2, "s", grown("rec and close behind 100", SPENT)),
    Asked(
        f"one voucher of {MILLION}, until it stands in every product",
        4,
        "s",
        grown("one voucher until published", SPENT),
    ),
    Asked(f"posting beside {MILLION}, of beside 10,000", 1.2, "times", grew("posting 100", SPENT, MANY)),
    Asked(f"idle run beside {MILLION}, of beside 10,000", 1.2, "times", grew("idle run", SPENT, MANY)),
    Asked("peak of landing 1,000,000, of landing 100,000", 1.2, "times", grew("landing", PEAK, 100_000)),
    Asked("peak of landing 1,000,000", 600, "MB", grown("landing", PEAK)),
    Asked(f"peak of posting beside {MILLION}, of beside 100,000", 1.2, "times", grew("posting 100", PEAK, 100_000)),
    Asked(f"peak of posting beside {MILLION}", 600, "MB", grown("posting 100", PEAK)),
)


def shown(value: object, unit: str) -> str:
    """Write a value for people.

    >>> shown(0.714, "s"), shown(1023.4, "MB"), shown(1.184, "times"), shown(40.25, "s"), shown(100_000, "documents")
    ('0.71 s', '1,023 MB', '1.18', '40.2 s', '100,000')
    """
    if isinstance(value, str) or value is None:
        return value or ""
    if not isinstance(value, int | float):
        raise TypeError(value)
    formats = {
        "MB": f"{value:,.0f} MB",
        "times": f"{value:.2f}",
        "s": f"{value:,.1f} s" if value >= 10 else f"{value:.2f} s",
    }
    return formats.get(unit, f"{value:,}")


def listed(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def table(rows: Sequence[Row]) -> str:
    """Write rows as they were kept: units go with the values, and what is told in the first column needs no head."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    heads = ["" if name == "what" else name.rpartition(" ")[0] if unit_of(name) else name for name in names]
    return listed(heads, [[shown(row.get(name), unit_of(name)) for name in names] for row in rows])


def unit_of(name: str) -> str:
    """Tell the unit that a column's name ends with.

    >>> unit_of("peak MB"), unit_of("landed times"), unit_of("documents"), unit_of("what")
    ('MB', 'times', '', '')
    """
    return name.rpartition(" ")[2] if name.endswith((" s", " MB", " times")) else ""


def growth(rows: Sequence[Row]) -> str:
    """Write what grows: a column a size, the exponents behind."""
    sizes = sorted({int(row["documents"] or 0) for row in rows})
    lines = []
    for what, own in grouped(rows).items():
        cells = {row["documents"]: f"{shown(row[SPENT], 's')}, {shown(row[PEAK], 'MB')}" for row in own}
        points = sorted((float(row["documents"] or 0), float(row[SPENT] or 0)) for row in own)
        spans = (points, points[-2:]) if points[1:] else ()
        slopes = (f"{exponent(*zip(*span, strict=True)):.2f}" for span in spans)
        lines.append([what, *(cells.get(size, "") for size in sizes), *slopes, *[""] * (2 if not spans else 0)])
    return listed(["", *(f"{size:,}" for size in sizes), "exponent", "of the last step"], lines)


def grouped(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Give the rows of each thing."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row["what"]), []).append(row)
    return found


def answers(benches: Benches) -> str:
    """Write what is asked and what was reached."""
    lines = []
    for one in ASKED:
        try:
            found = one.found(benches)
        except KeyError:
            lines.append([one.what, _limit(one), "not measured", ""])
            continue
        is_reached = found >= one.limit if one.least else found <= one.limit
        lines.append([one.what, _limit(one), f"**{shown(found, one.unit)}**", "yes" if is_reached else "no"])
    return listed(["", "asked", "measured", "reached"], lines)


def _limit(one: Asked) -> str:
    return f"at {'least' if one.least else 'most'} {shown(one.limit, one.unit)}"


def measured(benches: Benches) -> str:
    """Write when, at which commit and on what each bench was measured."""
    lines = []
    for bench, kept in benches.items():
        machine = kept.machine
        told = f"{machine['cores']} cores ({machine['processor']}), {machine['memory GB']} GB"
        versions = ", ".join(f"{name} {version}" for name, version in kept.versions.items())
        wanted = str(machine.get("wanted", "not noted"))
        lines.append([f"`{bench}{' --full' * kept.is_full}`", kept.measured_at, kept.commit, told, wanted, versions])
    return listed(["", "on", "commit", "machine", "wanted", "versions"], lines)


def render(page: str, benches: Benches) -> str:
    """Return the page with every table as it follows from what was kept."""

    def block(found: re.Match[str]) -> str:
        return f"{found[1]}{_block(found['name'], benches)}{found[3]}"

    return BLOCK.sub(block, page)


def _block(name: str, benches: Benches) -> str:
    if name in {"answers", "measured"}:
        return {"answers": answers, "measured": measured}[name](benches)
    bench, _, part = name.partition(".")
    rows = benches[bench].tables[part]
    return growth(rows) if name == "growth.growth" else table(rows)


def plots(benches: Benches) -> Iterator[Mapping[str, Any]]:
    """Give what each plot draws, with a mark of all that it is drawn from."""
    for plot in _plots(benches):
        drawn = json.dumps(plot, sort_keys=True) + DRAW.read_text("utf-8") + DRAWING.read_text("utf-8")
        yield {**plot, "mark": hashlib.sha256(drawn.encode()).hexdigest()[:16]}


def _plots(benches: Benches) -> Iterator[dict[str, Any]]:
    rows = grouped(benches["growth"].tables["growth"])
    for column, file, up, title in (
        (SPENT, "growth-time.svg", "seconds of processor", "Time beside the history"),
        (PEAK, "growth-memory.svg", "peak memory, MB", "Memory beside the history"),
    ):
        series = {what: [[row["documents"], row[column]] for row in own] for what, own in rows.items()}
        yield {
            "kind": "lines", "file": file, "title": title, "series": series, "across": "documents", "up": up,
            "is_log": column == SPENT, "height": 3.6,
        }  # fmt: skip
    found = [bar for table in ("landed", "path", "models", "compared") for bar in _bars(benches, table)]
    yield {
        "kind": "bars", "file": "peers.svg", "title": "What others take", "bars": found, "ours": "Springline",
        "across": "processor time, of Springline's (less is faster)", "height": 0.6 + 0.2 * len(found),
    }  # fmt: skip


def _bars(benches: Benches, name: str) -> Iterator[tuple[str, float]]:
    """Give a peer's share of our time, by what is compared."""
    bench, column, words = {
        "landed": ("peers", "landed times", "landing"),
        "path": ("path", "processor times", "whole path"),
        "models": ("models", "first build times", "models"),
        "compared": ("rec", "of ours times", "comparison"),
    }[name]
    for row in benches[bench].tables[name] if bench in benches else ():
        value = row.get(column)
        if isinstance(value, float) and row.get("documents", MANY) == MANY:
            yield f"{row['what']}: {words}", value


def draw(benches: Benches) -> None:
    """Draw what has changed; where its packages cannot be had, leave the plots as they are and say so."""
    due = [plot for plot in plots(benches) if not is_drawn(plot)]
    python = python_of(DRAWING) if due else None
    if python:
        command = [str(python), "-m", "tests.bench.draw", str(FOLDER)]
        subprocess.run(command, input=json.dumps(due), text=True, cwd=REPOSITORY, check=True)  # noqa: S603 our own
    elif due:
        say(f"NOT DRAWN, its packages could not be installed: {', '.join(plot['file'] for plot in due)}")


def is_drawn(plot: Mapping[str, Any]) -> bool:
    """Tell whether a plot was drawn from just this."""
    path = FOLDER / plot["file"]
    return path.exists() and f"<!-- drawn from {plot['mark']} -->" in path.read_text("utf-8")


def main() -> None:
    """Write the page and what it shows."""
    benches = read_all()
    PAGE.write_text(render(PAGE.read_text("utf-8"), benches), "utf-8")
    draw(benches)


if __name__ == "__main__":
    main()
