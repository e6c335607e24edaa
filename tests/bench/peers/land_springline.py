"""Documents landed by Springline: hashed, compared with what is there, merged, and verified."""

from __future__ import annotations

import time
from pathlib import Path

from pipelines.contracts.vms import DOCUMENTS
from pipelines.extract.land import land
from tests.support.landing import make_context


def work(pages: Path, database: Path) -> None:
    """Land all pages; AssertionError where one is set aside."""
    ctx = make_context(database.parent, batch_id=f"b{time.time_ns()}")
    landed = land(ctx, DOCUMENTS, (page.read_bytes() for page in sorted(pages.iterdir())), side="vms")
    ctx.warehouse.close()
    ctx.control.close()
    if landed.counts.landed + landed.counts.unchanged != landed.counts.fetched:
        raise AssertionError(landed.counts)
