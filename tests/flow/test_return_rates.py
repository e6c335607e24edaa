"""Exchange rates on their way back: quoting unit and direction, the base rate first, differences, overwriting."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.flow.returns_seed import Row
from tests.flow.returns_world import RATES, Returns


def quoted(source: str, target: str, rate: str, day: str, *, unit: int = 1) -> Row:
    return {"owner": 28600, "from": source, "to": target, "rate": rate, "unit": unit, "fromDate": day}


LEDGER = (
    quoted("USD", "NOK", "10.0", "2026-10-25"),
    quoted("USD", "NOK", "10.5012", "2026-10-26"),
    quoted("JPY", "NOK", "6.91", "2026-10-30", unit=100),
    quoted("EUR", "NOK", "11.3125", "2026-10-30"),
    quoted("USD", "NOK", "10.6", "2026-10-30"),
    quoted("NOK", "SGD", "12.5", "2026-10-30", unit=100),
    quoted("USD", "NOK", "10.7", "2026-11-02"),
    quoted("USD", "NOK", "10.8", "2026-11-03"),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Returns]:
    with Returns(tmp_path_factory.mktemp("rates"), rates=LEDGER) as world:
        yield world


def rates(world: Returns) -> list[tuple[str, str, Decimal]]:
    fields = {"exchangeRate": "*", "exchangeRateDate": "*", "currency": {"currencyCode": "*"}}
    found = world.vms.get("/ExchangeRate", params={"sort": "key(AS)"}, headers={"fields": json.dumps(fields)})
    rows = json.loads(found.raise_for_status().text, parse_float=Decimal, parse_int=Decimal)
    return [(row["exchangeRateDate"][:10], row["currency"]["currencyCode"], row["exchangeRate"]) for row in rows]


def test_the_window_goes_out_with_the_base_rates_first(world: Returns) -> None:
    result = world.run(RATES)
    assert (result.exit_code, result.jobs["rates"].sent) == (0, 6)
    sent = rates(world)
    assert {currency for _, currency, _ in sent[:3]} == {"USD"}, "the VMS's base comes before all others"
    assert sorted(sent) == [
        ("2026-10-26", "USD", Decimal("0.095227212128138")),
        ("2026-10-30", "EUR", Decimal("0.088397790055249")),
        ("2026-10-30", "JPY", Decimal("14.47178002894356")),
        ("2026-10-30", "SGD", Decimal("0.125")),
        ("2026-10-30", "USD", Decimal("0.094339622641509")),
        ("2026-11-02", "USD", Decimal("0.093457943925234")),
    ]


def test_a_rate_already_there_is_not_posted_again(world: Returns) -> None:
    result = world.run(RATES)
    assert (result.exit_code, result.jobs["rates"].sent) == (0, 0)
    assert len(rates(world)) == 6


def test_a_rate_that_was_corrected_is_a_break_until_overwritten(world: Returns) -> None:
    correction = quoted("EUR", "NOK", "11.4", "2026-10-30")
    world.sandbox.control("POST", "ledger/rates", correction)
    assert world.run(RATES).exit_code == 16
    [message] = world.breaks()["exchange rate differs"]
    assert "NOK to EUR of 2026-10-30 is 0.088397790055249 in the VMS and 0.087719298245614 in the ledger" in message
    result = world.run(RATES, RATES__OVERWRITE="true")
    assert (result.exit_code, result.jobs["rates"].sent, world.breaks()) == (0, 1, {})
    assert len(rates(world)) == 6
    assert ("2026-10-30", "EUR", Decimal("0.087719298245614")) in rates(world)
    assert world.run(RATES).exit_code == 0
