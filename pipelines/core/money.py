"""How many decimals each currency has; amounts themselves are rounded in SQL alone."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from pipelines.core.errors import SpringlineError
from pipelines.core.resources import seed_file


# Read once: the file is part of the release.
@cache
def minor_unit_table() -> dict[str, int]:
    """Return the decimals of every currency of ISO 4217 that has any (data/seeds/currencies.csv): JPY 0, NOK 2, KWD 3.

    Gold, special drawing rights and the codes for testing have none and are left out.
    """
    return {row["currency_code"]: int(row["minor_units"]) for row in seed_file("currencies") if row["minor_units"]}


def minor_unit(currency: str) -> Decimal:
    """Return the smallest amount of a currency.

    >>> minor_unit("NOK"), minor_unit("JPY")
    (Decimal('0.01'), Decimal('1'))

    Raises SpringlineError when ISO 4217 has no such currency, or none with minor units: an amount in it is not sent.
    """
    try:
        return Decimal(1).scaleb(-minor_unit_table()[currency])
    except KeyError:
        message = f"{currency!r} is no currency of ISO 4217 with minor units."
        raise SpringlineError(message, next_step="correct the currency where the amount comes from.") from None
