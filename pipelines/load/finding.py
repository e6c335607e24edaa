"""What a look-up on the other side says about one intent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import cast

from pipelines.outbox.intent import Json
from pipelines.outbox.states import State
from pipelines.outbox.store import Entry, Move


class Verdict(Enum):
    """Whether the other side has it."""

    ABSENT = auto()
    COMPLETE = auto()
    # Something is there that we must not add to: only a person can decide.
    CONFLICT = auto()
    # The answer cannot be compared; nothing may be sent on it.
    UNDECIDED = auto()


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict, the ids on the other side, and the reason in words; ``code`` names the case of a conflict."""

    verdict: Verdict
    detail: str = ""
    remote_ids: Mapping[str, Json] | None = None
    code: str | None = None


ABSENT = Finding(Verdict.ABSENT)


def complete(detail: str, remote_ids: Mapping[str, Json]) -> Finding:
    """Say that it is there, whole."""
    return Finding(Verdict.COMPLETE, detail, remote_ids)


def conflict(code: str, detail: str, remote_ids: Mapping[str, Json] | None = None) -> Finding:
    """Say that a person must decide."""
    return Finding(Verdict.CONFLICT, detail, remote_ids, code)


def by_finding(entry: Entry, finding: Finding) -> list[Move]:
    """Settle an intent that a look-up has found: whole, or so that a person must decide."""
    match finding.verdict:
        case Verdict.COMPLETE:
            return [Move(entry.id, State.SENT, finding.detail, cast("Json", finding.remote_ids))]
        case Verdict.CONFLICT:
            return [Move(entry.id, State.FAILED, finding.detail, cast("Json", finding.remote_ids), finding.code)]
        case _:
            return []
