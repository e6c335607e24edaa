"""Documents landed with plain dlt, every number parsed as a decimal: exact where its 9 decimals are enough."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.bench.peers.land_dlt import land


def work(pages: Path, database: Path) -> None:
    """Land all pages."""
    land(pages, database, number=Decimal)
