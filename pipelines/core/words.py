"""How values are written for people."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

LONGEST_VALUE = 300


def show(value: object) -> str:
    """Write a value for people: amounts without idle zeros, nothing as 'none', text on one line and not too long.

    >>> show(Decimal("1250.5000")), show(Decimal("95.0000")), show(None)
    ('1,250.50', '95', 'none')
    """
    match value:
        case None:
            return "none"
        case Decimal():
            return _show_amount(value)
        case date():
            return value.isoformat()
        case _:
            line = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
            return line if len(line) <= LONGEST_VALUE else line[: LONGEST_VALUE - 1] + "…"


def _show_amount(amount: Decimal) -> str:
    whole, _, decimals = f"{amount:,f}".partition(".")
    decimals = decimals.rstrip("0")
    return f"{whole}.{decimals:0<2}" if decimals else whole
