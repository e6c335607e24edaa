"""What is told of one subscription: where it stands, what was done to it, and what somebody should do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pipelines.watch.webhooks.noted import GONE, SWITCHED_OFF, UNKNOWN

if TYPE_CHECKING:
    from pipelines.watch.webhooks.events import Side

RUNNING, RECOVERING, PAUSED, FAULTED = "RUNNING", "RECOVERING", "PAUSED", "FAULTED"
# What a state means that somebody has to look at, and what to do.
MEANINGS: Mapping[str, str] = {
    SWITCHED_OFF: "the VMS has switched it off after failed calls",
    GONE: "the other side does not have it any more",
    UNKNOWN: "it is not known whether Xledger has made it, and Xledger lists none",
    RECOVERING: "a call has failed, and Xledger tries again",
    PAUSED: "somebody has paused it in Xledger",
    FAULTED: "calls have failed for so long that Xledger has given up",
}
NEXT_STEPS: Mapping[str, str] = {
    SWITCHED_OFF: "look in the notification log of the VMS why calls failed; then `springline webhooks register` makes "
    "it anew.",
    GONE: "`springline webhooks register` makes it anew.",
    UNKNOWN: "look in Xledger for a webhook of this name and remove it there; then run `springline webhooks remove` "
    "and `springline webhooks register`.",
    RECOVERING: "look whether the watch runs and is reached at `webhooks.url`.",
    PAUSED: "start it again in Xledger.",
    FAULTED: "look whether the watch runs and is reached at `webhooks.url`; then `springline webhooks register` makes "
    "it anew.",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One subscription; ``done`` is what was done to it just now: made, corrected, removed; empty: nothing."""

    side: Side
    name: str
    subscription: str
    state: str
    done: str = ""

    @property
    def is_well(self) -> bool:
        """Whether the other side calls, or is about to: one of the ledger runs some seconds after it was made."""
        return self.state not in MEANINGS

    @property
    def words(self) -> str:
        """What the state means."""
        return MEANINGS.get(self.state, "")

    @property
    def next_step(self) -> str:
        """What to do about it; empty where nothing is to be done."""
        return NEXT_STEPS.get(self.state, "")

    def as_dict(self) -> dict[str, object]:
        """Return it as `--json` prints it."""
        return {**asdict(self), "is_well": self.is_well, "next_step": self.next_step}
