"""Says how Springline is: ready, degraded with reasons, or unable; the same for `/health` and `springline status`.

The reasons are the conditions that people are told of, by kind and number: no document, no partner and no secret.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.core.errors import SpringlineError
from pipelines.core.words import moment
from pipelines.stores.control import named_statements, utc_text
from pipelines.stores.lost import open_control
from pipelines.watch.alerts.conditions import ALIVE, find_conditions
from pipelines.watch.alerts.kinds import BANK, BREAK, CLOSING, FAILING, HELD, KINDS, UNKNOWN
from pipelines.watch.alerts.tell import read_delivery

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

READY, DEGRADED, UNABLE = "ready", "degraded", "unable"
STATES = (READY, DEGRADED, UNABLE)
# Reasons that are no condition of an alert.
NOT_TOLD, STORE, WATCH = "alerts not delivered", "control store", "watch"
_LISTED = frozenset({HELD, BREAK, CLOSING, BANK, FAILING, UNKNOWN})


@dataclass(frozen=True, slots=True)
class Reason:
    """Why it is not ready: what, how many, in words, and the command that explains."""

    kind: str
    count: int
    text: str
    look: str


@dataclass(frozen=True, slots=True)
class Health:
    """``state`` is one of STATES; ``watch_seen_seconds`` how long ago a watch last said that it is alive, if ever."""

    state: str
    as_of: str
    reasons: tuple[Reason, ...] = ()
    watch_seen_seconds: float | None = None

    def as_dict(self) -> dict[str, object]:
        """Return the object that `/health` answers with, and `status --json` as `health`."""
        return asdict(self)

    def in_words(self) -> str:
        """Return state and reasons in a sentence: `Health: degraded: 3 documents held for more than 24 hours`."""
        reasons = "; ".join(reason.text for reason in self.reasons)
        return f"Health: {self.state}{': ' if reasons else ''}{reasons}."

    def in_short(self) -> str:
        """Return the state, and of the reasons those that `springline status` does not list anyway."""
        if not self.reasons:
            return f"Health: {self.state}."
        others = [reason.text for reason in self.reasons if reason.kind not in _LISTED]
        told = f": {'; '.join(others)}." if others else "."
        return f"Health: {self.state}{told} All of it: springline alerts"


def read_health(settings: Settings, *, now: datetime) -> Health:
    """Read how it is at ``now`` (aware); an unreadable control store is an answer too, and raises nothing.

    A watch that has neither ended nor said for two minutes that it is alive is `unable`; where no watch has begun, as
    with runs from a schedule, there is none to be missed.
    """
    at = utc_text(now)
    try:
        with closing(open_control(settings, for_reading=True)) as control:
            counts = Counter(one.kind for one in find_conditions(settings, control, now=now))
            watches = control.read(named_statements("alerts")["watch"])
            problems = read_delivery(control).problems
    except (SpringlineError, sqlite3.Error, OSError):
        # Without the error: it names a path, and this is served to whoever asks.
        return Health(UNABLE, at, (Reason(STORE, 1, "the control store cannot be read", "springline status"),))
    reasons = [
        Reason(kind, counts[kind], words.counted(counts[kind], settings), words.look.replace(" {}", ""))
        for kind, words in KINDS.items()
        if counts[kind]
    ]
    if problems:
        text = f"{len(problems)} of the addresses that are told did not take an alert"
        reasons.append(Reason(NOT_TOLD, len(problems), text, "springline alerts"))
    state = DEGRADED if reasons else READY
    seen = None
    if watches:
        seen = max((now - datetime.fromisoformat(watches[0]["seen_at"])).total_seconds(), 0.0)
        if seen > ALIVE.total_seconds():
            text = f"the watch was last alive at {moment(watches[0]['seen_at'])}"
            reasons.insert(0, Reason(WATCH, 1, text, "springline status"))
            state = UNABLE
    return Health(state, at, tuple(reasons), seen)
