"""A document before it is written: its lines, its terms, and what is expected to become of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.world.accounts import vms_account_code
from tests.world.amounts import CENT, rounded
from tests.world.catalogue import VATS
from tests.world.companies import COMPANIES, NORWAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.world.amounts import Rates
    from tests.world.encode import Json, Row

PAYABLE = ("INI", "CRI")
RECEIVABLE = ("INO", "CRO")
INVOICES = (*PAYABLE, *RECEIVABLE)
_PAYABLES_MODULE = (*PAYABLE, "APR", "PMO")
TODAY = date(2026, 11, 2)


@dataclass(frozen=True, slots=True)
class Line:
    """One document line; amounts in document currency, ``vat`` a VAT code."""

    account: str | None
    text: str | None
    amount: Decimal
    voyage: str | None = None
    vat: str | None = None
    partner: str | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    company_amount: Decimal | None = None  # in place of the one at the day's rate
    vessel: str | None = None  # a vessel code of the line's own
    currency: str | None = None  # in place of the document's
    commission: str | None = None  # percent, where the VMS marks the line as a commission
    has_account: bool = False  # refers to the VMS account of its GL account
    slices: Mapping[str, Json] = field(default_factory=dict)  # what the line belongs to: port call, claim and so on


@dataclass(frozen=True, slots=True)
class Term:
    """One payment term."""

    due: date | None
    percentage: Decimal | None


@dataclass(frozen=True, slots=True)
class Draft:
    """One document, and the outcome it is made for: posted, held, rejected, shown or ignored."""

    number: str
    kind: str
    branch: str
    day: date
    lines: tuple[Line, ...]
    company: str = NORWAY
    partner: str | None = None
    currency: str = "USD"
    terms: tuple[Term, ...] = ()
    external: str | None = None
    text: str | None = None
    status: str = "RFP"
    control: str | None = None
    reverses: str | None = None
    key: int | None = None
    rate_day: date | None = None  # whose rates fill the company amounts, when it is not the document's own
    outcome: str = "posted"
    rules: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    members: Mapping[str, Json] = field(default_factory=dict)  # written over those of the document

    @property
    def total(self) -> Decimal:
        """The sum of the lines in document currency, VAT lines included."""
        return sum((line.amount for line in self.lines), Decimal("0.00"))


def due_in(day: date, *shares: tuple[int, str]) -> tuple[Term, ...]:
    """Give terms by days after the document date and percentage."""
    return tuple(Term(day + timedelta(days=days), Decimal(percentage).quantize(CENT)) for days, percentage in shares)


def with_vat(lines: Sequence[Line], *, currency: str, in_one_line: bool = False) -> tuple[Line, ...]:
    """Append the VAT lines: one for each code, or one for all of them.

    A VAT line carries its own rate where its code is a purchase's, as some installations write it.
    """
    nets: dict[str, Decimal] = {}
    for line in lines:
        if line.vat is not None and VATS[line.vat].account is not None:
            nets[line.vat] = nets.get(line.vat, Decimal(0)) + line.amount
    vat_lines = [
        Line(
            VATS[code].account,
            f"VAT {VATS[code].rate * 100:.0f} %",
            rounded(net * VATS[code].rate, currency=currency),
            vat=code if VATS[code].account == "2710" else None,
            quantity=net,
            unit_price=VATS[code].rate,
        )
        for code, net in nets.items()
    ]
    if in_one_line and vat_lines:
        total = sum((line.amount for line in vat_lines), Decimal(0))
        vat_lines = [Line(vat_lines[0].account, "VAT", total)]
    return (*lines, *vat_lines)


def negated(draft: Draft, *, number: str, kind: str, branch: str, day: date) -> Draft:
    """Give the reversal as the VMS makes it.

    Amounts are negated in both currencies, so at the original's rates; its due dates stay; lines refer to it.
    """
    lines = tuple(
        replace(
            line,
            amount=-line.amount,
            quantity=None if line.quantity is None else -line.quantity,
            company_amount=None if line.company_amount is None else -line.company_amount,
        )
        for line in draft.lines
    )
    return replace(
        draft,
        number=number,
        kind=kind,
        branch=branch,
        day=day,
        rate_day=draft.rate_day or draft.day,
        lines=lines,
        reverses=draft.number,
        key=None,
        status="RFP",
        outcome="posted",
    )


def company_amount(draft: Draft, line: Line, *, rates: Rates) -> Decimal:
    """Give a line's amount in the currency of the company, at the rate of the document date."""
    if line.company_amount is not None:
        return line.company_amount
    return _converted(draft, line.amount, rates=rates)


def total_in_company(draft: Draft, *, rates: Rates) -> Decimal:
    """Give the total in the currency of the company: converted as a whole, or the sum of the lines' own amounts."""
    if any(line.company_amount is not None for line in draft.lines):
        return sum((company_amount(draft, line, rates=rates) for line in draft.lines), Decimal("0.00"))
    return _converted(draft, draft.total, rates=rates)


def _converted(draft: Draft, amount: Decimal, *, rates: Rates) -> Decimal:
    currency = COMPANIES[draft.company].currency
    return rounded(amount * rates.cross(draft.rate_day or draft.day, of=draft.currency, to=currency), currency=currency)


def _line_row(draft: Draft, line: Line, *, rates: Rates) -> Iterator[tuple[str, Json]]:
    """Give the members of a line that hold something; what is unset is left to the VMS."""
    yield "documentAmount", line.amount
    yield "companyCurrencyAmount", company_amount(draft, line, rates=rates)
    yield "sourceCurrencyAmount", line.amount
    yield "glAccount", line.account
    yield "documentLineText", line.text
    if line.quantity is not None:
        yield "quantity", line.quantity
        yield "unitPrice", line.unit_price
    if draft.kind in {*_PAYABLES_MODULE, *RECEIVABLE}:
        yield "isAccountsPayable", draft.kind in _PAYABLES_MODULE
    if line.vat is not None:
        yield "vatRate", {"vatRate": VATS[line.vat].rate, "vat": line.vat}
    if line.partner is not None:
        yield "businessPartner", line.partner
    if draft.reverses is not None:
        yield "refDocument", draft.reverses
    if line.voyage is not None:
        yield "voyage", line.voyage
    yield from _own_members(line)


def _own_members(line: Line) -> Iterator[tuple[str, Json]]:
    """Give what only some installations have on a line."""
    if line.commission is not None:
        yield "commission", {"commissionPercent": Decimal(line.commission), "commissionAmount": abs(line.amount)}
    if line.currency is not None:
        yield "documentCurrency", line.currency
    if line.has_account and line.account is not None:
        yield "account", vms_account_code(line.account)
    if line.vessel is not None:
        yield "vesselCode", line.vessel
    yield from line.slices.items()


def _moment(day: date | None) -> str | None:
    return None if day is None else f"{day}T00:00:00"


def document_row(draft: Draft, *, key: int, rates: Rates) -> Row:
    """Give the document as one would POST it, with its fixed key.

    The header's company amount is the converted total, so the converted lines may differ from it by a cent each.
    """
    total = draft.total
    row: dict[str, Json] = {
        "key": key,
        "documentType": draft.kind,
        "documentNo": draft.number,
        "externalDocumentNo": draft.external,
        "documentText": draft.text,
        "documentDate": _moment(draft.day),
        "documentAmount": total,
        "companyCurrencyAmount": total_in_company(draft, rates=rates),
        "sourceCurrencyAmount": total,
        "documentCurrency": draft.currency,
        "company": draft.company,
        "businessPartner": draft.partner,
        "invoicingStatus": draft.status,
        "glAccount": draft.control,
        "modifiedDate": f"{min(draft.day, TODAY)}T07:30:00",
        "documentPaymentTerms": [{"dueDate": _moment(term.due), "percentage": term.percentage} for term in draft.terms],
        "documentLines": [dict(_line_row(draft, line, rates=rates)) for line in draft.lines],
    }
    return {**row, **draft.members}
