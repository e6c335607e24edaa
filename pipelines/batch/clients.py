"""A client of each side: those of one batch, or kept by a watch over all of its batches."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.wire.ledger import LedgerClient
from pipelines.wire.vms import VmsClient

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.stores.request_counts import RequestCounts


class Clients:
    """Both clients. Kept open they stay signed in and connected, and the limits hold from one batch to the next."""

    def __init__(self, settings: Settings, *, now: Callable[[], datetime]) -> None:
        """Open no connection yet; ``now`` is the clock (aware). Raises SettingsError where none can be made."""
        self._counts: RequestCounts | None = None
        with ExitStack() as stack:
            self.vms = stack.enter_context(closing(VmsClient(settings.vms, count=self._count, now=now)))
            self.ledger = stack.enter_context(closing(LedgerClient(settings.ledger, count=self._count, now=now)))
            self._stack = stack.pop_all()

    def count_in(self, counts: RequestCounts) -> None:
        """Count what is asked from now on in the figures of another batch."""
        self._counts = counts

    def close(self) -> None:
        """Close the connections."""
        self._stack.close()

    def _count(self, side: str, operation: str) -> None:
        if self._counts is not None:
            self._counts.count(side, operation)
