"""The same stored pages of documents landed by Springline, by its floor, and by what a user would otherwise pick.

Run as ``python -m tests.bench.bench_peers [DOCUMENTS]``. Each is a process of its own, each peer in an environment of
its own (`tests/bench/peers`), and lands the pages twice into one DuckDB file. What has come of it is read here, by SQL,
and must be equal before a time is printed; where a peer keeps amounts as floats, both sums are.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from tests.bench.desk import Cost, measure, say
from tests.bench.kept import Row, keep
from tests.support.environments import python_of
from tests.support.landing import each_vms_page
from tests.support.sandbox_server import REPOSITORY

PEER_FOLDER = Path(__file__).with_name("peers")
DOCUMENTS = 20_000
LINES = 5
CENT = Decimal("0.01")
LEFT_OUT = "left out: its packages could not be installed"

# Rows of documents, lines and terms, and three sums, as each peer named its tables.
SUMS = """
SELECT
    (SELECT count(*) FROM {0}), (SELECT count(*) FROM {1}), (SELECT count(*) FROM {2}),
    (SELECT sum({3}) FROM {0}), (SELECT sum({3}) FROM {1}), (SELECT sum({4}) FROM {1})
"""
OURS = SUMS.format(
    "stg_vms.documents", "stg_vms.document_lines", "stg_vms.document_payment_terms",
    "document_amount", "company_currency_amount",
)  # fmt: skip
DLT = SUMS.format(
    "vms.documents", "vms.documents__document_lines", "vms.documents__document_payment_terms",
    "document_amount", "company_currency_amount",
)  # fmt: skip
PANDAS = SUMS.format("documents", "lines", "terms", "documentAmount", "companyCurrencyAmount")
SINGER = SUMS.format("vms.documents", "vms.lines", "vms.terms", "documentAmount", "companyCurrencyAmount")


@dataclass(frozen=True, slots=True)
class Peer:
    """One way to land: its module, its environment (None is ours), how its sums are read, and how often it lands."""

    name: str
    module: str
    environment: str | None
    sums: str
    times: int = 2


PEERS = (
    Peer("Springline", "land_springline", None, OURS),
    Peer("floor: same tables, no merge", "land_floor", None, OURS, times=1),
    Peer("plain dlt", "land_dlt", "dlt", DLT),
    Peer("plain dlt, decimals", "land_dlt_exact", "dlt", DLT),
    Peer("pandas and DuckDB", "land_pandas", "pandas", PANDAS),
    Peer("pandas and DuckDB, decimals", "land_pandas_exact", "pandas", PANDAS),
    Peer("Singer, target-duckdb", "land_singer", "singer", SINGER),
)


def write_pages(folder: Path, documents: int) -> None:
    """Store pages of documents, a file a page."""
    folder.mkdir()
    for place, page in enumerate(each_vms_page(documents, lines=LINES)):
        (folder / f"{place:06d}.json").write_bytes(page)


def run_peer(module: str, environment: str | None, world: Path, result: Path, *, times: int = 1) -> Cost | None:
    """Let a peer work as a process, on a result of its own; None where its packages cannot be had."""
    python = python_of(PEER_FOLDER / f"{environment}.txt") if environment else sys.executable
    if python is None:
        return None
    result.parent.mkdir(exist_ok=True)
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    command = [str(python), "-m", "tests.bench.peers.run", module, str(world), str(result), str(times)]
    return measure(command, folder=result.parent, environ=environ)


def spent_row(name: str, columns: Sequence[str], cost: Cost, ours: Sequence[float], **told: str) -> Row:
    """Keep what each time took of the processor, with its ratio to ours."""
    took = [processor for _, processor in cost.report["took"]]
    ratios = [round(one / own, 2) for one, own in zip(took, ours, strict=False)]
    spent = {f"{column} s": round(one, 2) for column, one in zip(columns, took, strict=False)}
    times = {f"{column} times": ratio for column, ratio in zip(columns, ratios, strict=False)}
    return {"what": name, **spent, **times, "peak MB": round(cost.megabytes), **told}


def spent_line(name: str, cost: Cost, ours: Sequence[float], told: str) -> str:
    """Say what each time took of the processor, with its ratio to ours, and what was found."""
    took = [processor for _, processor in cost.report["took"]]
    each = "  ".join(f"{one:7.1f} s {one / own:6.2f} x" for one, own in zip(took, ours, strict=False))
    return f"  {name:<30} {each:<40} peak {cost.megabytes:6,.0f} MB  {told}"


def sums_of(database: Path, query: str) -> tuple[object, ...]:
    """Return what a peer landed, and close its file."""
    with duckdb.connect(str(database), read_only=True) as connection:
        [row] = connection.execute(query).fetchall()
    return tuple(row)


def compare(peer: Peer, ours: Sequence[object], theirs: Sequence[object]) -> str:
    """Say whether a peer is exact; AssertionError where it landed something else."""
    cents = [Decimal(repr(one)).quantize(CENT) if isinstance(one, float) else one for one in theirs]
    if list(ours) != cents:
        raise AssertionError(peer.name, ours, theirs)
    if any(isinstance(one, float) for one in theirs):
        return f"INEXACT, floats: {theirs[-1]!r} for {ours[-1]:.2f}"
    return "exact"


def main(documents: int) -> None:
    """Land with each, one after the other, and print seconds of processor, their ratio to ours, memory and sums."""
    with tempfile.TemporaryDirectory(prefix="springline-peers-") as name:
        folder = Path(name)
        pages = folder / "pages"
        write_pages(pages, documents)
        say(f"{documents:,} documents of {LINES} lines, landed, and landed again unchanged; seconds of processor:")
        ours: tuple[object, ...] = ()
        best: list[float] = []
        rows: list[Row] = []
        for peer in PEERS:
            result = folder / peer.module / "springline.duckdb"
            cost = run_peer(peer.module, peer.environment, pages, result, times=peer.times)
            if cost is None:
                say(f"  {peer.name:<30} {LEFT_OUT}")
                continue
            # Ours imports pyarrow and dlt only when there is something to land: so each pays for all that it imports.
            cost.report["took"][0][1] += cost.report["imports"]
            theirs = sums_of(result, peer.sums)
            ours = ours or theirs
            told = compare(peer, ours, theirs)
            best = best or [processor for _, processor in cost.report["took"]]
            say(spent_line(peer.name, cost, best, told))
            rows.append(spent_row(peer.name, ("landed", "again"), cost, best, sums=told))
    if documents == DOCUMENTS:
        keep("peers", {"landed": rows}, peers=("dlt", "pandas", "singer"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENTS)
