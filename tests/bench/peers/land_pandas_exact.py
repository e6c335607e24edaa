"""Documents landed with pandas and DuckDB, every number parsed as a decimal."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.bench.peers.land_pandas import land


def work(pages: Path, database: Path) -> None:
    """Land all pages."""
    land(pages, database, number=Decimal)
