"""Minor units of currencies."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipelines.core.errors import SpringlineError
from pipelines.core.money import minor_unit, minor_unit_table


@pytest.mark.parametrize(("currency", "units"), [("JPY", 0), ("NOK", 2), ("USD", 2), ("KWD", 3), ("CLF", 4)])
def test_a_currency_has_the_minor_units_of_iso_4217(currency: str, units: int) -> None:
    assert minor_unit(currency) == Decimal(1).scaleb(-units)


def test_the_list_holds_every_currency_with_minor_units() -> None:
    assert len(minor_unit_table()) == 165
    assert {"XAU", "XDR", "XTS", "XXX"}.isdisjoint(minor_unit_table())


@pytest.mark.parametrize("currency", ["XAU", "nok", "", "ZZZ"])
def test_a_currency_nobody_knows_is_refused(currency: str) -> None:
    with pytest.raises(SpringlineError, match="no currency of ISO 4217"):
        minor_unit(currency)
