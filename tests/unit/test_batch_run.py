"""Which steps a batch runs, and what it ends with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pipelines.batch.run import BatchResult, run_batch
from pipelines.core.errors import ExtractError
from pipelines.core.settings import load_settings
from pipelines.step.counts import Counts
from pipelines.step.step import Job, Step
from tests.cli.springline import NOWHERE

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.step.context import Context


def run(folder: Path, *jobs: Job, is_dry_run: bool = False) -> BatchResult:
    environ = {**NOWHERE, "SPRINGLINE_WAREHOUSE": str(folder / "springline.duckdb")}
    settings = load_settings(None, environ=environ | {"SPRINGLINE_PUBLISHED": str(folder / "published")})
    at = datetime(2026, 11, 2, 8, tzinfo=UTC)
    return run_batch(settings, jobs=jobs, operator="kari", now=lambda: at, is_dry_run=is_dry_run)


def noted(names: list[str], name: str, *, writes_outside: bool = False) -> Step:
    """Make a step that notes that it ran."""

    def note(_ctx: Context) -> Counts:
        names.append(name)
        return Counts()

    return Step(name, note, writes_outside=writes_outside)


@pytest.mark.parametrize("is_dry_run", [False, True])
def test_a_dry_run_leaves_out_what_writes_outside(tmp_path: Path, *, is_dry_run: bool) -> None:
    ran: list[str] = []
    steps = (noted(ran, "look"), noted(ran, "send", writes_outside=True))
    later = (noted(ran, "read back", writes_outside=True),)
    run(tmp_path, Job("documents", steps, later=later), is_dry_run=is_dry_run)
    assert ran == (["look"] if is_dry_run else ["look", "send", "read back"])


@pytest.mark.parametrize(
    ("counts", "exit_code"),
    [
        (Counts(), 0),
        (Counts(breaks=1), 16),
        (Counts(breaks=1, rejected=1), 11),
        (Counts(breaks=1, rejected=1, held=1), 14),
        (Counts(breaks=1, rejected=1, held=1, unknown=1), 15),
        (Counts(held=1, failed=1), 15),
    ],
)
def test_a_batch_ends_with_what_costs_most(tmp_path: Path, counts: Counts, exit_code: int) -> None:
    assert run(tmp_path, Job("documents", (Step("do", lambda _ctx: counts),))).exit_code == exit_code


def test_a_job_that_stops_leaves_the_others_to_run(tmp_path: Path) -> None:
    def stops(_ctx: Context) -> Counts:
        raise ExtractError("no answer")

    ran: list[str] = []
    never, other = noted(ran, "never"), noted(ran, "other")
    result = run(tmp_path, Job("documents", (Step("stop", stops), never)), Job("rates", (other,)))
    assert (ran, result.exit_code, result.problems) == (["other"], 11, ("no answer",))
