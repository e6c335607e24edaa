"""Compares what is paid and open of each invoice, and what became of each transfer of money in the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from pipelines.core.words import amount
from pipelines.demo.compared import ComparisonResult, Row

if TYPE_CHECKING:
    from pipelines.demo.books import Books, LedgerRow, VmsDocument

_TYPES = ("PMI", "PMO")
_POSTED = "POS"
_ZERO = Decimal(0)
_NOTHING: Row = {"settled": 0, "paid": 0, "documents": 0, "type": None, "why": None}
# Transfers that never go to the VMS.
_NEVER_SENT = frozenset({"commission of a detail line", "invoice from before go-live", "no invoice leg"})


@dataclass(slots=True)
class Standing:
    """What the ledger says of one invoice, seen from the invoice: a credit note's figures are negative."""

    transferred: Decimal = _ZERO
    netted: Decimal = _ZERO
    still_open: Decimal = _ZERO

    @property
    def settled(self) -> Decimal:
        """What is settled in all."""
        return self.transferred + self.netted


def compare_invoices(books: Books, expected: Mapping[str, Row]) -> ComparisonResult:
    """Compare what is paid and open of each booked invoice with the payments and receipts that the VMS has of it."""
    result = ComparisonResult("payments")
    paid = _payments_by(books, "settles")
    for key, standing in sorted(_standings(books).items()):
        document, own = books.documents[key], paid.pop(key, [])
        currency = document.currency
        meant = expected.get(document.number, _NOTHING)
        # The VMS signs a payment against its invoice; here paid and open have the invoice's sign.
        in_vms = -sum((one.amount for one in own), _ZERO)
        agrees = (in_vms, document.amount - in_vms) == (standing.transferred, standing.still_open)
        both = (
            f"paid {amount(in_vms, currency)} and open {amount(document.amount - in_vms, currency)} in the VMS, "
            f"{amount(standing.transferred, currency)} and {amount(standing.still_open, currency)} in the ledger"
        )
        fits = _is_as_meant(standing, own, meant)
        result.judge(f"{document.type} {document.number}", both, agrees=agrees, fits=fits, why=meant["why"])
    for key, own in paid.items():
        numbers = ", ".join(one.number for one in own)
        result.judge(numbers, f"they settle document {key}, which is not in the ledger", agrees=False, fits=False)
    return result


def compare_transfers(books: Books, expected: Mapping[str, str], undone: frozenset[str]) -> ComparisonResult:
    """Look for the documents of each transfer of money: they must add up to what the ledger says it settles.

    ``expected`` says by text which find no place and why; those of ``undone`` invoices have all their documents in
    the VMS still, because a payment that was transferred is never taken back.
    """
    result = ComparisonResult("transfers")
    by_row = _payments_by(books, "external_number")
    for row in (row for row in books.rows if row.is_payment):
        # Taken out: what is left at the end stands for no transfer at all.
        own = by_row.pop(str(row.row), [])
        why = expected.get(row.text)
        is_undone = any(books.documents[one.settles].number in undone for one in own)
        parts, settled = sum((one.source_amount for one in own), _ZERO), _settled_by(row)
        both = (
            f"{amount(parts, row.currency)} in {len(own)} documents of the VMS, "
            f"{amount(settled, row.currency)} in the ledger"
        )
        # What is only settled in part has no share in company currency yet that could be compared.
        agrees = parts == settled and (row.remaining != 0 or _is_whole(row, own))
        if why is None and is_undone:
            why = "match undone"
        fits = not own if why in _NEVER_SENT else bool(own) or why is not None
        result.judge(row.text, both, agrees=agrees, fits=fits, why=why)
    for row_id, own in by_row.items():
        result.judge(own[0].number, f"row {row_id} is no payment in the ledger", agrees=False, fits=False)
    return result


def _settled_by(row: LedgerRow) -> Decimal:
    """Give what a transfer settles with the sign of the VMS, where a supplier's payment is negative.

    Source: docs/mapping.md#3.
    """
    return (row.amount - row.remaining) * (-1 if row.side == "AP" else 1)


def _is_whole(row: LedgerRow, own: Sequence[VmsDocument]) -> bool:
    """Tell whether the documents of a transfer that is settled in full add up to it in company currency too."""
    in_company = sum((one.company_amount for one in own), _ZERO)
    return in_company == row.company_amount * (-1 if row.side == "AP" else 1)


def _standings(books: Books) -> dict[int, Standing]:
    """Add up the rows of each invoice that was imported: those of its own partner, not a broker's on a detail line."""
    # What is matched with money is transferred; what is matched with a credit note is netted, and the VMS gets no
    # payment of it.
    paying = {row.in_match for row in books.rows if row.is_payment and row.match}
    standings: dict[int, Standing] = {}
    for row in books.rows:
        document = books.documents.get(row.imported_as)
        if not row.side or document is None or row.partner != document.partner:
            continue
        sign = -1 if row.side == "AP" else 1
        standing = standings.setdefault(document.key, Standing())
        standing.still_open += sign * row.remaining
        if row.in_match in paying:
            standing.transferred += sign * (row.amount - row.remaining)
        else:
            standing.netted += sign * (row.amount - row.remaining)
    return standings


def _payments_by(books: Books, name: Literal["settles", "external_number"]) -> dict[Any, list[VmsDocument]]:
    """Group the VMS's payments and receipts by the invoice that each settles, or by the ledger's row it stands for."""
    payments: dict[Any, list[VmsDocument]] = {}
    for document in books.documents.values():
        if document.type in _TYPES and document.status == _POSTED:
            payments.setdefault(getattr(document, name), []).append(document)
    return payments


def _is_as_meant(standing: Standing, own: Sequence[VmsDocument], meant: Row) -> bool:
    """Tell whether an invoice stands where the actions of the sample world were made to bring it."""
    figures = (abs(standing.settled), sum((one.amount for one in own), _ZERO), len(own))
    return figures == (Decimal(meant["settled"]), Decimal(meant["paid"]), meant["documents"]) and {
        one.type for one in own
    } <= {meant["type"]}
