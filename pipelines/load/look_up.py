"""What a look-up on the other side says about one intent, and the moves that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import cast

from pipelines.outbox.entry import Entry, Move
from pipelines.outbox.intent import Json
from pipelines.outbox.states import State


class Presence(Enum):
    """Whether the other side has it."""

    ABSENT = auto()
    COMPLETE = auto()
    # Something is there that we must not add to: only a person can decide.
    CONFLICT = auto()
    # The answer cannot be compared; nothing may be sent on it.
    UNDECIDED = auto()


@dataclass(frozen=True, slots=True)
class LookUpFinding:
    """Whether it is there, the ids on the other side, the reason in words; ``code`` names the case of a conflict."""

    presence: Presence
    detail: str = ""
    remote_ids: Mapping[str, Json] | None = None
    code: str | None = None


ABSENT = LookUpFinding(Presence.ABSENT)


def complete(detail: str, remote_ids: Mapping[str, Json]) -> LookUpFinding:
    """Say that it is there, whole."""
    return LookUpFinding(Presence.COMPLETE, detail, remote_ids)


def conflict(code: str, detail: str, remote_ids: Mapping[str, Json] | None = None) -> LookUpFinding:
    """Say that a person must decide."""
    return LookUpFinding(Presence.CONFLICT, detail, remote_ids, code)


def by_finding(entry: Entry, finding: LookUpFinding) -> list[Move]:
    """Settle an intent that a look-up has found: whole, or so that a person must decide."""
    match finding.presence:
        case Presence.COMPLETE:
            return [Move(entry.id, State.SENT, finding.detail, cast("Json", finding.remote_ids))]
        case Presence.CONFLICT:
            # Failed, never sent again on top: what lies there is not ours to change.
            return [Move(entry.id, State.FAILED, finding.detail, cast("Json", finding.remote_ids), finding.code)]
        case _:
            return []
