"""Minor units, rounding and shares."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipelines.core.errors import SpringlineError
from pipelines.core.money import allocate, minor_unit, minor_unit_table, minor_units, round_money


@pytest.mark.parametrize(("currency", "units"), [("JPY", 0), ("NOK", 2), ("USD", 2), ("KWD", 3), ("CLF", 4)])
def test_a_currency_has_the_minor_units_of_iso_4217(currency: str, units: int) -> None:
    assert minor_units(currency) == units
    assert minor_unit(currency) == Decimal(1).scaleb(-units)


def test_the_list_holds_every_currency_with_minor_units() -> None:
    assert len(minor_unit_table()) == 165
    assert {"XAU", "XDR", "XTS", "XXX"}.isdisjoint(minor_unit_table())


@pytest.mark.parametrize("currency", ["XAU", "nok", "", "ZZZ"])
def test_a_currency_nobody_knows_is_refused(currency: str) -> None:
    with pytest.raises(SpringlineError, match="no currency of ISO 4217"):
        minor_units(currency)


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("0.005", "NOK", "0.01"),
        ("-0.005", "NOK", "-0.01"),
        ("0.0049999", "NOK", "0.00"),
        ("0.5", "JPY", "1"),
        ("-2.5", "JPY", "-3"),
        ("1.0005", "KWD", "1.001"),
        ("12345678901234567890.123456789012345678", "NOK", "12345678901234567890.12"),
    ],
)
def test_rounding_goes_half_away_from_zero(amount: str, currency: str, rounded: str) -> None:
    assert str(round_money(Decimal(amount), currency=currency)) == rounded


@pytest.mark.parametrize(
    ("total", "weights", "currency", "shares"),
    [
        ("250.00", ["150", "100"], "USD", ["150.00", "100.00"]),
        ("0.05", ["1", "1", "1"], "NOK", ["0.02", "0.02", "0.01"]),
        ("-0.05", ["1", "1", "1"], "NOK", ["-0.02", "-0.02", "-0.01"]),
        ("100", ["1", "1", "1"], "JPY", ["34", "33", "33"]),
        ("1.000", ["1", "5"], "KWD", ["0.167", "0.833"]),
        ("0.01", ["0", "1", "0"], "NOK", ["0.00", "0.01", "0.00"]),
        ("0.01", ["1", "2", "2"], "NOK", ["0.00", "0.01", "0.00"]),
        ("10.00", ["-1", "2"], "NOK", ["-10.00", "20.00"]),
        ("0.10", ["-1", "4"], "NOK", ["-0.03", "0.13"]),
    ],
)
def test_shares_are_cut_and_the_rest_goes_by_remainder(
    total: str, weights: list[str], currency: str, shares: list[str]
) -> None:
    shared = allocate(Decimal(total), weights=[Decimal(weight) for weight in weights], currency=currency)
    assert [str(share) for share in shared] == shares


@pytest.mark.parametrize(("total", "weights"), [("1.00", []), ("1.00", ["1", "-1"]), ("1.00", ["0"]), ("0.001", ["1"])])
def test_what_cannot_be_shared_out_is_refused(total: str, weights: list[str]) -> None:
    with pytest.raises(ValueError, match="cannot be shared out"):
        allocate(Decimal(total), weights=[Decimal(weight) for weight in weights], currency="NOK")


amounts = st.decimals(min_value=-(10**20), max_value=10**20, allow_nan=False, allow_infinity=False, places=2)
weights = st.lists(st.decimals(min_value=-(10**12), max_value=10**12, places=9), min_size=1, max_size=12)


@given(amounts, weights, st.sampled_from(["JPY", "NOK", "KWD"]))
def test_shares_add_up_and_are_within_one_unit(amount: Decimal, weights: list[Decimal], currency: str) -> None:
    total, weight_total = round_money(amount, currency=currency), sum(weights, Decimal(0))
    assume(weight_total != 0)
    shares = allocate(total, weights=weights, currency=currency)
    # In whole numbers, since no division is exact.
    scale, unit = 10**9, minor_unit(currency)
    numbers = [int(weight * scale) for weight in weights]
    whole = sum(numbers)
    units = [int(share / unit) for share in shares]
    assert sum(units) == int(total / unit)
    assert all(
        abs(share * whole - int(total / unit) * number) < abs(whole)
        for share, number in zip(units, numbers, strict=True)
    )
    assert all(share == 0 for share, number in zip(units, numbers, strict=True) if number == 0)
    assert all(share.as_tuple().exponent == unit.as_tuple().exponent for share in shares)


@given(amounts)
def test_rounding_twice_changes_nothing(amount: Decimal) -> None:
    once = round_money(amount, currency="JPY")
    assert round_money(once, currency="JPY") == once
    assert abs(once - amount) <= Decimal("0.5")
