"""What went a second time, after a call of unknown fate, says so; what was found when it was looked up does not."""

from __future__ import annotations

import pytest

from pipelines.questions.explain.sends import sent_again


def events(*states: tuple[str | None, str]) -> dict[str, object]:
    rows = [
        {"at": f"2026-11-02T08:{minute:02}:00+00:00", "from_state": before, "to_state": after}
        for minute, (before, after) in enumerate(states)
    ]
    return {"events": rows}


BEGUN = ((None, "todo"), ("todo", "sending"))
LOST = (*BEGUN, ("sending", "unknown"))
ABSENT = (*LOST, ("unknown", "todo"))


def test_a_second_call_says_why_there_was_one() -> None:
    told = sent_again(events(*ABSENT, ("todo", "todo"), ("todo", "sending"), ("sending", "sent")))
    assert told.startswith("sent again 2026-11-02 09:05 (Oslo): what became of the call before was not known")
    assert "nothing of it was there 2026-11-02 09:03 (Oslo). If somebody has removed it in between" in told


@pytest.mark.parametrize(
    "states",
    [
        BEGUN,
        (*BEGUN, ("sending", "sent")),
        LOST,
        (*LOST, ("unknown", "sent")),
        ABSENT,
        (*BEGUN, ("sending", "todo"), ("todo", "sending"), ("sending", "sent")),
    ],
)
def test_what_went_once_says_nothing(states: tuple[tuple[str | None, str], ...]) -> None:
    assert sent_again(events(*states)) == ""
