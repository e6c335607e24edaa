"""The ledger of one state file: its rows, its settings, its limits, and the posting job at its hours."""

from __future__ import annotations

import gc
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.sandbox.ledger.limits import Limits
from pipelines.sandbox.ledger.posting import last_run_due, run_posting
from pipelines.sandbox.ledger.settings import ServedLedgerSettings, change_settings, read_settings
from pipelines.sandbox.ledger.store import LedgerStore, create_tables, stored_rows
from pipelines.sandbox.ledger.webhooks import Webhooks
from pipelines.sandbox.state import read_setting, write_setting

if TYPE_CHECKING:
    import sqlite3

    from pipelines.sandbox.clock import Clock

_LAST_RUN = "ledger.last_run"


class Ledger:
    """One ledger; its rows are read from the file at the first request, so that a seed may be loaded before."""

    def __init__(self, db: sqlite3.Connection, *, clock: Clock) -> None:
        self.limits = Limits()
        self.settings: ServedLedgerSettings = read_settings(db)
        self._db = db
        self._clock = clock
        self._opening = threading.Lock()
        self._opened: tuple[LedgerStore, Webhooks] | None = None

    @property
    def store(self) -> LedgerStore:
        """Give the rows."""
        return self._open()[0]

    @property
    def webhooks(self) -> Webhooks:
        """Give what tells others of changed rows."""
        return self._open()[1]

    def resume(self) -> None:
        """Go on telling what was not told before the last stop; with no webhook this reads no rows."""
        create_tables(self._db)
        if any(True for _ in stored_rows(self._db, "webhooks")):
            self._open()

    def close(self) -> None:
        """Stop what runs in the background."""
        if self._opened is not None:
            self._opened[1].close()

    def now(self) -> datetime:
        """Give the sandbox's time, aware, in UTC."""
        return self._clock.now()

    def change_settings(self, changed: object) -> ServedLedgerSettings:
        """Switch some settings and give them all; raises BadRequestError."""
        with self.store.lock:
            self.settings = change_settings(self._db, changed)
            # Hours that passed under other settings are not made up for.
            self._ran(self.now())
        return self.settings

    def post(self) -> dict[str, int]:
        """Run the posting job now; gives the number of vouchers posted and failed."""
        with self.store.lock:
            return run_posting(self.store, now=self.now())

    def post_when_due(self) -> None:
        """Run the posting job if one of its hours has passed since it was last asked."""
        now = self.now()
        # There is no timer, because the clock can be set and stepped: the job runs at the next request, with the time
        # of that request. One run replaces all that were missed.
        due = last_run_due(self.settings, now=now)
        with self.store.lock:
            stored = read_setting(self._db, _LAST_RUN)
            # Counting starts with the first request. After the clock was set back, the job must not wait until the old
            # time is reached again.
            last = now if stored is None else min(datetime.fromisoformat(stored), now)
            is_due = due is not None and due > last
            if is_due:
                run_posting(self.store, now=now)
            if is_due or stored is None or last == now:
                self._ran(now)

    def _open(self) -> tuple[LedgerStore, Webhooks]:
        # Otherwise two first requests at the same time would each go on with their own copy of the rows.
        with self._opening:
            if self._opened is None:
                store = LedgerStore(self._db)
                self._opened = store, Webhooks(store, self._db, self._clock, lambda: self.settings)
                # Rows live as long as the server: the collector need not walk them again and again.
                gc.freeze()
            return self._opened

    def _ran(self, now: datetime) -> None:
        write_setting(self._db, _LAST_RUN, value=now.astimezone(UTC).isoformat())
