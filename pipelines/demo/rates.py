"""Compares exchange rates: each day and pair that the ledger has published, and each that the VMS holds."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.demo.compared import ComparisonResult, Row

if TYPE_CHECKING:
    from datetime import date

    from pipelines.demo.books import Books

# The VMS may round (docs/mapping.md#4).
_TOLERANCE = Decimal("0.000001")


def compare_rates(books: Books, expected: Row, *, today: date) -> ComparisonResult:
    """Compare every rate up to today with the other side's; ``expected`` names those that differ on purpose."""
    result = ComparisonResult("rates")
    # The ledger may publish tomorrow's rate today; the VMS gets it when its day has come.
    published = {key: rate for key, rate in books.ledger_rates.items() if key[0] <= today.isoformat()}
    for key in sorted(published.keys() | books.vms_rates.keys()):
        vms, ledger = books.vms_rates.get(key), published.get(key)
        subject = " ".join(key)
        why = expected.get(subject)
        both = f"{_shown(vms)} in the VMS, {_shown(ledger)} in the ledger"
        # Relative: a rate of 0.06 and one of 150 are rounded at different places.
        agrees = vms is not None and ledger is not None and abs(vms - ledger) <= ledger * _TOLERANCE
        result.judge(subject, both, agrees=agrees, fits=agrees is (why is None), why=why)
    return result


def _shown(rate: Decimal | None) -> str:
    return "none" if rate is None else f"{rate:.9f}"
