"""The floor of landing: the same pages parsed into the same tables; no hash, no comparison, no merge, no check."""

from __future__ import annotations

from pathlib import Path

from tests.bench.bench_landing import measure_floor
from tests.support.landing import make_context


def work(pages: Path, database: Path) -> None:
    """Parse all pages and insert their rows."""
    ctx = make_context(database.parent)
    measure_floor(ctx, (page.read_bytes() for page in sorted(pages.iterdir())))
    ctx.warehouse.close()
    ctx.control.close()
