"""The month of requests that a schedule asks of Xledger: counted, refused when it cannot be afforded, stretched."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipelines.core.errors import SettingsError
from pipelines.core.settings import Settings
from pipelines.watch.budget import plan_month, stretch, words_of


def settings(requests: int = 5000, **watch: int) -> Settings:
    ledger = {"token": "x", "monthly_requests": requests}
    return Settings.model_validate({"vms": {"base_url": "http://vms"}, "ledger": ledger, "watch": watch})


def test_the_defaults_leave_room_for_posting() -> None:
    plan = plan_month(settings())
    # payments 31 x 24 x 2, comparisons 23 x 15 x 5, rates 23, actuals 31 x 2, the first look of a day 31 x 3.
    assert plan.requests == 1488 + 1725 + 23 + 62 + 93
    assert plan.postings == (5000 - plan.requests) // 10
    assert "3,391 of 5,000" in words_of(plan)


def test_a_schedule_that_cannot_be_afforded_is_refused_with_the_arithmetic() -> None:
    with pytest.raises(SettingsError) as refused:
        plan_month(settings(payments=600))
    assert "payments 4,464 x 2 = 8,928" in refused.value.message
    assert "ledger.monthly_requests = 5000" in refused.value.message
    assert "watch.payments (now 600 seconds)" in refused.value.next_step
    assert refused.value.exit_code == 10


@pytest.mark.parametrize(
    ("now", "used", "times"),
    [
        ("2026-12-01T08:00", 0, 1),
        # Half a month of the schedule is 1,750 requests.
        ("2026-12-16T08:00", 3000, 1),
        ("2026-12-16T08:00", 4200, 3),
        ("2026-12-16T08:00", 9000, 24),
        ("2026-12-31T22:30", 4900, 2),
        # In Oslo it is January already.
        ("2026-12-31T23:30", 0, 1),
    ],
)
def test_readings_come_later_when_the_month_runs_short(now: str, used: int, times: int) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert stretch(plan_month(settings()), used=used, now=at) == times
