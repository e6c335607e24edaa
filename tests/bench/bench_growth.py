"""How time and memory grow with the history: landing, the posting path, an idle run, rec, close, publish.

Run as ``python -m tests.bench.bench_growth [--full]``: 1,000, 10,000 and 100,000 documents, with ``--full`` 1,000,000.
Each figure is a process of its own, judged by its seconds of processor. The exponent is the slope of a line through the
logarithms: 1 is in step with the history, 0 does not see it. What a process costs to begin flattens it at small sizes,
so that the exponent of the last step alone stands beside it.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.bench_peers import run_peer
from tests.bench.desk import Cost, measure, say
from tests.bench.grown import COMPARISON, PRODUCTS
from tests.bench.history import LINES, beside
from tests.bench.kept import Row, keep
from tests.support.landing import each_vms_page
from tests.support.sandbox_server import REPOSITORY

SIZES, LARGEST = (1_000, 10_000, 100_000), 1_000_000
# Documents that are made one by one; what is more are copies of them under keys and numbers of their own.
MADE = 10_000
OWN_KEYS = re.compile(rb'"key":(\d+)(,"self":"[^"]*/(?:Document|DocumentLine|DocumentPaymentTerm)/)')
MARK = b"@@@"


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Return the slope of the line through the logarithms of sizes and seconds.

    >>> round(exponent([10, 100, 1000], [2, 20, 200]), 2)
    1.0
    """
    return statistics.linear_regression(list(map(math.log, sizes)), list(map(math.log, seconds))).slope


def write_pages(folder: Path, documents: int) -> None:
    """Store pages of documents, a file a page."""
    folder.mkdir()
    made = min(documents, MADE)
    marked = [
        OWN_KEYS.sub(rb'"key":' + MARK + rb"\1\2", page).replace(b'"documentNo":"', b'"documentNo":"' + MARK)
        for page in each_vms_page(made, lines=LINES)
    ]
    for copy in range(documents // made):
        for place, page in enumerate(marked):
            # Three digits before each number, so that no two become the same.
            (folder / f"{copy:03d}-{place:03d}.json").write_bytes(page.replace(MARK, b"%d" % (copy + 100)))


def landing(folder: Path, documents: int) -> Row:
    """Land so many documents into empty tables."""
    write_pages(folder / "pages", documents)
    cost = run_peer("land_springline", None, folder / "pages", folder / "landed" / "springline.duckdb")
    assert cost
    return figure("landing", documents, cost.report["took"][0][1], cost)


def figure(what: str, documents: int, processor: float, cost: Cost) -> Row:
    """Give a row of the table."""
    return {"what": what, "documents": documents, "processor s": round(processor, 2), "peak MB": round(cost.megabytes)}


def task(name: str, folder: Path, documents: int) -> Cost:
    """Do a task of a grown company in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.grown", name, str(folder), str(documents)]
    return measure(command, folder=folder, environ={**os.environ, "PYTHONPATH": str(REPOSITORY)})


def company(folder: Path, documents: int) -> Iterator[tuple[str, Row]]:
    """Compare and publish all there is, then behind a batch of documents, then behind one voucher."""
    task("make", folder, documents)
    full = task("compare", folder, documents)
    for schema in ("rec", "close"):
        yield "growth", figure(schema, documents, full.report[schema], full)
    first = task("publish", folder, documents)
    yield "growth", figure("publish", documents, sum(first.report.values()), first)
    after = {"batch": task("batch", folder, documents), "voucher": task("voucher", folder, documents)}
    batch = after["batch"].report
    yield "growth", figure("rec and close behind 100", documents, batch["rec"] + batch["close"], after["batch"])
    voucher = after["voucher"]
    yield "growth", figure("one voucher until published", documents, sum(voucher.report.values()), voucher)
    for name, cost in after.items():
        parts = {f"{part} s": round(cost.report[part], 2) for part in (*COMPARISON, *PRODUCTS)}
        yield "parts", {"what": name, "documents": documents, **parts}


def rows_of(folder: Path, sizes: Sequence[int]) -> Iterator[tuple[str, Row]]:
    """Give each row with the table it is of, size by size."""
    for size in sizes:
        for work in (lambda own, size: [("growth", landing(own, size))], company):
            own = folder / str(size)
            own.mkdir()
            yield from work(own, size)
            shutil.rmtree(own)
    for size, costs in zip(sizes, beside(folder, sizes), strict=True):
        for what, cost in costs.items():
            yield "growth", figure(what, size, cost.processor, cost)


def main(*, is_full: bool = False) -> None:
    """Measure every size, and print seconds of processor, peak memory and exponents."""
    sizes = [*SIZES, LARGEST] if is_full else [*SIZES]
    tables: dict[str, list[Row]] = {"growth": [], "parts": []}
    with tempfile.TemporaryDirectory(prefix="springline-growth-") as folder:
        for table, row in rows_of(Path(folder), sizes):
            tables[table].append(row)
            say("  ".join(f"{name} {value}" for name, value in row.items()))
    keep("growth", tables, is_full=is_full)
    for what in dict.fromkeys(str(row["what"]) for row in tables["growth"]):
        seconds = [float(row["processor s"] or 0) for row in tables["growth"] if row["what"] == what]
        slopes = exponent(sizes, seconds), exponent(sizes[-2:], seconds[-2:])
        say(f"{what:<28} exponent {slopes[0]:>5.2f}, of the last step {slopes[1]:>5.2f}")


if __name__ == "__main__":
    main(is_full=sys.argv[1:] == ["--full"])
