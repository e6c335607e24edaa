"""Rounding to a currency's minor units, and the reference rates by which the VMS fills company amounts."""

from __future__ import annotations

import csv
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MINOR_UNITS = {"JPY": 0}
CENT = Decimal("0.01")
_RATE_DIGITS = Decimal("0.000000001")


def rounded(value: Decimal, *, currency: str) -> Decimal:
    """Round half away from zero to the currency's minor units, written with the two decimals of a VMS amount."""
    unit = Decimal(1).scaleb(-MINOR_UNITS.get(currency, 2))
    return value.quantize(unit, rounding=ROUND_HALF_UP).quantize(CENT)


def from_cents(cents: int) -> Decimal:
    """Give an amount with two decimals."""
    return Decimal(cents).scaleb(-2)


@dataclass(frozen=True, slots=True)
class Rates:
    """Units of each currency for one euro, by bank day (European Central Bank)."""

    days: tuple[date, ...]
    per_euro: tuple[Mapping[str, Decimal], ...]

    @classmethod
    def read(cls, path: Path) -> Rates:
        """Read a file with the columns rate_date, currency and units_per_eur; raises OSError and KeyError."""
        by_day: dict[date, dict[str, Decimal]] = {}
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                day = by_day.setdefault(date.fromisoformat(row["rate_date"]), {"EUR": Decimal(1)})
                day[row["currency"]] = Decimal(row["units_per_eur"])
        days = tuple(sorted(by_day))
        return cls(days=days, per_euro=tuple(by_day[day] for day in days))

    def cross(self, day: date, *, of: str, to: str) -> Decimal:
        """Give the price of one unit of ``of`` in ``to`` on the last bank day up to ``day``, to 9 decimals.

        A day before the first bank day takes the first one's rates. Raises KeyError for a currency without a rate.
        """
        if of == to:
            return Decimal(1)
        per_euro = self.per_euro[max(0, bisect_right(self.days, day) - 1)]
        return (per_euro[to] / per_euro[of]).quantize(_RATE_DIGITS, rounding=ROUND_HALF_UP)
