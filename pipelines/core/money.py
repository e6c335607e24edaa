"""Money: minor units of a currency, the one way to round, and shares that add up."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from functools import cache

from pipelines.core.errors import SpringlineError
from pipelines.core.resources import seeds_folder

# A DECIMAL(38,18) times another has up to 76 digits; the default context of 28 would round, or refuse to.
EXACT = Context(prec=80)


@cache
def minor_unit_table() -> dict[str, int]:
    """Return the decimals of every currency of ISO 4217 that has any (data/seeds/currencies.csv): JPY 0, NOK 2, KWD 3.

    Gold, special drawing rights and the codes for testing have none and are left out.
    """
    with (seeds_folder() / "currencies.csv").open(encoding="utf-8", newline="") as file:
        return {row["currency_code"]: int(row["minor_units"]) for row in csv.DictReader(file) if row["minor_units"]}


def minor_units(currency: str) -> int:
    """Return the number of decimals of a currency.

    Raises SpringlineError when ISO 4217 has no such currency, or none with minor units.
    """
    try:
        return minor_unit_table()[currency]
    except KeyError:
        message = f"{currency!r} is no currency of ISO 4217 with minor units."
        raise SpringlineError(message, next_step="correct the currency where the amount comes from.") from None


def minor_unit(currency: str) -> Decimal:
    """Return the smallest amount of a currency.

    >>> minor_unit("NOK"), minor_unit("JPY")
    (Decimal('0.01'), Decimal('1'))
    """
    return Decimal(1).scaleb(-minor_units(currency))


def round_money(amount: Decimal, *, currency: str) -> Decimal:
    """Round an amount to its currency's minor units, half away from zero (mapping.md, rounding).

    >>> round_money(Decimal("-0.125"), currency="NOK"), round_money(Decimal("2.5"), currency="JPY")
    (Decimal('-0.13'), Decimal('3'))
    """
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP, context=EXACT)


def allocate(total: Decimal, *, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Share an amount of a currency out in proportion to weights, in whole minor units (mapping.md 1.3).

    Shares are cut toward zero; the units left over, with the sign of the rest, go one each to the largest remainders
    on that side, ties to the first. A weight of zero has no share. The shares add up to ``total`` and each is less
    than one minor unit from its exact proportion, also when weights have different signs.

    >>> [str(share) for share in allocate(Decimal("100.00"), weights=[Decimal(1)] * 3, currency="NOK")]
    ['33.34', '33.33', '33.33']

    Raises ValueError when the weights add up to zero, or the total is no whole number of minor units.
    """
    with localcontext(EXACT):
        unit = minor_unit(currency)
        units = total / unit
        weight_total = sum(weights, Decimal(0))
        if weight_total == 0 or units != units.to_integral_value():
            message = f"{total} {currency} cannot be shared out by weights that add up to {weight_total}."
            raise ValueError(message)
        # `//` and `%` of Decimal cut toward zero, and the remainders stay exact, where a quotient would not.
        shares = [units * weight // weight_total for weight in weights]
        remainders = [(units * weight % weight_total).copy_sign(units * weight * weight_total) for weight in weights]
        rest = units - sum(shares, Decimal(0))
        side = Decimal(1).copy_sign(rest)
        for place in sorted(range(len(weights)), key=lambda place: -side * remainders[place])[: int(abs(rest))]:
            shares[place] += side
        return [(share * unit).quantize(unit) for share in shares]
