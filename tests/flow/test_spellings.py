"""Installations spell partner types and pools in two ways; the same world comes to the same drafts in both.

Each world is staged by the product's own steps from a sandbox of its own, as a dry run.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from pipelines.batch.jobs import JOBS
from pipelines.batch.run import run_batch
from pipelines.core.settings import load_settings
from pipelines.extract import steps as extract_steps
from pipelines.models import steps as models
from pipelines.step.step import Job, Step
from tests.support.sandbox_server import running_sandbox
from tests.world.__main__ import main
from tests.world.spelling import OLDER, SPELLINGS, VENDOR

if TYPE_CHECKING:
    from pathlib import Path

    Rows = list[tuple[Any, ...]]

pytestmark = pytest.mark.system

TABLES = (
    "post.draft_lines",
    "post.document_checks",
    "post.supplier_changes",
    "post.customer_changes",
    "post.cost_centre_changes",
    "post.project_changes",
)


def _staged(folder: Path, spelling: str) -> Path:
    """Write the sample world in a spelling, read it with every step that reads, and build all models over it."""
    main(["--out", str(folder / "seed"), "--spelling", spelling])
    reading = {
        step.run: step for job in JOBS.values() for step in job.steps if step.run.__module__ == extract_steps.__name__
    }
    stage = Job("stage", (*reading.values(), Step("build", models.build_models)))
    warehouse = folder / "springline.duckdb"
    with running_sandbox(folder, folder / "seed") as sandbox:
        sandbox.control("POST", "clock", {"now": "2026-11-02T08:00:00Z"})
        run_batch(
            load_settings(None, environ={**sandbox.env, "SPRINGLINE_WAREHOUSE": str(warehouse)}),
            jobs=[stage],
            operator="tester",
            now=lambda: datetime(2026, 11, 2, 8, tzinfo=UTC),
            today=date(2026, 11, 2),
            is_dry_run=True,
        )
    return warehouse


@pytest.fixture(scope="module")
def drafts(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Rows]:
    """Give the rows of each table by spelling, in an order of their own."""
    found: dict[tuple[str, str], Rows] = {}
    for spelling in SPELLINGS:
        with duckdb.connect(str(_staged(tmp_path_factory.mktemp(spelling), spelling)), read_only=True) as world:
            for table in TABLES:
                found[spelling, table] = world.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()  # noqa: S608
    return found


@pytest.mark.parametrize("table", TABLES)
def test_both_spellings_come_to_the_same(drafts: dict[tuple[str, str], Rows], table: str) -> None:
    assert drafts[VENDOR, table]
    assert drafts[OLDER, table] == drafts[VENDOR, table]
