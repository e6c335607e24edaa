"""Rates go in order, once, and only where the VMS has no other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.core.errors import Transient
from pipelines.load.delivery import DeliveryResult
from pipelines.load.vms.rates import deliver_rates
from pipelines.outbox.intent import Kind, canonical_json
from tests.support.vms_in_memory import RATE_COLUMNS, Row, World, rate

RATES = [
    rate(1, "EUR", "0.088397790055249"),
    rate(1, "USD", "0.1"),
    rate(2, "JPY", "14.471780028943560"),
    rate(2, "USD", "0.100623199705959"),
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "ctl.sqlite")
    yield world
    world.control.close()
    world.warehouse.close()


def run(world: World, rows: list[Row] | None = None) -> DeliveryResult:
    world.want("rate_changes", RATE_COLUMNS, RATES if rows is None else rows)
    return deliver_rates(world.context(), sleep=world.sleep)


@pytest.mark.parametrize("lacking", ["exchangeRate", "exchangeRateDate", "currency"])
def test_a_look_up_that_lacks_what_it_compares_sends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    whole = {"key": 1, "exchangeRate": 0.1, "exchangeRateDate": "2026-10-30T00:00:00"}
    found = {**whole, "currency": {"currencyCode": "USD"}, lacking: {} if lacking == "currency" else None}
    monkeypatch.setattr(type(world.vms), "find", lambda *_, **__: [found])
    result = run(world)
    assert (result.sent, result.failed) == (0, 0)
    assert f"answered a look-up without {lacking}" in result.problems[0]
    assert "post ExchangeRate" not in world.vms.calls


def posted(world: World) -> list[tuple[str, str]]:
    return [
        (row["exchangeRateDate"][:10], row["currency"]["currencyCode"])
        for row in world.vms.objects.get("ExchangeRate", [])
    ]


def test_the_rate_between_the_bases_goes_first(world: World) -> None:
    assert run(world) == DeliveryResult(sent=4)
    assert [currency for _, currency in posted(world)[:2]] == ["USD", "USD"]
    [euro] = [row for row in world.vms.objects["ExchangeRate"] if row["currency"]["currencyCode"] == "EUR"]
    assert canonical_json({name: euro[name] for name in ("exchangeRate", "exchangeRateDate", "fromCurrency")}) == (
        '{"exchangeRate":0.088397790055249,"exchangeRateDate":"2026-11-01T00:00:00",'
        '"fromCurrency":{"currencyCode":"NOK"}}'
    )
    assert run(world) == DeliveryResult()


@pytest.mark.parametrize(("there", "is_same"), [("0.10000009", True), ("0.0999999", True), ("0.1000002", False)])
def test_a_rate_is_the_same_within_a_millionth(world: World, there: str, *, is_same: bool) -> None:
    world.vms.objects["ExchangeRate"] = [
        {
            "key": 1,
            "exchangeRate": Decimal(there),
            "exchangeRateDate": "2026-11-01T00:00:00",
            "currency": {"currencyCode": "USD"},
            "fromCurrency": {"currencyCode": "NOK"},
        }
    ]
    run(world, [rate(1, "USD", "0.1")])
    assert world.breaks() == ([] if is_same else [("exchange rate differs", "2026-11-01:NOK:USD")])
    assert "post ExchangeRate" not in world.vms.calls


def test_without_the_base_rate_the_others_of_its_day_wait(world: World) -> None:
    world.vms.objects["ExchangeRate"] = [
        {
            "key": 1,
            "exchangeRate": 0.2,
            "exchangeRateDate": "2026-11-01T00:00:00",
            "currency": {"currencyCode": "USD"},
            "fromCurrency": {"currencyCode": "NOK"},
        }
    ]
    assert run(world) == DeliveryResult(sent=2, failed=1, waiting=1)
    assert posted(world)[1:] == [("2026-11-02", "USD"), ("2026-11-02", "JPY")]
    assert world.breaks() == [("exchange rate differs", "2026-11-01:NOK:USD")]
    world.vms.objects["ExchangeRate"][0]["exchangeRate"] = 0.10000000001
    assert run(world) == DeliveryResult(sent=2)
    assert (world.breaks(), posted(world)[-1]) == ([], ("2026-11-01", "EUR"))


def test_a_rate_that_is_overwritten_keeps_its_key(world: World) -> None:
    run(world)
    [key] = [row["key"] for row in world.vms.objects["ExchangeRate"] if row["exchangeRateDate"][:10] == "2026-11-02"][
        :1
    ]
    changed = rate(2, "USD", "0.105", part_no=2, rate_key=key, natural_key="2026-11-02:NOK:USD:2")
    assert run(world, [changed]) == DeliveryResult(sent=1)
    [row] = [row for row in world.vms.objects["ExchangeRate"] if row["key"] == key]
    assert (row["exchangeRate"], len(posted(world))) == (Decimal("0.105"), 4)
    assert run(world, [changed]) == DeliveryResult()


def test_a_rate_out_of_the_window_is_withdrawn(world: World) -> None:
    world.vms.is_silent = True
    assert run(world).waiting == 4
    world.vms.is_silent = False
    assert run(world, RATES[2:]) == DeliveryResult(sent=2)
    assert list(world.states(Kind.RATE).values()).count("failed") == 2


def test_a_clock_set_back_leaves_no_rate_unknown(world: World) -> None:
    def lost(_number: int) -> None:
        raise Transient("no answer")

    world.at += timedelta(hours=1)
    world.vms.before = lost
    assert run(world, RATES[1:2]).unknown == 1
    world.vms.before = lambda _: None
    # Summer time as a clock would have it that is not UTC, or a machine whose clock was put right.
    world.at -= timedelta(hours=1)
    slept: list[float] = []
    world.want("rate_changes", RATE_COLUMNS, [])
    assert deliver_rates(world.context(), sleep=slept.append) == DeliveryResult(sent=1)
    assert posted(world) == [("2026-11-01", "USD")]
    # Once for as long as a call may take, in real time: the clock says nothing here.
    assert sum(slept) >= world.context().settings.vms.timeout
