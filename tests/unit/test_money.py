"""Minor units of currencies."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipelines.core.money import minor_unit, minor_unit_table


@pytest.mark.parametrize(("currency", "units"), [("JPY", 0), ("NOK", 2), ("USD", 2), ("KWD", 3), ("CLF", 4)])
def test_a_currency_has_the_minor_units_of_iso_4217(currency: str, units: int) -> None:
    assert minor_unit(currency) == Decimal(1).scaleb(-units)


def test_the_list_holds_every_currency_with_minor_units() -> None:
    assert len(minor_unit_table()) == 165
    assert {"XAU", "XDR", "XTS", "XXX"}.isdisjoint(minor_unit_table())


@pytest.mark.parametrize("currency", ["CNH", "BGN", "HRK", "XAU", "XYZ"])
def test_a_currency_that_iso_4217_does_not_list_has_two_decimals(currency: str) -> None:
    assert minor_unit(currency) == Decimal("0.01")
