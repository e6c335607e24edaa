"""Compares actuals: the ledger's own rows of voyages against the documents in the VMS (docs/mapping.md#5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from pipelines.core.words import amount, number
from pipelines.demo.compared import ComparisonResult, Row

if TYPE_CHECKING:
    from pipelines.demo.books import Books, LedgerRow

_ACTUAL, _POSTED = "ACC", "POS"
# Vouchers of these document types repeat what the VMS has already. Vouchers of its invoices are actuals.
_ECHOES = frozenset({"ACC", "ACP", "ACR", "CAP", "CAR", "BAP", "BAR"})


class Group(NamedTuple):
    """Entity, month, voyage, account and currency."""

    owner: str
    month: str
    voyage: str
    account: str
    currency: str


# Amounts in the group's currency and in the company's.
_Amounts = tuple[Decimal, Decimal]


def compare_actuals(books: Books, expected: Mapping[str, Row]) -> ComparisonResult:
    """Add up both sides by entity, month, voyage, account and currency, and compare the sums.

    ``expected`` says by how much a group of the ledger differs on purpose, in both its currencies, and why.
    """
    result = ComparisonResult("actuals")
    in_ledger, in_vms = _sums(_ledger_amounts(books)), _sums(_vms_amounts(books))
    for group in sorted(in_ledger.keys() | in_vms.keys()):
        (ledger, ledger_company), (vms, vms_company) = in_ledger[group], in_vms[group]
        subject = " ".join(group)
        meant = expected.get(subject, {"gap": 0, "why": None})
        gap = Decimal(meant["gap"])
        both = (
            f"{amount(vms, group.currency)} ({number(vms_company, None)} in company currency) in the VMS, "
            f"{amount(ledger, group.currency)} ({number(ledger_company, None)}) in the ledger"
        )
        # To the last decimal: a sum may hide two errors, a group of one voyage, account and month hardly does.
        agrees = (vms, vms_company) == (ledger, ledger_company)
        fits = (ledger - vms, ledger_company - vms_company) == (gap, gap)
        result.judge(subject, both, agrees=agrees, fits=fits, why=meant["why"])
    return result


def group_of(row: LedgerRow) -> Group:
    """Return the group of a row of the ledger."""
    return Group(str(row.owner), row.day[:7], row.project, row.account, row.currency)


def _ledger_amounts(books: Books) -> Iterator[tuple[Group, _Amounts]]:
    for row in books.rows:
        source = books.documents.get(row.imported_as)
        is_echo = source is not None and source.type in _ECHOES
        # The same test as the product's, written a second time on purpose: what both get wrong alike nobody would see.
        if row.project and not row.is_balance_sheet and not is_echo:
            yield group_of(row), (row.amount, row.company_amount)


def _vms_amounts(books: Books) -> Iterator[tuple[Group, _Amounts]]:
    """Yield the actuals. A bunker transaction has their type too, but has a voucher in the ledger: it is left out."""
    for document in books.documents.values():
        is_actual = document.type == _ACTUAL and document.status == _POSTED
        if is_actual and document.key not in books.vouchers:
            group = Group(document.company, document.day[:7], document.voyage, document.account, document.currency)
            yield group, (document.amount, document.company_amount)


def _sums(amounts: Iterable[tuple[Group, _Amounts]]) -> defaultdict[Group, _Amounts]:
    sums: defaultdict[Group, _Amounts] = defaultdict(lambda: (Decimal(0), Decimal(0)))
    for group, (own, company) in amounts:
        before, company_before = sums[group]
        sums[group] = before + own, company_before + company
    return sums
