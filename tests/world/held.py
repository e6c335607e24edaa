"""Documents that are held: one or more for each posting requirement, each with nothing else wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.world import accounts as gl
from tests.world import fleet, partners
from tests.world.branches import DAY, VOYAGE, Numbers, cost, payable, receivable
from tests.world.companies import LEFT_OUT, LINKED, UNKNOWN
from tests.world.drafts import Draft, Line, Term, due_in, negated, with_vat

if TYPE_CHECKING:
    from collections.abc import Iterator

_JULY = date(2026, 7, 21)


def _held(draft: Draft, rule: str, **changes: Any) -> Draft:  # noqa: ANN401 the fields of Draft, checked by it
    return replace(draft, outcome="held", rules=(rule,), **changes)


def _accounts(numbers: Numbers) -> Iterator[Draft]:
    yield _held(
        payable(numbers, "a line without GL account", cost("700.00"), cost("55.00", account=None)), "gl_account_missing"
    )
    yield _held(receivable(numbers, "sale of a company without ARX account", company=LINKED), "control_account_missing")
    unknown = cost("700.00", account=gl.UNKNOWN_ACCOUNT)
    yield _held(payable(numbers, "a GL account the ledger does not have", unknown), "account_missing")


def _numbers_and_partners(numbers: Numbers) -> Iterator[Draft]:
    for branch, external in (
        ("purchase without external number", None),
        ("purchase with an external number of blanks", "  "),
        ("purchase with a KID alone", "|602243"),
    ):
        yield _held(payable(numbers, branch, external=external), "external_document_no_missing")
    credit = payable(numbers, "credit note without external number", cost("-90.00"), kind="CRI", external=None)
    yield _held(credit, "external_document_no_missing")
    yield _held(payable(numbers, "purchase from a charterer", partner="61001"), "partner_is_charterer")
    yield _held(payable(numbers, "purchase without partner", partner=None), "partner_missing")
    yield _held(receivable(numbers, "sale without partner", partner=None), "partner_missing")
    yield _held(
        payable(numbers, "partner type that is mapped to nothing", partner=partners.UNMAPPED), "supplier_missing"
    )
    yield _held(payable(numbers, "purchase from a pure customer", partner="61012"), "supplier_missing")
    yield _held(
        payable(numbers, "supplier code that the ledger holds twice", partner=partners.TWICE), "supplier_missing"
    )
    yield _held(receivable(numbers, "sale to a pure supplier", partner="60504"), "customer_missing")


def _terms(numbers: Numbers) -> Iterator[Draft]:
    yield _held(payable(numbers, "purchase without terms", terms=()), "due_date_missing")
    yield _held(receivable(numbers, "sale without terms", terms=()), "due_date_missing")
    half = due_in(DAY, (30, "50"))[0]
    no_share = (half, replace(half, percentage=None))
    yield _held(payable(numbers, "a term without percentage", terms=no_share), "payment_terms_incomplete")
    no_date = (half, Term(None, Decimal("50.00")))
    yield _held(payable(numbers, "a term without due date", terms=no_date), "payment_terms_incomplete")
    yield _held(payable(numbers, "terms of 95 %", terms=due_in(DAY, (10, "90"), (30, "5"))), "payment_terms_not_100")
    yield _held(
        receivable(numbers, "thirds of 33.33", terms=due_in(DAY, (1, "33.33"), (2, "33.33"), (3, "33.33"))),
        "payment_terms_not_100",
    )


def _amounts(numbers: Numbers) -> Iterator[Draft]:
    off = payable(numbers, "lines ten dollars off the total", members={"documentAmount": Decimal("1850.55")})
    yield _held(off, "voucher_not_balanced")
    in_company = payable(
        numbers,
        "lines off the total in company currency alone",
        cost("100.00"),
        currency="NOK",
        members={"companyCurrencyAmount": Decimal("111.00")},
    )
    yield _held(in_company, "voucher_not_balanced")
    wrong_rate = (cost("1000.00", vat="1"), Line("2710", "VAT at 20 %", Decimal("200.00")))
    yield _held(payable(numbers, "VAT at 20 % on a code of 25 %", *wrong_rate, currency="NOK"), "vat_not_at_rate")
    no_vat = cost("1000.00", vat="11", account="6800")
    yield _held(payable(numbers, "a taxed line without VAT line", no_vat, currency="NOK"), "vat_not_at_rate")
    untaxed = (cost("1000.00"), Line("2710", "VAT", Decimal("250.00")))
    yield _held(payable(numbers, "a VAT line without taxed line", *untaxed, currency="NOK"), "vat_without_taxed_line")
    no_lines = {"documentAmount": Decimal("500.00"), "companyCurrencyAmount": Decimal("4615.00"), "documentLines": []}
    yield _held(payable(numbers, "no lines", members={**no_lines}), "no_lines")
    no_amount = {"documentAmount": None, "companyCurrencyAmount": None, "sourceCurrencyAmount": None}
    yield _held(payable(numbers, "no amount", members={**no_amount}), "amount_missing")
    many = [Line(gl.AGENCY, f"Item {place + 1}", Decimal("1.00"), VOYAGE) for place in range(501)]
    yield _held(payable(numbers, "501 lines", *many), "too_many_lines")


def _places(numbers: Numbers) -> Iterator[Draft]:
    yield _held(payable(numbers, "company that no entity stands for", company=UNKNOWN), "company_unknown")
    yield _held(payable(numbers, "document key over 32 bit", key=5_000_000_123), "document_key_too_large")
    for branch, changes in (
        ("July invoice, July is closed", {}),
        ("July invoice of the linked company", {"company": LINKED}),
    ):
        july = payable(numbers, branch, cost("610.00", voyage="V002-2601"), day=_JULY, terms=due_in(_JULY, (30, "100")))
        yield _held(july, "period_closed", **changes)
    freight = Line(gl.FREIGHT, "Freight", Decimal("90000.00"), "V005-2601")
    sale = receivable(numbers, "July sale, July is closed", freight)
    yield _held(sale, "period_closed", day=_JULY, terms=due_in(_JULY, (10, "95"), (40, "5")))
    estimate = cost("300.00", voyage="V007-26E2")
    yield _held(payable(numbers, "voyage that is still an estimate", estimate), "voyage_missing")
    for branch, reference in (
        ("voyage that is a budget", "V002-26B1"),
        ("voyage that is a template", "V004-26T1"),
        ("nominated voyage flagged as an estimate", "V006-26E1"),
    ):
        yield _held(payable(numbers, branch, cost("300.00", voyage=reference)), "voyage_missing")
    twice = cost("300.00", voyage=f"{fleet.TWICE_VESSEL}-2602")
    yield _held(payable(numbers, "vessel code that the ledger holds twice", twice), "vessel_missing")
    pool = cost("300.00", voyage=f"{fleet.ICE_VESSEL}-2602")
    yield _held(payable(numbers, "vessel in a pool the ledger has no XGL for", pool), "dimension_missing")
    rule = with_vat((cost("300.00", vat="31"),), currency="NOK")
    yield _held(payable(numbers, "VAT code the ledger has no tax rule for", *rule, currency="NOK"), "tax_rule_missing")
    yield _held(
        payable(numbers, "currency the ledger does not have", partner="60510", currency="CNY"), "currency_missing"
    )


def _kinds(numbers: Numbers) -> Iterator[Draft]:
    other = cost("300.00", currency="EUR", text="Paid in euros")
    yield _held(payable(numbers, "a line in another currency", cost("500.00"), other), "line_currency_differs")
    branch = "company of the ledger that no setting names"
    yield _held(payable(numbers, branch, company=LEFT_OUT, currency="NOK"), "company_unknown")
    base = Line("2710", "VAT 25 %", Decimal("150.00"), vat="1", quantity=Decimal("600.00"), unit_price=Decimal("0.25"))
    found = (cost("500.00"), cost("200.00"), base)
    yield _held(
        payable(numbers, "a VAT line whose base is no line's", *found, currency="NOK"), "vat_without_taxed_line"
    )
    closed = cost("430.00", voyage="V003-2601")
    yield _held(payable(numbers, "voyage whose project the ledger has closed", closed), "project_not_open")
    original = _held(
        payable(numbers, "purchase that is held and reversed", cost("95.00"), terms=()), "due_date_missing"
    )
    yield original
    reversal = negated(original, number=numbers.next(), kind="CRI", branch="reversal of what is held", day=DAY)
    yield _held(reversal, "original_not_sent")
    taxed = (cost("400.00"), Line("2710", "VAT 25 %", Decimal("100.00")))
    accrual = Draft("BT-260015", "ACC", "a VAT line on a bunker transaction", DAY, taxed, control=gl.BUNKER_STOCK)
    yield _held(accrual, "vat_on_gl_document")


def held_drafts(*, first_number: int) -> Iterator[Draft]:
    """Give all of them."""
    numbers = Numbers(first_number)
    for drafts in (_accounts, _numbers_and_partners, _terms, _amounts, _places, _kinds):
        yield from drafts(numbers)


def rejected_drafts(*, first_number: int) -> Iterator[Draft]:
    """Give documents that break the contract of the VMS's own API and are set aside with their text."""
    numbers = Numbers(first_number)
    for branch, members in (
        ("an amount that is text", {"documentAmount": "abc"}),
        ("an amount of 30 digits", {"documentAmount": Decimal("123456789012345678901234567890.00")}),
        ("no document date", {"documentDate": None}),
        ("no currency", {"documentCurrency": None}),
    ):
        yield replace(payable(numbers, branch, members={**members}), outcome="rejected")
