"""How each job ended last: when it went through to its end, and how often in a row it has not since.

Kept as marks of the control store, one a job: to find the same in `ctl.steps` would take a walk through all that ran.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pipelines.stores.control import Control

_MARK = "job_ends."


@dataclass(frozen=True, slots=True)
class JobEnd:
    """``well_at``: when it last went through to its end; since then it failed ``failures`` times, and why last."""

    well_at: str | None = None
    failures: int = 0
    failed_since: str | None = None
    reason: str | None = None


def note_job_ends(
    control: Control, ends: Mapping[str, str | None], *, at: str, within: sqlite3.Connection | None = None
) -> None:
    """Note of each job that it went through (None), or why it did not; ``at`` as the control store writes times.

    For a batch, and for whoever has looked at a job and found nothing to do, which is a good end too. ``within`` is the
    connection of an open ``write()`` block.
    """
    if within is None:
        with control.write() as connection:
            note_job_ends(control, ends, at=at, within=connection)
        return
    before = read_job_ends(control)
    for job, reason in ends.items():
        last = before.get(job, JobEnd())
        now = JobEnd(at) if reason is None else JobEnd(last.well_at, last.failures + 1, last.failed_since or at, reason)
        control.keep_mark(_MARK + job, json.dumps(asdict(now)), within=within)


def read_job_ends(control: Control) -> dict[str, JobEnd]:
    """Return how each job ended last, by its name; none of a job that has not run since this is noted."""
    rows = control.read("SELECT name, value FROM meta WHERE name >= ? AND name < ?", (_MARK, f"{_MARK}~"))
    return {row["name"].removeprefix(_MARK): JobEnd(**json.loads(row["value"])) for row in rows}
