"""What people are told of, as data: each kind in words for one and for several, and the command that explains it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

AWAY, JOB, FAILING, UNKNOWN = "system away", "job not ended well", "delivery failing", "fate unknown"
HELD, BREAK, CLOSING = "document held", "break above an amount", "period with open breaks"
BANK, REQUESTS, WEBHOOK = "bank account waits", "requests run out", "webhook gone"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that needs to be told; it stands as long as it is found again under the same kind and subject.

    ``text`` is for an accountant, without bank accounts and secrets.
    """

    kind: str
    subject: str
    text: str

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same as one that was told before."""
        return self.kind, self.subject


@dataclass(frozen=True, slots=True)
class Kind:
    """``one`` and ``several`` stand behind a number; a blank of ``{limit}`` is filled from the settings."""

    one: str
    several: str
    look: str
    limit: Callable[[Settings], str] = lambda _settings: ""

    def counted(self, count: int, settings: Settings) -> str:
        """Return how many there are, in words: `3 documents held for more than 24 hours`."""
        return f"{count:,} {(self.one if count == 1 else self.several).format(limit=self.limit(settings))}"


def _hours(count: int) -> str:
    return "1 hour" if count == 1 else f"{count:,} hours"


# In the order in which a message has them: what stops everything comes first.
KINDS: Mapping[str, Kind] = {
    AWAY: Kind("system fault keeps jobs waiting", "system faults keep jobs waiting", "springline status"),
    JOB: Kind("job has not ended well", "jobs have not ended well", "springline status --full"),
    REQUESTS: Kind("request budget runs out", "request budgets run out", "springline status"),
    WEBHOOK: Kind("webhook is gone", "webhooks are gone", "springline webhooks verify"),
    UNKNOWN: Kind(
        "send of unknown fate for more than {limit}", "sends of unknown fate for more than {limit}",
        "springline status --full",
        lambda settings: f"{settings.alerts.unknown_minutes:,} minutes",
    ),
    FAILING: Kind("object that cannot be delivered", "objects that cannot be delivered", "springline status --full"),
    BANK: Kind(
        "changed bank account waits for a second person", "changed bank accounts wait for a second person",
        "springline status --rule bank_change --full",
    ),
    HELD: Kind(
        "document held for more than {limit}", "documents held for more than {limit}", "springline status --full",
        lambda settings: _hours(settings.alerts.held_hours),
    ),
    BREAK: Kind(
        "break above {limit} in its own currency", "breaks above {limit} in their own currencies",
        "springline breaks list --full",
        lambda settings: f"{settings.alerts.break_amount:,}",
    ),
    CLOSING: Kind("month to be closed has open breaks", "months to be closed have open breaks", "springline close {}"),
}  # fmt: skip
# What follows from a system that does not answer: told only where it still stands when that is over.
FOLLOWS = frozenset({JOB, UNKNOWN, FAILING})
