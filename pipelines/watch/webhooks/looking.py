"""How often the watch looks whether both sides still call: the VMS every few minutes, the metered ledger once a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from pipelines.core.periods import OSLO
from pipelines.stores.request_counts import RequestCounts
from pipelines.watch.webhooks.noted import Noted, Notes
from pipelines.watch.webhooks.shown import RUNNING
from pipelines.watch.webhooks.subscriptions import look_at_ledger, look_at_vms
from pipelines.wire.ledger import LedgerClient
from pipelines.wire.vms import VmsClient

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.stores.control import Control
    from pipelines.watch.webhooks.events import Side
    from pipelines.watch.webhooks.shown import Shown

# One request each time.
EVERY: Mapping[Side, timedelta] = {"vms": timedelta(minutes=5), "ledger": timedelta(days=1)}
# While one of the ledger has only just been made, or does not run.
SOONER = timedelta(hours=6)

_log = structlog.get_logger(__name__)


class Looking:
    """Looks when it is time; called as often as one likes, and most of the time it asks nobody.

    When a side was last asked stands in the control store, so a watch that is started anew does not ask at once.
    """

    def __init__(self) -> None:
        """Begin; nothing is asked yet."""
        # When a side was last tried: one that does not answer is not asked at every call.
        self._tried: dict[Side, datetime] = {}

    def __call__(self, settings: Settings, control: Control, now: datetime) -> None:
        """Look at each side that is due; raises what a side raises, and goes on with the other one next time."""
        for side in EVERY:
            standing = Notes(control, side, now=lambda: now).standing()
            if standing and self._is_due(side, standing, now):
                self._tried[side] = now
                self._tell(_look(side, settings, control, now))

    def _is_due(self, side: Side, standing: list[Noted], now: datetime) -> bool:
        is_well = side == "vms" or all(one.state == RUNNING for one in standing)
        every = EVERY[side] if is_well else SOONER
        times = [min(datetime.fromisoformat(one.checked_at) for one in standing)]
        times += [self._tried[side]] if side in self._tried else []
        # To either side: a clock that was set back must not keep it from looking.
        return all(abs(now - at) >= every for at in times)

    def _tell(self, found: list[Shown]) -> None:
        for one in found:
            if one.done:
                _log.warning("webhook_made_anew", name=one.name, subscription=one.subscription, how=one.done)
            elif not one.is_well:
                _log.warning("webhook_not_well", side=one.side, name=one.name, state=one.state, next=one.next_step)


def _look(side: Side, settings: Settings, control: Control, now: datetime) -> list[Shown]:
    clock: Callable[[], datetime] = lambda: now  # noqa: E731
    counts = RequestCounts(control, month=f"{now.astimezone(OSLO):%Y-%m}")
    try:
        if side == "vms":
            with closing(VmsClient(settings.vms, count=counts.count, now=clock)) as vms:
                return look_at_vms(settings, control, vms, now=clock)
        with closing(LedgerClient(settings.ledger, count=counts.count, now=clock)) as ledger:
            return look_at_ledger(settings, control, ledger, now=clock)
    finally:
        counts.save("webhooks")
