"""The schedule in words: what runs when, for the screen with which a watch begins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipelines.core.settings import Settings
from pipelines.core.words import moment, plural
from pipelines.watch.cadence import (
    ACTUALS,
    DOCUMENTS,
    MASTER_DATA,
    PAYMENTS,
    PUBLISH,
    RATES,
    RECONCILE,
    next_moment,
)

_UNITS = (("hour", 3600), ("minute", 60), ("second", 1))


def schedule_rows(settings: Settings, now: datetime) -> Iterator[tuple[str, str, str]]:
    """Yield a row for each job: its name, when it runs, and when next."""
    watch = settings.watch
    calls = f"every {seconds(max(watch.net, watch.documents))} while the VMS calls" if settings.webhooks.url else ""
    looks = {MASTER_DATA: watch.master_data, DOCUMENTS: watch.documents}
    for job, every in looks.items():
        yield job, f"when the VMS has something new: asked {_joined(f'every {seconds(every)}', calls)}", "at once"
    by_clock = {
        RATES: f"Monday to Friday at {settings.rates.at}",
        PAYMENTS: f"every {seconds(watch.payments)}",
        ACTUALS: f"every night at {watch.actuals_at}",
        RECONCILE: f"every {seconds(watch.reconcile)}, Monday to Friday {watch.reconcile_from} to "
        f"{watch.reconcile_until}; and once a posting is over",
    }
    for job, words in by_clock.items():
        at = next_moment(job, settings, now)
        yield job, words, moment(at) if at else "never"
    yield PUBLISH, f"when something has changed, at most every {seconds(watch.publish)}", "at once"


def seconds(number: int) -> str:
    """Write a number of seconds in the largest unit that it is whole in.

    >>> seconds(3600), seconds(90), seconds(600)
    ('hour', '90 seconds', '10 minutes')
    """
    unit, size = next((unit, size) for unit, size in _UNITS if number % size == 0)
    return unit if number == size else plural(number // size, unit)


def _joined(*words: str) -> str:
    return ", ".join(filter(None, words))
