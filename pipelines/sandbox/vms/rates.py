"""Conversion by the exchange rates that the VMS itself holds (docs/systems/vms.md#3-7)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from pipelines.sandbox.vms.errors import ApiError

if TYPE_CHECKING:
    from datetime import date

    from pipelines.sandbox.vms.store import VmsStore

# ISO 4217; all others have two. VMS amounts have their currency's decimals (docs/systems/vms.md#v10).
_DECIMALS = {"ISK": 0, "JPY": 0, "KRW": 0, "BHD": 3, "KWD": 3, "OMR": 3}


def rounded(amount: Decimal, *, currency: str) -> Decimal:
    """Round half away from zero to the currency's decimals."""
    return amount.quantize(Decimal(1).scaleb(-_DECIMALS.get(currency, 2)), rounding=ROUND_HALF_UP)


def latest_rates(store: VmsStore, *, day: date) -> dict[tuple[int, int], Decimal]:
    """Give, per pair (from, to) of currency keys, the price of one ``from`` on the last day not after ``day``."""
    latest: dict[tuple[int, int], tuple[str, Decimal]] = {}
    for row in store.tables["ExchangeRate"].values():
        on, rate = row.get("exchangeRateDate"), row.get("exchangeRate")
        if not isinstance(on, str) or not isinstance(rate, int | Decimal) or rate <= 0 or on[:10] > day.isoformat():
            continue
        pair = (row["fromCurrency"], row["currency"])
        # Of two rates of one day the later entry wins.
        if pair not in latest or on >= latest[pair][0]:
            latest[pair] = (on, Decimal(rate))
    return {pair: rate for pair, (_, rate) in latest.items()}


def price(store: VmsStore, rates: dict[tuple[int, int], Decimal], *, of: int, to: int) -> Decimal:
    """Give the price of one unit of ``of`` in ``to``: straight, inverted, or through a third currency.

    Raises ApiError 400 naming the pair when the VMS holds no rate for it.
    """
    if of == to:
        return Decimal(1)
    both = rates | {(back, forth): 1 / rate for (forth, back), rate in rates.items() if (back, forth) not in rates}
    if (of, to) in both:
        return both[of, to]
    # Sorted, so that the same rates always give the same price.
    for middle in sorted({pair[1] for pair in both if pair[0] == of}):
        if (middle, to) in both:
            return both[of, middle] * both[middle, to]
    names = f"{store.code_of('Currency', of)} and {store.code_of('Currency', to)}"
    raise ApiError(f"There is no exchange rate between {names}.")
