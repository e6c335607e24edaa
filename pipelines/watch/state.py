"""What a watch reads of the control store to know what is due, and what it writes there of itself."""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.batch.jobs import JOBS
from pipelines.core.errors import BusyError
from pipelines.outbox.intent import Kind
from pipelines.stores.control import Control, named_statements, utc_text
from pipelines.watch.cadence import ACTUALS, DOCUMENTS, MASTER_DATA, PAYMENTS, RATES
from pipelines.watch.orders import TURN, running_watch

if TYPE_CHECKING:
    from pipelines.step.context import Context

# No job waits for longer between two runs.
PAST = timedelta(days=8)
# Which job delivers a kind of intent; all others are master data.
DELIVERED_BY = {
    Kind.VOUCHER: DOCUMENTS,
    Kind.ACKNOWLEDGEMENT: DOCUMENTS,
    Kind.CORRECTION: DOCUMENTS,
    Kind.REMARK: DOCUMENTS,
    Kind.RATE: RATES,
    Kind.PAYMENT: PAYMENTS,
    Kind.ACTUAL: ACTUALS,
}


@dataclass(frozen=True, slots=True)
class Order:
    """A run that a command asks for; without ``today`` the accounting day is that of the clock."""

    order_id: int
    operator: str
    jobs: tuple[str, ...]
    today: date | None


@dataclass(slots=True)
class WatchState:
    """The rows of one watch, and what makes its jobs due."""

    control: Control
    watch_id: str

    @classmethod
    def begin(cls, control: Control, *, operator: str, now: datetime) -> WatchState:
        """Write a watch down. Raises BusyError when another one works on this store."""
        statements = named_statements("watch")
        state = cls(control, f"{now.astimezone(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}")
        values = {"at": utc_text(now), "host": socket.gethostname(), "pid": os.getpid()}
        if other := running_watch(control, now=now):
            raise BusyError(
                f"A watch runs on the control store {control.place} already: {other}.",
                next_step="end that one first, or give this one stores of its own (settings `warehouse`, `control`).",
            )
        with control.write() as connection:
            own = {"watch_id": state.watch_id, "operator": operator}
            connection.execute(statements["begin_watch"], values | own)
            # One that was killed had them; nobody waits for them by now.
            left = '{"error": "The watch ended before it.", "next_step": "run again.", "exit_code": 17}'
            given_up = {"at": utc_text(now), "problem": left, "watch_id": state.watch_id}
            connection.execute(statements["give_up_orders"], given_up)
        return state

    def answer_at(self, address: str) -> None:
        """Note where the watch answers."""
        self._write("answer_at", address=address)

    def beat(self, now: datetime) -> None:
        """Note that the watch is alive."""
        self._write("beat", at=utc_text(now))
        self.control.settle()

    def end(self, now: datetime) -> None:
        """Note that the watch has ended."""
        self._write("end_watch", at=utc_text(now))

    def _write(self, statement: str, **values: str | int | None) -> None:
        with self.control.write() as connection:
            connection.execute(named_statements("watch")[statement], {"watch_id": self.watch_id} | values)

    def take_order(self) -> Order | None:
        """Take the oldest run that waits, None when none does."""
        statements = named_statements("watch")
        # Looked at twice a second: only what is there takes the lock of the store.
        if (waiting := self.control.one(statements["waiting_order"])) is None:
            return None
        with self.control.write() as connection:
            taken = {"watch_id": self.watch_id, "order_id": waiting}
            row = connection.execute(statements["take_order"], taken).fetchone()
        if row is None:
            return None
        today = date.fromisoformat(row["today"]) if row["today"] else None
        return Order(row["order_id"], row["operator"], tuple(row["jobs"].split(",")), today)

    def turn_asked(self) -> str | None:
        """Return what the last one wrote who waits for the warehouse."""
        return self.control.mark(TURN)

    def end_order(self, order: Order, now: datetime, *, problem: str | None = None) -> None:
        """Note that a run was carried out, or why it was not."""
        with self.control.write() as connection:
            values = {"order_id": order.order_id, "at": utc_text(now), "problem": problem}
            connection.execute(named_statements("watch")["end_order"], values)

    def jobs_done(self, now: datetime) -> dict[str, tuple[datetime, datetime]]:
        """Return the begin and the end of the last batch in which each job came to its end: a restart repeats none."""
        found: dict[str, tuple[datetime, datetime]] = {}
        for row in self.control.read(named_statements("watch")["jobs_done"], {"since": utc_text(now - PAST)}):
            # A dry run leaves out the steps that write outside.
            if row["job"] in JOBS and row["done"] >= len(JOBS[row["job"]].steps):
                found[row["job"]] = (datetime.fromisoformat(row["started_at"]), datetime.fromisoformat(row["ended_at"]))
        return found

    def failed_jobs(self, batch_id: str) -> set[str]:
        """Return the jobs of a batch that did not come to their end."""
        rows = self.control.read(named_statements("watch")["failed_jobs"], {"batch_id": batch_id})
        return {row["job"] for row in rows}

    def events_waiting(self) -> set[tuple[str, str]]:
        """Return side and job of the calls since which the job has not begun."""
        return {(row["side"], row["job"]) for row in self.control.read(named_statements("watch")["events_waiting"])}

    def last_call(self) -> datetime | None:
        """Return when the VMS last called."""
        at = self.control.one(named_statements("watch")["last_event"])
        return None if at is None else datetime.fromisoformat(at)

    def unsettled_jobs(self, *, is_booked_first: bool) -> set[str]:
        """Return the jobs that have sends which are not settled.

        ``is_booked_first``: acknowledgements wait for the ledger's books, so that they alone make nothing due.
        """
        every = {"kinds": json.dumps([*Kind])}
        kinds = {row["kind"] for row in self.control.read(named_statements("watch")["unsettled"], every)}
        waiting = kinds - ({Kind.ACKNOWLEDGEMENT.value} if is_booked_first else set())
        by_kind = {kind.value: job for kind, job in DELIVERED_BY.items()}
        return {by_kind.get(kind, MASTER_DATA) for kind in waiting}

    def last_move(self) -> datetime | None:
        """Return when anything outward last moved."""
        at = self.control.one(named_statements("watch")["last_move"])
        return None if at is None else datetime.fromisoformat(at)

    def decided(self) -> tuple[object, object]:
        """Return what moves when somebody decides: on documents and suppliers, and on breaks."""
        (row,) = self.control.read(named_statements("watch")["decided"])
        return row["documents"], (row["breaks"], row["subjects"])

    def data_version(self) -> int:
        """Return a number that differs when another connection has written to the store."""
        return self.control.data_version()

    def ledger_requests(self, month: str) -> int:
        """Return how often the ledger was asked in a month, written 2026-11."""
        return int(self.control.one(named_statements("watch")["ledger_requests"], {"month": month}))


def note_batch(context: Context, jobs: Collection[str], *, order: Order | None) -> None:
    """Note, as a batch begins, for whom it runs: the calls received before it, and the command that asked for it."""
    statements = named_statements("watch")
    with context.control.write() as connection:
        own = {"batch_id": context.batch_id, "jobs": json.dumps(sorted(jobs))}
        connection.execute(statements["events_taken"], own)
        if order is not None:
            connection.execute(statements["begin_order"], {"batch_id": context.batch_id, "order_id": order.order_id})
