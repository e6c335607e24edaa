"""What is asked for at both systems: `springline webhooks`, and the look of the watch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.core.periods import OSLO
from pipelines.stores.control import Control, named_statements
from pipelines.stores.lost import open_control
from pipelines.stores.request_counts import RequestCounts
from pipelines.watch.webhooks.ledger_side import LedgerSide
from pipelines.watch.webhooks.noted import Noted
from pipelines.watch.webhooks.ready import faults, require
from pipelines.watch.webhooks.vms_side import VmsSide
from pipelines.wire.ledger import LedgerClient
from pipelines.wire.vms import VmsClient

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.watch.webhooks.events import Side
    from pipelines.watch.webhooks.shown import Shown

Now = Callable[[], datetime]


def register(settings: Settings, sides: Sequence[Side], *, now: Now) -> list[Shown]:
    """Make the subscriptions of these sides; what is there already stays, corrected where the settings have changed.

    Raises SettingsError with everything that is missing, before anything is made.
    """
    require(settings, sides, subscriber=True)
    with _both(settings, sides, now) as found:
        return [shown for side in found for shown in side.register()]


def verify(settings: Settings, sides: Sequence[Side], *, now: Now) -> list[Shown]:
    """Ask these sides in which state each subscription is; one request a side."""
    with _both(settings, sides, now) as found:
        return [shown for side in found for shown in side.verify()]


def remove(settings: Settings, sides: Sequence[Side], *, now: Now) -> list[Shown]:
    """Remove the subscriptions of these sides."""
    require(settings, ())
    with _both(settings, sides, now) as found:
        return [shown for side in found for shown in side.remove()]


def listed(settings: Settings) -> list[Noted]:
    """Return what was made and stands, as it was when it was last asked for; asks nobody."""
    with closing(open_control(settings, for_reading=True)) as control:
        return [Noted(**row) for row in control.read(named_statements("webhooks")["all_subscriptions"])]


def look_at_vms(settings: Settings, control: Control, vms: VmsClient, *, now: Now) -> list[Shown]:
    """Look whether the VMS still calls, in one request, and make anew, once a day at most, what it has switched off.

    For the watch, every few minutes: most of the time nothing is found. Empty where no webhook was made, or where the
    settings lack something. Raises what the VMS raises.
    """
    if faults(settings, ["vms"]) or settings.webhooks.vms_subscriber is None:
        return []
    return VmsSide(settings, control, vms, now=now).look()


def look_at_ledger(settings: Settings, control: Control, ledger: LedgerClient, *, now: Now) -> list[Shown]:
    """Look whether the ledger still calls, in one request; for the watch, about daily, since requests are metered.

    What is FAULTED needs a person. Empty where no webhook was made.
    """
    return LedgerSide(settings, control, ledger, now=now).verify()


@contextmanager
def _both(settings: Settings, sides: Sequence[Side], now: Now) -> Iterator[list[VmsSide | LedgerSide]]:
    """Open the control store and a client of each side, and count what is asked."""
    with ExitStack() as stack:
        control = stack.enter_context(closing(open_control(settings)))
        counts = RequestCounts(control, month=f"{now().astimezone(OSLO):%Y-%m}")
        stack.callback(counts.save, "webhooks")
        found: list[VmsSide | LedgerSide] = []
        if "vms" in sides:
            vms = stack.enter_context(closing(VmsClient(settings.vms, count=counts.count, now=now)))
            found.append(VmsSide(settings, control, vms, now=now))
        if "ledger" in sides:
            ledger = stack.enter_context(closing(LedgerClient(settings.ledger, count=counts.count, now=now)))
            found.append(LedgerSide(settings, control, ledger, now=now))
        yield found
