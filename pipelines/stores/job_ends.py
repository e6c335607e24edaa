"""How each job ended last: when it went through to its end, and how often in a row it has not since.

A look whether a job has anything to do is kept beside it, under a name of its own: a look that is answered mends no job
that failed. Kept as marks of the control store: to find the same in `ctl.steps` would take a walk through all that ran.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from pipelines.stores.control import Control, utc_text
from pipelines.stores.control_types import ControlConnection

_MARK = "job_ends."
# How the name of a look begins; the name of its job follows.
OF_LOOK = "look "
# One good look after the other is noted so often, that an idle watch writes next to nothing.
_BETWEEN_LOOKS = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class JobEnd:
    """``well_at``: when it last went through to its end; since then it failed ``failures`` times, and why last."""

    well_at: str | None = None
    failures: int = 0
    failed_since: str | None = None
    reason: str | None = None


def note_job_ends(
    control: Control, ends: Mapping[str, str | None], *, at: str, within: ControlConnection | None = None
) -> None:
    """Note of each job that it went through (None), or why it did not; ``at`` as the control store writes times.

    ``within`` is the connection of an open ``write()`` block.
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


def note_look(control: Control, job: str, reason: str | None, *, now: datetime) -> None:
    """Note that somebody has looked whether a job has anything to do (None), or why that could not be seen."""
    last = read_job_ends(control).get(OF_LOOK + job, JobEnd())
    age = now - datetime.fromisoformat(last.well_at) if last.well_at and not last.failures else _BETWEEN_LOOKS
    # One that lies ahead, of a clock set back since, is old as well.
    if reason is None and timedelta(0) <= age < _BETWEEN_LOOKS:
        return
    note_job_ends(control, {OF_LOOK + job: reason}, at=utc_text(now))


def last_well(ends: Mapping[str, JobEnd], job: str) -> datetime | None:
    """Return when a job last went through, or a look last showed that it had nothing to do."""
    found = (ends[name].well_at for name in (job, OF_LOOK + job) if name in ends)
    return max((datetime.fromisoformat(at) for at in found if at), default=None)


def read_job_ends(control: Control) -> dict[str, JobEnd]:
    """Return how each job ended last, by its name; none of a job that has not run since this is noted."""
    rows = control.read("SELECT name, value FROM meta WHERE name >= ? AND name < ?", (_MARK, f"{_MARK}~"))
    return {row["name"].removeprefix(_MARK): JobEnd(**json.loads(row["value"])) for row in rows}
