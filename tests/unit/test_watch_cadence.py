"""When jobs of a watch are due: time of day, grid, summer time, and clocks that jump."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.core.settings import Settings
from pipelines.watch.cadence import (
    BY_CLOCK,
    due_by_clock,
    is_over,
    last_moment,
    next_moment,
    not_ahead,
    slots_a_day,
)

SETTINGS = Settings.model_validate({"vms": {"base_url": "http://vms"}, "ledger": {"token": "x"}})


def with_watch(**values: object) -> Settings:
    return SETTINGS.model_copy(update={"watch": SETTINGS.watch.model_copy(update=values)})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# 29 November 2026 is a Sunday; Oslo is one hour ahead of UTC in winter, two in summer.
@pytest.mark.parametrize(
    ("job", "now", "last", "following"),
    [
        ("payments", "2026-11-29T14:05", "2026-11-29T14:00", "2026-11-29T15:00"),
        ("payments", "2026-11-29T14:00", "2026-11-29T14:00", "2026-11-29T15:00"),
        ("rates", "2026-11-30T15:29", "2026-11-27T15:30", "2026-11-30T15:30"),
        ("rates", "2026-11-30T15:30", "2026-11-30T15:30", "2026-12-01T15:30"),
        ("rates", "2026-11-29T14:05", "2026-11-27T15:30", "2026-11-30T15:30"),
        ("actuals", "2026-11-29T01:29", "2026-11-28T01:30", "2026-11-29T01:30"),
        ("reconcile", "2026-11-30T04:59", None, "2026-11-30T05:00"),
        ("reconcile", "2026-11-30T05:00", "2026-11-30T05:00", "2026-11-30T06:00"),
        ("reconcile", "2026-11-30T19:30", "2026-11-30T19:00", "2026-12-01T05:00"),
        ("reconcile", "2026-11-30T20:00", None, "2026-12-01T05:00"),
        ("reconcile", "2026-11-27T20:30", None, "2026-11-30T05:00"),
        # 02:30 does not exist on 28 March 2027, and comes twice on 31 October 2027.
        ("actuals", "2027-03-28T01:29", "2027-03-27T01:30", "2027-03-28T01:30"),
        ("actuals", "2027-03-28T01:30", "2027-03-28T01:30", "2027-03-29T00:30"),
        ("actuals", "2027-10-31T00:30", "2027-10-31T00:30", "2027-11-01T01:30"),
        ("actuals", "2027-10-31T01:30", "2027-10-31T00:30", "2027-11-01T01:30"),
        ("payments", "2027-03-28T01:10", "2027-03-28T01:00", "2027-03-28T02:00"),
    ],
)
def test_the_last_and_the_next_moment(job: str, now: str, last: str | None, following: str) -> None:
    assert last_moment(job, SETTINGS, utc(now)) == (utc(last) if last else None)
    assert next_moment(job, SETTINGS, utc(now)) == utc(following)


def test_a_part_of_a_day_that_is_left_over_ends_at_midnight() -> None:
    settings = with_watch(payments=50_000)
    assert next_moment("payments", settings, utc("2026-11-30T14:00")) == utc("2026-11-30T23:00")


def test_a_comparison_without_a_time_of_day_never_runs() -> None:
    settings = with_watch(reconcile_from="20:00", reconcile_until="06:00")
    assert next_moment("reconcile", settings, utc("2026-11-30T14:00")) is None


def test_what_never_ran_is_due_at_once() -> None:
    assert due_by_clock(SETTINGS, utc("2026-11-29T14:05"), {}) == {"rates", "payments", "actuals"}


def test_a_weekend_asleep_costs_one_run() -> None:
    began = dict.fromkeys(BY_CLOCK, utc("2026-11-27T10:00:30"))
    now = utc("2026-11-30T09:00")
    assert due_by_clock(SETTINGS, now, began) == set(BY_CLOCK)
    assert due_by_clock(SETTINGS, now, dict.fromkeys(BY_CLOCK, now)) == set()


def test_a_clock_that_was_a_year_ahead_stops_nothing() -> None:
    began = dict.fromkeys(BY_CLOCK, utc("2027-11-30T10:00"))
    now = utc("2026-11-30T10:30")
    assert due_by_clock(SETTINGS, now, began) == set()
    kept = not_ahead(began, now)
    assert due_by_clock(SETTINGS, now, kept) == set()
    assert due_by_clock(SETTINGS, now + timedelta(hours=1), kept) == {"payments", "reconcile"}
    assert is_over(utc("2027-11-30T10:00"), now, seconds=10)


def test_how_often_a_day() -> None:
    assert (slots_a_day("payments", SETTINGS), slots_a_day("reconcile", SETTINGS)) == (24, 15)
    assert slots_a_day("reconcile", with_watch(reconcile=7200)) == 8


@given(steps=st.lists(st.integers(min_value=-100_000, max_value=400_000), max_size=40))
def test_any_clock_costs_a_run_a_look_at_most(steps: list[int]) -> None:
    now, began = utc("2026-03-27T08:00"), dict[str, datetime]()
    for step in steps:
        now += timedelta(seconds=step)
        began = not_ahead(began, now)
        due = due_by_clock(SETTINGS, now, began)
        for job in due:
            # Never a second time for the same moment, and never one that was not reached.
            moment = last_moment(job, SETTINGS, now)
            assert moment is not None
            assert moment <= now
            assert job not in began or began[job] < moment
        began |= dict.fromkeys(due, now)
        assert due_by_clock(SETTINGS, now, began) == set()


@given(steps=st.lists(st.integers(min_value=1, max_value=200_000), max_size=30))
def test_a_clock_that_only_goes_on_misses_nothing(steps: list[int]) -> None:
    now, began = utc("2026-10-23T08:00"), dict[str, datetime]()
    for step in steps:
        now += timedelta(seconds=step)
        began |= dict.fromkeys(due_by_clock(SETTINGS, now, began), now)
        for job in BY_CLOCK:
            moment = last_moment(job, SETTINGS, now)
            assert moment is None or began[job] >= moment
