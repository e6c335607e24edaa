"""How each job ended last: kept by a batch, and by whoever has looked and found nothing to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pipelines.stores.control import Control, utc_text
from pipelines.stores.job_ends import OF_LOOK, JobEnd, last_well, note_job_ends, note_look, read_job_ends

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    with closing(Control(tmp_path / "springline.ctl.sqlite")) as opened:
        yield opened


def test_failures_are_counted_until_a_good_end(control: Control) -> None:
    note_job_ends(control, {"documents": None, "payments": None}, at="1")
    for at in ("2", "3"):
        note_job_ends(control, {"documents": f"away at {at}"}, at=at)
    assert read_job_ends(control) == {
        "documents": JobEnd(well_at="1", failures=2, failed_since="2", reason="away at 3"),
        "payments": JobEnd(well_at="1"),
    }
    note_job_ends(control, {"documents": None}, at="4")
    assert read_job_ends(control)["documents"] == JobEnd(well_at="4")


def test_a_look_that_is_answered_mends_no_job_that_failed(control: Control) -> None:
    now = datetime(2026, 11, 11, 8, tzinfo=UTC)
    note_job_ends(control, {"documents": "refused"}, at=utc_text(now))
    note_look(control, "documents", None, now=now)
    ends = read_job_ends(control)
    assert (ends["documents"].failures, last_well(ends, "documents"), last_well(ends, "rates")) == (1, now, None)


def test_good_looks_are_noted_now_and_then_and_a_change_at_once(control: Control) -> None:
    now = datetime(2026, 11, 11, 8, tzinfo=UTC)

    def look(reason: str | None, *, seconds: int) -> JobEnd:
        note_look(control, "documents", reason, now=now + timedelta(seconds=seconds))
        return read_job_ends(control)[OF_LOOK + "documents"]

    first = look(None, seconds=0)
    assert look(None, seconds=59) == first
    assert look("away", seconds=59).failures == 1
    assert look(None, seconds=59).well_at == utc_text(now + timedelta(seconds=59))
    # A clock that was set back.
    assert look(None, seconds=-100).well_at == utc_text(now - timedelta(seconds=100))
