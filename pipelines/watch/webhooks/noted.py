"""What the control store knows of the subscriptions that Springline has made (`ctl.webhooks`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.stores.control import Control, named_statements, utc_text
from pipelines.stores.control_types import ControlConnection
from pipelines.watch.webhooks.events import Event

if TYPE_CHECKING:
    from pipelines.watch.webhooks.events import Side

# States of ours, beside the ledger's own. REMOVED: by a person; UNKNOWN: it is not known whether it was made.
ACTIVE, SWITCHED_OFF, GONE, REMOVED, UNKNOWN = "active", "switched off", "gone", "removed", "unknown"


@dataclass(frozen=True, slots=True)
class Noted:
    """One subscription, as it was when it was last asked for; times are texts in UTC."""

    side: Side
    name: str
    subscription: str
    registered_at: str
    state: str
    checked_at: str
    removed_at: str | None = None


class Notes:
    """Reads and writes the notes of one side."""

    def __init__(self, control: Control, side: Side, *, now: Callable[[], datetime]) -> None:
        """``now`` is the clock (aware)."""
        self._control = control
        self._side: Side = side
        self._now = now
        self._statements = named_statements("webhooks")

    def standing(self) -> list[Noted]:
        """Return what was made and not taken away."""
        return [Noted(**row) for row in self._control.read(self._statements["subscriptions"], (self._side,))]

    def made(self, name: str, subscription: str, *, state: str) -> None:
        """Note a subscription that is there."""
        with self._control.write() as connection:
            self._note(connection, name, subscription, state)

    def seen(self, subscription: str, *, state: str) -> None:
        """Note in which state a subscription is."""
        with self._control.write() as connection:
            self._do(connection, "note_state", subscription, state=state)

    def taken_away(self, subscription: str) -> None:
        """Note that a subscription is no more because a person said so."""
        with self._control.write() as connection:
            self._do(connection, "end_subscription", subscription, state=REMOVED)

    def was_replaced(self, name: str, *, since: datetime) -> bool:
        """Return whether one of this name was replaced since a time, by nobody's hand."""
        given = (self._side, name, SWITCHED_OFF, GONE, utc_text(since))
        return bool(self._control.one(self._statements["replaced_since"], given))

    def replaced(self, old: Noted, subscription: str, *, job: str) -> None:
        """Note that another subscription stands in the place of one; what it missed is looked at."""
        with self._control.write() as connection:
            self._do(connection, "end_subscription", old.subscription, state=old.state)
            self._note(connection, old.name, subscription, ACTIVE)
            self._look(connection, subscription, job, old.name)

    def begun(self, name: str) -> str:
        """Note, before it is tried, that one may be made of which nothing is known yet; return its name until then."""
        subscription = f"not known: {name}, {utc_text(self._now())}"
        self.made(name, subscription, state=UNKNOWN)
        return subscription

    def proved(self, name: str, begun: str, subscription: str, *, state: str, job: str) -> None:
        """Note what came of one that was begun; what changed while it was made is looked at."""
        with self._control.write() as connection:
            self._do(connection, "forget_before_made", begun, made=subscription)
            self._do(connection, "note_made", begun, state=state, made=subscription)
            self._look(connection, subscription, job, name)

    def dropped(self, subscription: str) -> None:
        """Forget one of which is certain, or was decided, that it was not made."""
        with self._control.write() as connection:
            connection.execute(self._statements["forget_subscription"], (self._side, subscription))

    def _note(self, connection: ControlConnection, name: str, subscription: str, state: str) -> None:
        self._do(connection, "note_subscription", subscription, name=name, state=state)

    def _do(self, connection: ControlConnection, statement: str, subscription: str, **values: str) -> None:
        given = {"side": self._side, "subscription": subscription, "at": utc_text(self._now()), **values}
        connection.execute(self._statements[statement], given)

    def _look(self, connection: ControlConnection, subscription: str, job: str, name: str) -> None:
        # An event of our own: whatever changed before the other side began to tell is told by nobody else.
        event = Event(self._side, f"made {subscription}", job, f"{name}: all since the webhook was made")
        at = utc_text(self._now())
        row = (event.side, event.event_id, at, event.job, event.subject)
        connection.execute(self._statements["add_event"], row)
