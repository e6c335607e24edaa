"""Keeps what the other sides tell as rows of `ctl.webhook_events`: pointers to what a job looks at, and no data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from pipelines.stores.control import Control, named_statements, utc_text
from pipelines.stores.lost import open_control

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

Side = Literal["vms", "ledger"]

# Longer than either side tries again: five minutes and a day (docs/systems/vms.md#2, docs/systems/ledger.md#a16).
KEPT = timedelta(days=3)
FORGET_EVERY = timedelta(hours=1)
# Rows that no batch has answered yet: far more than the changes of an hour in which no job could run.
MOST_WAITING = 50_000
# Whoever called would hang up before a longer wait for another program that writes is over.
BUSY_SECONDS = 2.0


class Event(NamedTuple):
    """One change at the other side: its id there, the job that looks at it, and what has changed."""

    side: Side
    event_id: str
    job: str
    subject: str


class FullError(Exception):
    """So many events wait for a batch that no more are taken."""


class EventStore:
    """Writes events from one thread at a time; opens the control store with the first."""

    def __init__(self, settings: Settings, *, now: Callable[[], datetime]) -> None:
        """``settings`` name the control store; ``now`` is the clock (aware)."""
        self._settings = settings
        self._now = now
        self._control: Control | None = None
        self._forget_at: datetime | None = None

    def keep(self, calls: Sequence[Sequence[Event]]) -> list[list[Event]]:
        """Put the events of some calls on disk, all of them or none, and return those of each call that are new.

        Raises FullError when too many wait, sqlite3.Error, OSError or SettingsError when they cannot be written.
        """
        control = self._control = self._control or open_control(self._settings, busy_seconds=BUSY_SECONDS)
        statements, now = named_statements("webhooks"), self._now()
        at = utc_text(now)
        with control.write() as connection:
            if self._forget_at is None or now >= self._forget_at:
                connection.execute(statements["forget_events"], (utc_text(now - KEPT),))
            [waiting] = connection.execute(statements["waiting"]).fetchone()
            if waiting >= MOST_WAITING:
                raise FullError
            new = [
                [
                    event
                    for event in events
                    # Told before, by the same id: nothing is added.
                    if connection.execute(
                        statements["add_event"], (event.side, event.event_id, at, event.job, event.subject)
                    ).rowcount
                ]
                for events in calls
            ]
        if self._forget_at is None or now >= self._forget_at:
            self._forget_at = now + FORGET_EVERY
        return new
