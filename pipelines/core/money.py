"""How many decimals each currency has; amounts themselves are rounded in SQL alone."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from pipelines.core.resources import seed_file

# For a currency that ISO 4217 does not know, and where none is given.
USUAL_DECIMALS = 2


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

    Whether a currency may be used is the ledger's to say (map.open_documents); one that ISO 4217 does not list, as CNH,
    or lists no longer, has two decimals like most.

    >>> minor_unit("CNH")
    Decimal('0.01')
    """
    return Decimal(1).scaleb(-minor_unit_table().get(currency, USUAL_DECIMALS))
