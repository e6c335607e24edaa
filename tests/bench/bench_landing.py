"""How fast documents land, beside a floor: the same pages parsed into the same tables with no dlt.

Run as ``python -m tests.bench.bench_landing``; prints documents per second, the floor's, and the ratio.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import structlog

from pipelines.contracts.tables import create_tables
from pipelines.contracts.vms import DOCUMENTS
from pipelines.extract.flatten import PARENT_ROW
from pipelines.extract.land import land
from pipelines.extract.parse import parse_pages
from pipelines.step.context import Context
from tests.support.landing import make_context, vms_pages

SIZES = (10_000, 50_000)
LINES = 5
ROUNDS = 3


def measure_landing(ctx: Context, pages: list[bytes]) -> float:
    """Return the seconds that landing takes, verified."""
    begin = time.perf_counter()
    landed = land(ctx, DOCUMENTS, iter(pages), side="vms")
    seconds = time.perf_counter() - begin
    if landed.counts.landed != landed.counts.fetched:
        raise AssertionError(landed.counts)
    return seconds


def measure_floor(ctx: Context, pages: Iterable[bytes]) -> float:
    """Return the seconds that the same pages take into the same tables: no hash, no comparison, no merge, no check."""
    create_tables(ctx.warehouse, DOCUMENTS, side="vms")
    tables = [DOCUMENTS.table, *(children.table for children in DOCUMENTS.children)]
    begin = time.perf_counter()
    parts = list(parse_pages(pages, DOCUMENTS))
    columns = zip(*((part.parents, *part.children) for part in parts), strict=True)
    for table, rows in zip(tables, columns, strict=True):
        whole = pa.concat_tables(rows)
        whole = whole.drop_columns([PARENT_ROW]) if PARENT_ROW in whole.column_names else whole
        ctx.warehouse.register("whole", whole.__arrow_c_stream__())
        ctx.warehouse.execute(f"INSERT INTO stg_vms.{table} BY NAME SELECT * FROM whole")  # noqa: S608 our names
        ctx.warehouse.unregister("whole")
    return time.perf_counter() - begin


def main() -> None:
    """Measure both, in turns, and print the best of each."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    write = sys.stdout.write
    for size in SIZES:
        pages = vms_pages(size, lines=LINES)
        seconds: dict[str, list[float]] = {"landing": [], "floor": []}
        for turn in range(ROUNDS):
            for name, measure in (("landing", measure_landing), ("floor", measure_floor)):
                with tempfile.TemporaryDirectory() as folder:
                    ctx = make_context(Path(folder), batch_id=f"b{turn}")
                    seconds[name].append(measure(ctx, pages))
                    ctx.warehouse.close()
                    ctx.control.close()
        best = {name: size / min(values) for name, values in seconds.items()}
        write(
            f"{size:>7,} documents of {LINES} lines: landing {best['landing']:>8,.0f}/s, "
            f"floor (no dlt) {best['floor']:>8,.0f}/s, ratio {best['landing'] / best['floor']:.2f}\n"
        )


if __name__ == "__main__":
    main()
