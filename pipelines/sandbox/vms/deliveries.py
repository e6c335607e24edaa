"""Notifications on their way: those that wait, by subscription and due time, and a log of the last ones."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pipelines.sandbox.state import transaction
from pipelines.sandbox.vms.json import decode

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

# As many are kept as the log of one busy day may have.
_KEPT = 10_000
_SHOWN = 1_000


@dataclass(order=True, slots=True)
class Delivery:
    """One notification of one subscription; ``due`` is in seconds since 1970, by the sandbox's clock."""

    due: float
    number: int
    subscription: int = field(compare=False)
    body: bytes = field(compare=False)
    attempts: int = field(default=0, compare=False)


class LoggedDelivery(NamedTuple):
    """One line of the log, with what the VMS shows of a notification: attempts, whether it failed, and why."""

    number: int
    subscription: int
    at: float
    due: float
    attempts: int
    state: str
    error: str
    notification: dict[str, object]


class Deliveries:
    """Every notification is in the file before it is sent, so that a restart goes on where it was.

    Its user holds the lock of the connection.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        # Since the start: what was dropped is written nowhere.
        self.dropped: Counter[int] = Counter()
        self._db = db
        self._waiting: dict[int, list[Delivery]] = {}
        db.execute(
            "CREATE TABLE IF NOT EXISTS vms_deliveries (number INTEGER PRIMARY KEY, subscription INTEGER NOT NULL,"
            " at REAL NOT NULL, due REAL NOT NULL, attempts INTEGER NOT NULL, state TEXT NOT NULL,"
            " error TEXT NOT NULL, body BLOB NOT NULL)"
        )
        columns = "due, number, subscription, body, attempts"
        for row in db.execute(f"SELECT {columns} FROM vms_deliveries WHERE state = 'waiting' ORDER BY due, number"):  # noqa: S608 (our own names)
            delivery = Delivery(*row)
            # Sorted, which makes it a heap.
            self._waiting.setdefault(delivery.subscription, []).append(delivery)
        self._last: int = db.execute("SELECT coalesce(max(number), 0) FROM vms_deliveries").fetchone()[0]

    def subscriptions(self) -> list[int]:
        """List the subscriptions that something waits for."""
        return [key for key, waiting in self._waiting.items() if waiting]

    def number(self) -> int:
        """Give a number that no notification of this file had."""
        self._last += 1
        return self._last

    def add(self, deliveries: Sequence[Delivery], *, longest: int) -> None:
        """Queue notifications; beyond ``longest`` that wait for a subscription they are dropped and counted."""
        taken = []
        for delivery in deliveries:
            waiting = self._waiting.setdefault(delivery.subscription, [])
            if len(waiting) >= longest:
                self.dropped[delivery.subscription] += 1
            else:
                heapq.heappush(waiting, delivery)
                taken.append(delivery)
        rows = [(one.number, one.subscription, one.due, one.due, one.body) for one in taken]
        with transaction(self._db) as db:
            db.executemany("INSERT INTO vms_deliveries VALUES (?, ?, ?, ?, 0, 'waiting', '', ?)", rows)
            db.execute("DELETE FROM vms_deliveries WHERE number <= ? AND state <> 'waiting'", (self._last - _KEPT,))

    def next_due(self, subscription: int) -> float | None:
        """Give when something is due for a subscription, None where nothing waits."""
        waiting = self._waiting.get(subscription)
        return waiting[0].due if waiting else None

    def take(self, subscription: int, *, now: float, is_shuffled: bool) -> Delivery | None:
        """Take out what is due for a subscription, first things first or any of it; None where nothing is."""
        waiting = self._waiting.get(subscription)
        if not waiting or waiting[0].due > now:
            return None
        if not is_shuffled:
            return heapq.heappop(waiting)
        place = random.choice([place for place, one in enumerate(waiting) if one.due <= now])  # noqa: S311 (no secret)
        delivery = waiting.pop(place)
        heapq.heapify(waiting)
        return delivery

    def retry(self, delivery: Delivery, *, due: float, error: str) -> None:
        """Let a notification that failed wait for its next attempt."""
        delivery.due = due
        heapq.heappush(self._waiting.setdefault(delivery.subscription, []), delivery)
        self._log(delivery, "waiting", error)

    def end(self, delivery: Delivery, *, error: str) -> None:
        """Be done with a notification: it arrived, or was given up for this reason."""
        self._log(delivery, "failed" if error else "delivered", error)

    def give_up(self, subscription: int, *, error: str) -> None:
        """Be done with everything that waits for a subscription."""
        with transaction(self._db):
            for delivery in self._waiting.pop(subscription, []):
                self.end(delivery, error=error)

    def log(self) -> list[LoggedDelivery]:
        """Give the last notifications, newest first."""
        rows = self._db.execute(
            "SELECT number, subscription, at, due, attempts, state, error, body FROM vms_deliveries"
            " ORDER BY number DESC LIMIT ?",
            (_SHOWN,),
        )
        return [LoggedDelivery._make((*row[:-1], decode(row[-1]))) for row in rows]

    def _log(self, delivery: Delivery, state: str, error: str) -> None:
        self._db.execute(
            "UPDATE vms_deliveries SET due = ?, attempts = ?, state = ?, error = ? WHERE number = ?",
            (delivery.due, delivery.attempts, state, error, delivery.number),
        )
