"""Limits of one token: burst, parallel requests and hourly credits, with their codes.

Source: docs/systems/ledger.md#1-7, #1-8.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.sandbox.ledger.errors import GraphqlFault, RefusedError
from pipelines.sandbox.ledger.values import HUNDRED, ZERO, local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pipelines.sandbox.ledger.settings import ServedLedgerSettings

# Codes and texts as official samples and client code have them (docs/systems/ledger.md#1-7).
_BURST = GraphqlFault("Too many requests", "BAD_REQUEST.BURST_RATE_LIMIT_REACHED", is_limit=True)
_CONCURRENCY = GraphqlFault("Too many requests", "BAD_REQUEST.CONCURRENCY_LIMIT_REACHED", is_limit=True)
# Recognised by its text: no code was ever seen.
TIMEOUT = GraphqlFault("Your query timed out.", "")


class Limits:
    """Counts what a token uses; burst runs on real time, credits by the hour of the sandbox's clock."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        # Real time, because the client really waits. Credits follow the sandbox's clock, as `resetAt` does.
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._running = 0
        self._started: deque[float] = deque()
        self._hour: datetime | None = None
        self._used = ZERO
        self._refused: Counter[str] = Counter()

    @contextmanager
    def request(self, settings: ServedLedgerSettings) -> Iterator[None]:
        """Hold a place for one request; raises RefusedError where there is none."""
        with self._lock:
            if settings.concurrency is not None and self._running >= settings.concurrency:
                raise self._refusal(_CONCURRENCY)
            self._take_burst(settings)
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1

    def charge(self, settings: ServedLedgerSettings, *, records: int, now: datetime) -> None:
        """Take 1 credit and one more per 100 records asked for; raises RefusedError when none are left."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        # How a query is priced is not documented (docs/systems/ledger.md#a13).
        cost = 1 + Decimal(records) / HUNDRED
        with self._lock:
            if self._hour != hour:
                self._hour, self._used = hour, ZERO
            if settings.credits_per_hour is not None and self._used + cost > settings.credits_per_hour:
                reset_at = local(hour + timedelta(hours=1))
                fault = GraphqlFault("Not enough credits", "BAD_REQUEST.INSUFFICIENT_CREDITS", is_limit=True)
                raise self._refusal(fault._replace(extensions={"resetAt": reset_at}))
            self._used += cost

    def used(self) -> str:
        """Give the credits used in the hour that was last charged."""
        with self._lock:
            return str(self._used)

    def refused(self) -> dict[str, int]:
        """Give how often each limit has refused a request since the start, by its code."""
        with self._lock:
            return dict(self._refused)

    def _refusal(self, fault: GraphqlFault) -> RefusedError:
        self._refused[fault.code] += 1
        return RefusedError(fault)

    def _take_burst(self, settings: ServedLedgerSettings) -> None:
        at = self._monotonic()
        while self._started and self._started[0] <= at - settings.burst_seconds:
            self._started.popleft()
        if settings.burst_requests is None:
            return
        if len(self._started) >= settings.burst_requests:
            # A refused request is not counted; whether the real ledger counts it is not known.
            raise self._refusal(_BURST)
        self._started.append(at)
