"""The states of an intent and the only ways between them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pipelines.core.errors import SpringlineError


class State(StrEnum):
    """Where an intent stands."""

    TODO = "todo"
    # On disk before the call, so whoever finds it at start-up knows that a call may have been made.
    SENDING = "sending"
    SENT = "sent"
    # A call without an answer that can be relied on.
    UNKNOWN = "unknown"
    # Refused, or for a person to decide; it is tried again when its source changes or the next run stores it anew.
    FAILED = "failed"


# What is not here does not happen. Nothing leads out of `sent`: what was written is never written again. Nothing leads
# from `unknown` to `sending`: only a look-up, which proves that it is not there, opens the way back by `todo`.
TRANSITIONS: Mapping[tuple[State | None, State], str] = {
    (None, State.TODO): "stored",
    (State.TODO, State.TODO): "rebuilt before it was sent",
    (State.FAILED, State.TODO): "rebuilt, to be tried again",
    (State.TODO, State.SENDING): "the call begins",
    (State.SENDING, State.SENT): "the other side accepted it",
    (State.SENDING, State.FAILED): "the other side refused it",
    (State.SENDING, State.UNKNOWN): "no answer that can be relied on, or found in flight at start-up",
    # Only where the call never left, or was refused and read back; a time-out is `unknown`.
    (State.SENDING, State.TODO): "the other side certainly did nothing",
    (State.UNKNOWN, State.SENT): "a look-up found it",
    (State.UNKNOWN, State.TODO): "a look-up proved that it is not there",
    (State.UNKNOWN, State.FAILED): "a look-up found something a person must decide on",
    (State.TODO, State.SENT): "the look-up before the first call found it",
    (State.TODO, State.FAILED): "not sendable: the look-up or the known gaps of the other side say so",
}

# Only these take a new payload; in every other state it is frozen, because it may have been sent.
REBUILDABLE = frozenset({State.TODO, State.FAILED})


class ForbiddenTransition(SpringlineError):
    """The code asked for a move that is not allowed; nothing was written."""


def check_transition(before: State | None, after: State, *, intent: str) -> None:
    """Raise ForbiddenTransition unless ``after`` may follow ``before``."""
    if (before, after) not in TRANSITIONS:
        raise ForbiddenTransition(f"Intent {intent} cannot go from {before or 'nothing'} to {after}.")
