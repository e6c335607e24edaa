"""How each job ended last: kept by a batch, and by whoever has looked and found nothing to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pipelines.stores.control import Control
from pipelines.stores.job_ends import JobEnd, note_job_ends, read_job_ends

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
