"""Counts requests by side, job and operation for `ctl.requests`: the ledger is metered by the month."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from threading import Lock

import structlog

from pipelines.core.disk import disk_fault
from pipelines.core.periods import OSLO, next_month
from pipelines.stores.control import Control, named_statements

_log = structlog.get_logger(__name__)

# Before that the first reading of everything would be taken for the pace of the month.
LEAST_DAYS = 3


def month_of(now: datetime) -> str:
    """Return the month for which a request of this moment is counted, as 2026-11: the ledger's calendar is Oslo's."""
    return f"{now.astimezone(OSLO):%Y-%m}"


def forecast(used: int, *, now: datetime) -> int | None:
    """Return how many requests the whole month will come to at the pace so far; None in its first days.

    >>> forecast(1000, now=datetime(2026, 11, 11, tzinfo=OSLO)), forecast(1000, now=datetime(2026, 11, 2, tzinfo=OSLO))
    (3000, None)
    """
    local = now.astimezone(OSLO)
    first = local.date().replace(day=1)
    days = (local.date() - first).days + (local.hour * 60 + local.minute) / 1440
    return round(used / days * (next_month(first) - first).days) if days >= LEAST_DAYS else None


class RequestCounts:
    """What was asked since it was last saved; counted from several threads."""

    def __init__(self, control: Control, *, month: str) -> None:
        """Count for a month, written 2026-11."""
        self._control = control
        self._month = month
        self._counts: dict[tuple[str, str], int] = {}
        self._lock = Lock()

    def count(self, side: str, operation: str) -> None:
        """Count one request."""
        with self._lock:
            self._counts[side, operation] = self._counts.get((side, operation), 0) + 1

    def save(self, job: str, *, month: str | None = None) -> None:
        """Add what was counted since the last time to the month's figures; ``month`` where it is another by now."""
        with self._lock:
            # Taken and emptied under one lock: a request counted meanwhile goes into the next saving and is not lost.
            counts, self._counts = self._counts, {}
        if not counts:
            return
        rows = [(month or self._month, side, job, operation, number) for (side, operation), number in counts.items()]
        try:
            with self._control.write() as connection:
                connection.executemany(named_statements("batches")["add_requests"], rows)
        except sqlite3.OperationalError as error:
            # Figures of the month are no reason to fail: a question is answered where nothing can be written.
            if disk_fault(error) is None:
                raise
            _log.warning("requests_not_counted", job=job, requests=sum(counts.values()), error=str(error))
