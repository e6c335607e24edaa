"""How late a tenant was, as `make many-tenants` counts it: from each tick to the end of a batch that began since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.tenants.fleet import Batch, Record
from tests.tenants.many import Outcome

BEGUN = datetime(2026, 11, 30, 12, 20, 41, tzinfo=UTC)
CADENCE = 900


def batch(started: int, ended: int | None, code: int | None = 0) -> Batch:
    """Make a batch; minutes behind noon."""
    noon = BEGUN.replace(minute=0, second=0)
    return Batch(noon + timedelta(minutes=started), None if ended is None else noon + timedelta(minutes=ended), code)


def outcome(*batches: Batch, wrong: tuple[Batch, ...] = ()) -> Outcome:
    records = {"north": Record(batches, {}, ()), "south": Record(wrong, {}, ())}
    return Outcome({}, records, [], [], BEGUN, BEGUN.replace(minute=55, second=0), {}, "south", {}, {})


@pytest.mark.parametrize(
    ("batches", "minutes"),
    [
        ([batch(30, 31), batch(45, 46)], 1),
        # What was killed, and what has failed, is no result.
        ([batch(30, None, None), batch(31, 33, 11), batch(40, 42), batch(45, 47)], 12),
        # One that was late enough is the next tick's too.
        ([batch(46, 52)], 22),
        # One that began before is not.
        ([batch(30, 31), batch(44, 50)], 10),
        ([], 25),
    ],
)
def test_a_tick_is_late_until_its_batch_has_a_result(batches: list[Batch], minutes: int) -> None:
    assert outcome(*batches).latest_tick(CADENCE) == minutes * 60


def test_the_tenant_with_the_wrong_token_is_not_late() -> None:
    right = [batch(30, 31), batch(45, 46)]
    assert outcome(*right, wrong=(batch(30, 31, 11),)).latest_tick(CADENCE) == 60
