"""When each job is to run: arithmetic over the settings, the clock and when each job last began; reads nothing.

Payments and comparisons stand on a grid that begins at midnight in Oslo, rates and actuals at their time of day. A job
is due when it has not begun since the last such moment: sleep, a clock that jumps and summer time therefore cost one
run, however many moments they passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from pipelines.core.periods import OSLO
from pipelines.core.settings import Settings

DOCUMENTS, MASTER_DATA = "documents", "master-data"
RATES, PAYMENTS, ACTUALS, RECONCILE, PUBLISH = "rates", "payments", "actuals", "reconcile", "publish"
# Those that follow the clock alone, in the order in which a batch runs them.
BY_CLOCK = (RATES, PAYMENTS, ACTUALS, RECONCILE)
WEEKDAYS = 5
# Fridays to Mondays, and one more for times that lie before midnight.
_DAYS = 5


def last_moment(job: str, settings: Settings, now: datetime) -> datetime | None:
    """Return the last moment (aware UTC, not behind ``now``) at which a job of ``BY_CLOCK`` was to run.

    None while the job does not run at all, as comparisons at night.
    """
    watch = settings.watch
    if job == PAYMENTS:
        return _slot(now, watch.payments)
    if job == RECONCILE:
        slot = _slot(now, watch.reconcile)
        return slot if _is_open(slot, settings) else None
    return next(at for at in _daily(job, settings, now, step=-1) if at <= now)


def next_moment(job: str, settings: Settings, now: datetime) -> datetime | None:
    """Return the first moment behind ``now`` at which a job of ``BY_CLOCK`` runs, None for one that never does."""
    watch = settings.watch
    if job in {RATES, ACTUALS}:
        return next(at for at in _daily(job, settings, now, step=1) if at > now)
    every = watch.payments if job == PAYMENTS else watch.reconcile
    slot, end = _next_slot(now, every), now + timedelta(days=_DAYS)
    while job == RECONCILE and not _is_open(slot, settings):
        slot = _next_slot(slot, every)
        if slot > end:
            return None
    return slot


def due_by_clock(settings: Settings, now: datetime, began: Mapping[str, datetime]) -> set[str]:
    """Return which jobs of ``BY_CLOCK`` have not begun since their last moment; one that never ran is due at once."""
    moments = {job: last_moment(job, settings, now) for job in BY_CLOCK}
    return {job for job, at in moments.items() if at is not None and (job not in began or began[job] < at)}


def is_over(since: datetime | None, now: datetime, *, seconds: float) -> bool:
    """Tell whether so many seconds have passed; a moment that lies ahead, of a clock set back since, has passed."""
    return since is None or not timedelta(0) <= now - since < timedelta(seconds=seconds)


def not_ahead(moments: Mapping[str, datetime], now: datetime) -> dict[str, datetime]:
    """Bring moments that lie ahead, of a clock set back since, to now: else their jobs would wait to come to them."""
    return {job: min(at, now) for job, at in moments.items()}


def slots_a_day(job: str, settings: Settings) -> int:
    """Return how often payments, or comparisons on a weekday, run within one day."""
    every = settings.watch.payments if job == PAYMENTS else settings.watch.reconcile
    # A Monday without a change of the clock.
    midnight = datetime(2026, 11, 2, tzinfo=OSLO).astimezone(UTC)
    slots = [midnight + timedelta(seconds=at) for at in range(0, 86_400, every)]
    return sum(1 for slot in slots if job == PAYMENTS or _is_open(slot, settings))


def _slot(now: datetime, every: int) -> datetime:
    midnight = _midnight(now)
    return midnight + (now - midnight) // timedelta(seconds=every) * timedelta(seconds=every)


def _next_slot(now: datetime, every: int) -> datetime:
    # The grid begins anew each midnight, also where the last part of a day is shorter than the others.
    return min(_slot(now, every) + timedelta(seconds=every), _midnight(_midnight(now) + timedelta(hours=36)))


def _midnight(now: datetime) -> datetime:
    return _at(now.astimezone(OSLO).date(), "00:00")


def _at(day: date, clock: str) -> datetime:
    # A time that summer time leaves out is the moment an hour later, one that comes twice is the first of both.
    return datetime.combine(day, time.fromisoformat(clock), OSLO).astimezone(UTC)


def _daily(job: str, settings: Settings, now: datetime, *, step: int) -> list[datetime]:
    today = now.astimezone(OSLO).date()
    days = [today + timedelta(days=step * number) for number in range(_DAYS)]
    clock = settings.rates.at if job == RATES else settings.watch.actuals_at
    return [_at(day, clock) for day in days if job != RATES or day.weekday() < WEEKDAYS]


def _is_open(slot: datetime, settings: Settings) -> bool:
    local = slot.astimezone(OSLO)
    watch = settings.watch
    return local.weekday() < WEEKDAYS and watch.reconcile_from <= f"{local:%H:%M}" <= watch.reconcile_until
