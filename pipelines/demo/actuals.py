"""Compares actuals: the ledger's own rows of voyages against the documents in the VMS (mapping.md 5)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from pipelines.core.words import amount, number
from pipelines.demo.compared import Compared, Row, Tally

if TYPE_CHECKING:
    from pipelines.demo.books import Books, Document, LedgerRow

_ACTUAL, _POSTED = "ACC", "POS"
# What came from these documents the VMS has already; invoices that came from it are actuals.
_ECHOES = frozenset({"ACC", "ACP", "ACR", "CAP", "CAR", "BAP", "BAR"})


class Group(NamedTuple):
    """Entity, month, voyage, account and currency."""

    owner: str
    month: str
    voyage: str
    account: str
    currency: str


def compare_actuals(books: Books, expected: Mapping[str, Row]) -> Compared:
    """Add up both sides by entity, month, voyage, account and currency, and hold them against each other.

    ``expected`` says by how much a group of the ledger differs on purpose, in both its currencies, and why.
    """
    tally = Tally("actuals")
    in_ledger, in_vms = _ledger_sums(books), _vms_sums(books)
    for group in sorted(in_ledger.keys() | in_vms.keys()):
        (ledger, ledger_company), (vms, vms_company) = in_ledger[group], in_vms[group]
        subject = " ".join(group)
        wanted = expected.get(subject, {"gap": 0, "why": None})
        gap = Decimal(wanted["gap"])
        both = (
            f"{amount(vms, group.currency)} ({number(vms_company, None)} in company currency) in the VMS, "
            f"{amount(ledger, group.currency)} ({number(ledger_company, None)}) in the ledger"
        )
        agrees = (vms, vms_company) == (ledger, ledger_company)
        fits = (ledger - vms, ledger_company - vms_company) == (gap, gap)
        tally.judge(subject, both, agrees=agrees, fits=fits, why=wanted["why"])
    return tally.result()


def group_of(row: LedgerRow) -> Group:
    """Give the group of a row of the ledger."""
    return Group(str(row.owner), row.day[:7], row.project, row.account, row.currency)


class _Sums(dict[Group, tuple[Decimal, Decimal]]):
    """Amounts in the group's currency and in the company's."""

    def __missing__(self, group: Group) -> tuple[Decimal, Decimal]:
        return Decimal(0), Decimal(0)

    def add(self, group: Group, amount: Decimal, company_amount: Decimal) -> None:
        before, company_before = self[group]
        self[group] = before + amount, company_before + company_amount


def _ledger_sums(books: Books) -> _Sums:
    sums = _Sums()
    for row in books.rows:
        sent = books.documents.get(row.imported_as)
        is_echo = sent is not None and sent.type in _ECHOES
        if row.project and not row.is_balance_sheet and not is_echo:
            sums.add(group_of(row), row.amount, row.company_amount)
    return sums


def _vms_sums(books: Books) -> _Sums:
    """Add up the actuals; a bunker transaction is one too, but it came from here: the ledger has its voucher."""
    sums = _Sums()
    for document in books.documents.values():
        is_actual = document.type == _ACTUAL and document.status == _POSTED
        if is_actual and document.key not in books.vouchers:
            sums.add(_group(document), document.amount, document.company_amount)
    return sums


def _group(document: Document) -> Group:
    return Group(document.company, document.day[:7], document.voyage, document.account, document.currency)
