"""Vouchers that people booked in the ledger by hand: the invoices from before go-live, and voyage costs of its own."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.world import accounts as gl
from tests.world.amounts import from_cents, rounded
from tests.world.bills import ledger_number
from tests.world.choice import between, pick
from tests.world.companies import COMPANIES, NORWAY, SINGAPORE
from tests.world.drafts import INVOICES, RECEIVABLE, Draft
from tests.world.fleet import VOYAGES, voyage_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.world.amounts import Rates
    from tests.world.encode import Row

_JOURNALS = 125
_LINES = 4
_FIRST_DAY = date(2026, 8, 1)
_COSTS = ("5010", "6551", "6700", "7500", "7770")
_TEXTS = {
    "5010": "Crew wages and travel",
    "6551": "Stores bought ashore",
    "6700": "Class survey",
    "7500": "War risk premium",
    "7770": "Bank charges",
}


def _invoice_lines(draft: Draft) -> Iterator[Row]:
    """Give control line and detail lines; the invoices from before go-live are in company currency, without VAT."""
    company = COMPANIES[draft.company]
    sign = 1 if draft.kind in RECEIVABLE else -1
    control = company.receivables if draft.kind in RECEIVABLE else company.payables
    total = str(sign * draft.total)
    yield {
        "account": control,
        "amount": total,
        "invoiceAmount": total,
        "currency": draft.currency,
        "subledger": draft.partner,
        "invoiceNumber": ledger_number(draft),
        "dueDate": str(draft.terms[0].due),
        "text": draft.text,
    }
    for line in draft.lines:
        amount = str(-sign * line.amount)
        vessel = VOYAGES[line.voyage].vessel if line.voyage else None
        yield {
            "account": line.account,
            "amount": amount,
            "invoiceAmount": amount,
            "currency": draft.currency,
            "glObject1": vessel,
            "project": line.voyage,
            "text": line.text,
        }


def invoice_vouchers(drafts: Iterable[Draft]) -> Iterator[Row]:
    """Give the vouchers of the invoices that are posted in the VMS already."""
    for draft in drafts:
        if draft.kind in INVOICES:
            yield {
                "owner": COMPANIES[draft.company].owner,
                "source": "AR" if draft.kind in RECEIVABLE else "AP",
                "postedDate": draft.day.isoformat(),
                "text": f"{draft.number} posted by hand",
                "imported": False,
                "lines": list(_invoice_lines(draft)),
            }


def _journal(place: int, *, rates: Rates) -> Row:
    """Give one journal of voyage costs against the bank; every tenth one corrects an earlier cost downwards."""
    of = f"journal {place}"
    company = COMPANIES[SINGAPORE if place % 6 == 0 else NORWAY]
    currency = pick((company.currency, company.currency, "USD"), of=f"{of} currency")
    day = _FIRST_DAY + timedelta(days=between(0, 90, of=f"{of} day"))
    voyage = voyage_on(f"V{between(3, 6, of=f'{of} vessel'):03d}", day)
    rate = rates.cross(day, of=currency, to=company.currency)
    sign = 1 if (place + 1) % 10 else -1
    lines: list[Row] = []
    total, in_company = Decimal("0.00"), Decimal("0.00")
    for line in range(_LINES):
        account = pick(_COSTS, of=f"{of} account {line}")
        amount = sign * from_cents(between(9_000, 4_500_000, of=f"{of} amount {line}"))
        company_amount = rounded(amount * rate, currency=company.currency)
        total, in_company = total + amount, in_company + company_amount
        lines.append(
            {
                "account": account,
                "amount": str(company_amount),
                "invoiceAmount": str(amount),
                "currency": currency,
                "glObject1": VOYAGES[voyage].vessel,
                "project": voyage,
                "text": _TEXTS[account],
            }
        )
    lines.append(
        {
            "account": gl.BANK,
            "amount": str(-in_company),
            "invoiceAmount": str(-total),
            "currency": currency,
            "text": "Paid",
        }
    )
    return {
        "owner": company.owner,
        "source": "GL",
        "postedDate": day.isoformat(),
        "text": f"Voyage costs {voyage}",
        "imported": False,
        "lines": lines,
    }


def journals(*, rates: Rates) -> Iterator[Row]:
    """Give journals of voyage costs that only the ledger knows: 500 postings that become actuals in the VMS."""
    for place in range(_JOURNALS):
        yield _journal(place, rates=rates)
