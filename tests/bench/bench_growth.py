"""How time and memory grow with the history: landing, the posting path, an idle run, rec, close, publish.

Run as ``python -m tests.bench.bench_growth [--full]``: 1,000, 10,000 and 100,000 documents, with ``--full`` 1,000,000.
Each figure is a process of its own, judged by its seconds of processor. The exponent is the slope of a line through the
logarithms: 1 is in step with the history, 0 does not see it. What a process costs to begin flattens it at small sizes,
so that the exponent of the last step alone stands beside it.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.contracts.vms import DOCUMENTS
from pipelines.core.log import configure_logging
from pipelines.stores.warehouse import keep_digest
from tests.bench import bench_publish, bench_rec
from tests.bench.bench_peers import LINES, run_peer, write_pages
from tests.bench.desk import CLOCK, NO_LIMITS, Desk, clients, desk, make_world, measure, quickest, say
from tests.support.landing import make_context
from tests.support.sandbox_server import REPOSITORY

SIZES, LARGEST = (1_000, 10_000, 100_000), 1_000_000
BATCH = 100
FIRST_KEY = 10_000_001
JOBS = ("master-data", "documents", "rates", "payments", "actuals")
_NUMBERED = "replace({}, '\"' || document_no, '\"' || n || '-' || document_no)"
# What a copy n of a row says instead: keys and numbers of its own, in what was sent too.
AGAIN = {
    "id": "n || '-' || id",
    "natural_key": "n || '-' || natural_key",
    # The ledger's register numbers have 32 bits.
    "document_key": "document_key + n * 10000",
    "tr_reg_number": "tr_reg_number + n * 10000",
    "document_no": "n || '-' || document_no",
    "payload": f"replace({_NUMBERED.format('payload')}, '\"X-', '\"' || n || '-X-')",
    "look_up": f"replace({_NUMBERED.format('look_up')}, '\"X-', '\"' || n || '-X-')",
    "remote_ids": "replace(remote_ids, '\"2', '\"' || n || '2')",
}
COPIED = {
    **{f"stg_vms.{table}": "document_key" for table in ("documents", *(one.table for one in DOCUMENTS.children))},
    "stg_ledger.import_items": "tr_reg_number",
}
BOOKED = "CAST(3 AS BIGINT) AS job_level"


class Figure(NamedTuple):
    """What one thing took at one size."""

    processor: float
    megabytes: float


def exponent(sizes: list[int], figures: list[Figure]) -> float:
    """Return the slope of the line through the logarithms of sizes and seconds."""
    seconds = [math.log(figure.processor) for figure in figures]
    return statistics.linear_regression([math.log(size) for size in sizes], seconds).slope


def landing(folder: Path, documents: int) -> Figure:
    """Land so many documents into empty tables."""
    pages = folder / "pages"
    write_pages(pages, documents)
    cost = run_peer("land_springline", None, pages, folder / "landed" / "springline.duckdb")
    assert cost
    return Figure(cost.report["took"][0][1], cost.megabytes)


def comparison(folder: Path, documents: int) -> dict[str, Figure]:
    """Build rec and close in full."""
    path = folder / "world.duckdb"
    bench_rec.apart("make", path, documents)
    built = bench_rec.apart("build", path, documents)
    return {schema: Figure(built[f"{schema} processor"], built["megabytes"]) for schema in ("rec", "close")}


def publishing(folder: Path, documents: int) -> Figure:
    """Publish a first edition; the peak is with the making of its rows."""
    command = [sys.executable, "-m", "tests.bench.bench_growth", str(folder), str(documents)]
    cost = measure(command, folder=folder, environ={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    return Figure(cost.report["took"], cost.megabytes)


def publish(folder: Path, documents: int) -> float:
    """Publish here, and return the seconds of processor."""
    configure_logging(stream=sys.stderr)
    ctx = make_context(folder)
    bench_publish.make_world(ctx, documents=documents)
    begin = time.process_time()
    for step in bench_publish.PRODUCTS.values():
        step(ctx)
    return time.process_time() - begin


def beside(folder: Path, sizes: list[int]) -> Iterator[dict[str, Figure]]:
    """Post a batch beside each size of history, then run with nothing new; what is sent and booked grows in between."""
    seed = make_world(folder, documents=SIZES[0] + BATCH * (len(sizes) + 1), lines=LINES)
    hold_back(seed / "vms" / "Document.jsonl")
    with desk(folder, seed, SPRINGLINE_LEDGER__BURST_REQUESTS="10000") as at:
        at.sandbox.control("POST", "ledger/settings", NO_LIMITS)
        at.sandbox.control("POST", "clock", {"now": CLOCK})
        at.run(*JOBS)
        # The first batch settles what the import says of all before it, and is not measured.
        for place, size in enumerate([SIZES[0], *sizes]):
            settle(at)
            multiply(at.folder, first=sizes[place - 2] // SIZES[0] if place > 1 else 1, end=size // SIZES[0])
            at.run(*JOBS)
            release(at, FIRST_KEY + SIZES[0] + BATCH * place)
            posting = at.run("documents")
            if posting.counts("documents")["sent"] != BATCH:
                raise AssertionError(posting.report)
            if not place:
                continue
            settle(at)
            idle = quickest(at, *JOBS)
            yield {
                f"posting {BATCH}": Figure(posting.processor, posting.megabytes),
                "idle run": Figure(idle.processor, idle.megabytes),
            }


def hold_back(documents: Path) -> None:
    """Let all but the first documents of a world wait for approval."""
    rows = documents.read_text("utf-8").splitlines(keepends=True)
    waiting = [row.replace('"invoicingStatus":"RFP"', '"invoicingStatus":"INV"') for row in rows[SIZES[0] :]]
    documents.write_text("".join(rows[: SIZES[0]] + waiting), "utf-8")


def release(at: Desk, first: int) -> None:
    """Approve a batch of documents in the VMS."""
    with clients(at.settings()) as (vms, _):
        for key in range(first, first + BATCH):
            vms.put("Document", key, {"invoicingStatus": "RFP"})


def settle(at: Desk) -> None:
    """Let the ledger post, and read until nothing is new."""
    at.sandbox.control("POST", "ledger/post", {})
    for _ in range(2):
        at.run(*JOBS)


def multiply(folder: Path, *, first: int, end: int) -> None:
    """Write the first documents again, under other keys and numbers, as what was sent and read in earlier years."""
    if end <= first:
        return
    last = FIRST_KEY + SIZES[0]
    with closing(sqlite3.connect(folder / "springline.ctl.sqlite")) as control, control:
        columns = [name for _, name, *_ in control.execute("PRAGMA table_info (outbox)")]
        values = ", ".join(AGAIN.get(name, name) for name in columns)
        control.execute(
            f"WITH RECURSIVE copies (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM copies WHERE n < {end - 1}) "  # noqa: S608
            f"INSERT INTO outbox SELECT {values} FROM outbox, copies "
            f"WHERE document_key < {last} AND kind IN ('voucher', 'acknowledgement')"
        )
    with duckdb.connect(str(folder / "springline.duckdb")) as warehouse:
        for table, key in COPIED.items():
            # Booked, as what was sent in earlier years is; else each batch would ask the ledger for all of them.
            own = {"stg_vms.documents": f"{AGAIN['document_no']} AS document_no", "stg_ledger.import_items": BOOKED}
            also = f", {own[table]}" if table in own else ""
            warehouse.execute(
                f"INSERT INTO {table} SELECT own.* REPLACE ({AGAIN[key]} AS {key}{also}) "  # noqa: S608
                f"FROM {table} AS own, range({first}, {end}) AS copies (n) WHERE {key} < {last}"
            )
        # The copy of the outbox follows its events: it is made anew.
        keep_digest(warehouse, "moved", "")


def rows_of(folder: Path, sizes: list[int]) -> Iterator[tuple[str, Figure]]:
    """Give each figure with what it is of, size by size."""
    for size in sizes:
        own = folder / str(size)
        own.mkdir()
        yield "landing", landing(own, size)
        yield from comparison(own, size).items()
        yield "publish", publishing(own, size)
        shutil.rmtree(own)
    for figures in beside(folder, sizes):
        yield from figures.items()


def main(*, is_full: bool = False) -> None:
    """Measure every size, and print seconds of processor, peak memory and exponents."""
    sizes = [*SIZES, LARGEST] if is_full else [*SIZES]
    found: dict[str, list[Figure]] = {}
    with tempfile.TemporaryDirectory(prefix="springline-growth-") as folder:
        for name, figure in rows_of(Path(folder), sizes):
            found.setdefault(name, []).append(figure)
    say(f"{'documents':<16}" + "".join(f"{size:>20,}" for size in sizes) + "   exponent  of the last step")
    for name, figures in found.items():
        each = "".join(f"{figure.processor:>9.2f} s {figure.megabytes:>6,.0f} MB" for figure in figures)
        slopes = exponent(sizes, figures), exponent(sizes[-2:], figures[-2:])
        say(f"{name:<16}{each}   {slopes[0]:>8.2f}  {slopes[1]:>16.2f}")


if __name__ == "__main__":
    if sys.argv[1:] in ([], ["--full"]):
        main(is_full=bool(sys.argv[1:]))
    else:
        sys.stdout.write(json.dumps({"took": publish(Path(sys.argv[1]), int(sys.argv[2]))}))
