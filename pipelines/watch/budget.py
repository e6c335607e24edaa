"""The month of requests that a schedule asks of Xledger, which meters them: planned and kept within.

Only what follows the clock can be planned. Posting is never held back: where a month runs short, readings come later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pipelines.core.errors import SettingsError
from pipelines.core.periods import OSLO, next_month
from pipelines.core.settings import Settings
from pipelines.core.words import plural
from pipelines.watch.cadence import ACTUALS, DOCUMENTS, PAYMENTS, RATES, RECONCILE, slots_a_day

# The longest month.
DAYS, WEEKDAYS = 31, 23
# What a run of each job asks of the ledger when something has moved there (tests/flow/test_watch.py counts them): the
# deltas and the rows they name; beside those, for a comparison, master data, import and its errors. The first run of a
# day reads documents and master data: a look at the ledger's master data, at its import and its errors.
REQUESTS: Mapping[str, int] = {RATES: 1, PAYMENTS: 2, ACTUALS: 2, RECONCILE: 5, DOCUMENTS: 3}
# A batch that posts: master data, a look-up, the mutation, the import and its errors; then it is compared.
POSTING = 5 + REQUESTS[RECONCILE]
# No reading is stretched further than so many times its cadence.
MOST_STRETCH = 24
# The settings that make a job dearer, by job.
SETTINGS: Mapping[str, str] = {PAYMENTS: "watch.payments", RECONCILE: "watch.reconcile"}


@dataclass(frozen=True, slots=True)
class Plan:
    """The longest month: runs by job, and the requests that the contract includes."""

    runs: Mapping[str, int]
    included: int

    @property
    def requests(self) -> int:
        """The requests of the month."""
        return sum(REQUESTS[job] * runs for job, runs in self.runs.items())

    @property
    def arithmetic(self) -> str:
        """Each job with its runs and requests, the dearest first."""
        dearest = sorted(self.runs.items(), key=lambda item: -REQUESTS[item[0]] * item[1])
        return ", ".join(f"{job} {runs:,} x {REQUESTS[job]} = {runs * REQUESTS[job]:,}" for job, runs in dearest)

    @property
    def postings(self) -> int:
        """How many batches that post the rest of the month's requests pays for."""
        return max(0, self.included - self.requests) // POSTING


def plan_month(settings: Settings) -> Plan:
    """Count the runs of the longest month by the clock alone.

    Raises SettingsError, with the arithmetic, when they alone ask for more than ``ledger.monthly_requests``.
    """
    plan = Plan(
        {
            PAYMENTS: DAYS * slots_a_day(PAYMENTS, settings),
            RECONCILE: WEEKDAYS * slots_a_day(RECONCILE, settings),
            RATES: WEEKDAYS,
            ACTUALS: DAYS,
            DOCUMENTS: DAYS,
        },
        settings.ledger.monthly_requests,
    )
    if plan.requests > plan.included:
        watch = settings.watch
        raise SettingsError(
            f"The schedule asks Xledger for {plan.requests:,} requests in a month of {DAYS} days, and "
            f"ledger.monthly_requests = {plan.included}. Runs x requests: {plan.arithmetic}.",
            next_step=f"make watch.payments (now {watch.payments} seconds) or watch.reconcile (now {watch.reconcile} "
            "seconds) longer; or set ledger.monthly_requests to what the contract includes.",
        )
    return plan


def stretch(plan: Plan, *, used: int, now: datetime) -> int:
    """Return by how much the cadences of readings are to be multiplied, so that the rest of the month is enough.

    1 as long as it is; ``used`` counts the requests of this month.
    """
    local = now.astimezone(OSLO)
    days_left = (next_month(local.date().replace(day=1)) - local.date()).days
    needed = plan.requests * days_left / DAYS
    left = max(1, plan.included - used)
    return min(MOST_STRETCH, max(1, -int(-needed // left)))


def words_of(plan: Plan) -> str:
    """Say the month in two sentences."""
    return (
        f"Xledger, a month of {DAYS} days: {plan.requests:,} of {plan.included:,} requests by the clock "
        f"({plan.arithmetic}). The rest is for posting: about {plural(plan.postings, 'batch', 'batches')} "
        f"of {POSTING}, comparison included."
    )
