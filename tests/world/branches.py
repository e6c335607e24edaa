"""Documents that each take one branch of the mapping that everyday invoices do not take, and are posted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.world import accounts as gl
from tests.world import partners
from tests.world.amounts import CENT
from tests.world.companies import NORWAY, SINGAPORE
from tests.world.drafts import TODAY, Draft, Line, Term, due_in, negated, with_vat
from tests.world.fleet import HANDOVER

if TYPE_CHECKING:
    from collections.abc import Iterator

AGENT = "60526"
CHARTERER = "61001"
VOYAGE = "V002-2602"
DAY = date(2026, 10, 20)
_LONG_TEXT = (
    "Fortøyning, vakthold og forsyning av ferskvann ved Storneskaia 3. til 9. oktober, etter rederiets bestilling nr. "
    "4471 og avtale av 2. januar"
)


class Numbers:
    """Deals out document numbers."""

    def __init__(self, first: int) -> None:
        self._numbers = count(first)

    def next(self) -> str:
        """Give the next number."""
        return str(next(self._numbers))


def cost(amount: str, **changes: Any) -> Line:  # noqa: ANN401 the fields of Line, checked by it
    """Give one cost line of an agent's invoice."""
    return replace(Line(gl.AGENCY, "Agency fee", Decimal(amount).quantize(CENT), VOYAGE), **changes)


def payable(numbers: Numbers, branch: str, *lines: Line, **changes: Any) -> Draft:  # noqa: ANN401 the fields of Draft
    """Give an agent's invoice with one term, in dollars unless said otherwise."""
    number = numbers.next()
    draft = Draft(
        number,
        "INI",
        branch,
        DAY,
        lines or (cost("1840.55"),),
        partner=AGENT,
        external=f"B-{number}",
        terms=due_in(DAY, (30, "100")),
        text=branch,
    )
    return replace(draft, **changes)


def receivable(numbers: Numbers, branch: str, *lines: Line, **changes: Any) -> Draft:  # noqa: ANN401 the fields of Draft
    """Give a freight invoice with one term, in dollars unless said otherwise."""
    freight = Line(gl.FREIGHT, "Freight", Decimal("412650.40"), VOYAGE)
    number = numbers.next()
    draft = Draft(
        number, "INO", branch, DAY, lines or (freight,), partner=CHARTERER, terms=due_in(DAY, (10, "100")), text=branch
    )
    return replace(draft, **changes)


def worked_example() -> Draft:
    """Give the invoice that the mapping works out field by field, with its own company amounts."""
    agency = Line(gl.AGENCY, "Agency fee", Decimal("600.00"), "V001-2601", "1", company_amount=Decimal("6300.00"))
    towage = Line(gl.TOWAGE, "Towage", Decimal("400.00"), "V001-2601", "1", company_amount=Decimal("4200.00"))
    vat = Line("2710", "VAT", Decimal("250.00"), company_amount=Decimal("2625.00"))
    return Draft(
        "2707400",
        "INI",
        "the worked example of the mapping",
        TODAY,
        (agency, towage, vat),
        partner=AGENT,
        external="F-881|602243",
        terms=(Term(date(2026, 12, 1), Decimal("95.00")), Term(date(2027, 1, 1), Decimal("5.00"))),
        text="Bergen, November",
        key=5200777,
    )


def rounding(numbers: Numbers) -> Iterator[Draft]:
    """Amounts and shares that do not come out even."""
    thirds = (cost("33.33", vat="1"), cost("33.33", vat="1", account=gl.TOWAGE), cost("33.34", vat="1"))
    equal = (cost("10.01", vat="1", text="First day"), cost("10.01", vat="1", text="Second day"))
    meals = cost("333.33", vat="11", account="6800", text="Meals")
    two_rates = (cost("1000.05", vat="1"), meals, cost("80.00", vat="0"))
    yen = (cost("333", vat="1"), cost("334", vat="1", account=gl.TOWAGE))
    discount = (cost("950.00", vat="1"), cost("-47.50", vat="1", text="Discount 5 %"))
    near = (cost("500.00", vat="1"), cost("500.00", vat="1"), Line("2710", "VAT", Decimal("250.08")))
    yield payable(numbers, "VAT cents go to the largest remainder", *with_vat(thirds, currency="NOK"), currency="NOK")
    yield payable(numbers, "VAT cents of equal lines go to the first", *with_vat(equal, currency="NOK"), currency="NOK")
    yield payable(
        numbers,
        "VAT cents of a credit note",
        *with_vat([replace(line, amount=-line.amount) for line in thirds], currency="NOK"),
        kind="CRI",
        currency="NOK",
    )
    yield payable(
        numbers,
        "two VAT rates in one VAT line, a third line at 0 %",
        *with_vat(two_rates, currency="EUR", in_one_line=True),
        currency="EUR",
    )
    yield payable(numbers, "two VAT rates, a VAT line each", *with_vat(two_rates, currency="NOK"), currency="NOK")
    yield payable(numbers, "VAT shared in yen", *with_vat(yen, currency="JPY"), currency="JPY")
    yield payable(
        numbers, "a discount line has its share of the VAT", *with_vat(discount, currency="NOK"), currency="NOK"
    )
    yield payable(numbers, "VAT within the tolerance of the rate", *near, currency="NOK")
    yield payable(numbers, "half yen round away from zero", cost("12345.50"), cost("678.50"), currency="JPY")
    yield payable(
        numbers,
        "the total is three cents off the lines",
        cost("100.01"),
        cost("200.02"),
        members={"documentAmount": Decimal("300.06")},
    )
    yield payable(numbers, "a line of zero", cost("640.00"), cost("0.00", text="Gangway, free of charge"))
    yield payable(
        numbers,
        "thirds of an odd amount",
        cost("100.01"),
        terms=due_in(DAY, (30, "33.33"), (60, "33.33"), (90, "33.34")),
    )
    yield payable(numbers, "half and half of one cent", cost("0.01"), terms=due_in(DAY, (30, "50"), (60, "50")))
    yield payable(numbers, "terms in the wrong order", terms=due_in(DAY, (90, "5"), (10, "95")))
    yield payable(numbers, "two terms due on one day", terms=due_in(DAY, (30, "60"), (30, "40")))


def numbers_and_kids(numbers: Numbers) -> Iterator[Draft]:
    """External document numbers, KIDs behind the pipe, and texts."""
    for branch, external, warnings in (
        ("KID with a MOD10 digit", "K-1001|602243", ()),
        ("KID with a MOD11 digit", "K-1002|12343", ()),
        ("KID with a dash for a MOD11 digit of ten", "K-1003|23-", ()),
        ("blanks around the pipe", "  K-1004 | 1234567897 ", ()),
        ("nothing behind the pipe", "K-1005|", ()),
        ("KID with leading zeros", "K-1006|000125", ()),
        ("KID that fails both checks", "K-1007|000123", ("kid_invalid",)),
        ("a second pipe belongs to the KID", "K-1008|602243|9", ("kid_invalid",)),
    ):
        yield payable(numbers, branch, external=external, warnings=warnings)
    yield payable(numbers, "an external number, used the first time", external="K-1011")
    yield payable(
        numbers,
        "an external number the same partner used before",
        external="K-1011",
        warnings=("external_document_no_used",),
    )
    yield payable(numbers, "the same external number from another partner", external="K-1011", partner="60504")
    yield receivable(numbers, "sale with a KID alone", external="|2345676", partner="61010", currency="NOK")
    yield receivable(numbers, "sale with an empty external number", external="")
    yield receivable(numbers, "sale with an external number of blanks", external="   ")
    yield receivable(numbers, "sale with an external number", external="PO 4500017731", partner="61002")
    yield payable(numbers, "line text over 100 characters", cost("7450.00", text=_LONG_TEXT), currency="NOK")
    yield payable(
        numbers, "quotes, angle brackets and ampersand in the text", cost("88.10", text='Pump "B" <3" & seal> \\ 5')
    )
    yield payable(numbers, "lines without text", cost("410.00", text=None), cost("20.00", text=""))


def reversals(numbers: Numbers) -> Iterator[Draft]:
    """Reversals of invoices and credit notes, and credit notes of their own."""
    later = DAY + timedelta(days=6)
    for kind, opposite, make in (("INI", "CRI", payable), ("INO", "CRO", receivable)):
        original = make(numbers, f"{kind} that is reversed")
        yield original
        yield negated(original, number=numbers.next(), kind=opposite, branch=f"reversal of an {kind}", day=later)
    credit = payable(numbers, "CRI that is reversed", cost("-300.00"), kind="CRI")
    yield credit
    again = negated(
        credit, number=numbers.next(), kind="INI", branch="reversal of a CRI without external number", day=later
    )
    yield replace(again, external=None)
    taxed = payable(
        numbers, "INI with VAT that is reversed", *with_vat((cost("77.77", vat="1"),), currency="EUR"), currency="EUR"
    )
    yield taxed
    yield negated(taxed, number=numbers.next(), kind="CRI", branch="reversal with VAT at the old rate", day=later)
    yield payable(numbers, "credit note from a supplier without terms", cost("-512.00"), kind="CRI", terms=())
    yield receivable(
        numbers,
        "credit note to a customer without terms",
        Line(gl.FREIGHT, "Freight", Decimal("-9800.00"), VOYAGE),
        kind="CRO",
        terms=(),
    )
    yield payable(
        numbers,
        "credit note with two terms, both due on the batch date",
        cost("-1000.01"),
        kind="CRI",
        terms=due_in(DAY, (30, "50"), (60, "50")),
    )


def parties(numbers: Numbers) -> Iterator[Draft]:
    """Partners of every sort, and who stands on a line."""
    yield payable(numbers, "partner without address: FS", partner=partners.NO_ADDRESS)
    yield payable(
        numbers, "Singapore company, partner without address: FS", partner=partners.NO_ADDRESS, company=SINGAPORE
    )
    yield payable(numbers, "partner without bank account", partner=partners.NO_BANK, currency="NOK")
    yield payable(numbers, "partner code with a quote", partner=partners.QUOTED, currency="GBP")
    yield payable(numbers, "partner name of 80 characters", partner=partners.LONG_NAME, number="2026-BERGEN-SKOLTEN-07")
    yield payable(numbers, "IBAN that fails its check", partner=partners.BROKEN_IBAN, warnings=("iban_invalid",))
    yield payable(numbers, "supplier who is a customer too", partner="60560", currency="NOK")
    yield receivable(numbers, "customer who is a supplier too", partner="60560", currency="NOK")
    yield payable(numbers, "line partner equal to the document's", cost("1200.00", partner=AGENT))
    yield receivable(
        numbers,
        "line partner on a sale is left out",
        Line(gl.FREIGHT, "Freight", Decimal("300000.00"), VOYAGE),
        Line("3900", "Address commission 3.75 %", Decimal("-11250.00"), VOYAGE, partner="60550"),
    )
    yield payable(numbers, "Singapore supplier, Norwegian company: FS", partner="60506", currency="SGD")
    yield payable(
        numbers,
        "July invoice of a company whose July is open",
        cost("930.00", voyage="V004-2601"),
        company=SINGAPORE,
        partner="60506",
        currency="SGD",
        day=date(2026, 7, 14),
    )
    yield payable(
        numbers,
        "document date in the future",
        cost("75.25", voyage="V002-2603"),
        day=date(2026, 11, 20),
        warnings=("date_in_future",),
    )


def voyages(numbers: Numbers) -> Iterator[Draft]:
    """Whether the lines agree on vessel and voyage."""
    yield payable(numbers, "lines agree on the voyage", cost("100.00"), cost("50.00"))
    yield payable(
        numbers,
        "lines agree on the vessel alone",
        cost("100.00"),
        cost("50.00", voyage="V002-2601"),
        day=HANDOVER,
        terms=due_in(HANDOVER, (30, "100")),
    )
    yield payable(numbers, "lines on two vessels", cost("100.00"), cost("50.00", voyage="V008-2602"))
    yield payable(numbers, "a line without voyage disagrees", cost("100.00"), cost("50.00", voyage=None))
    yield payable(numbers, "no line has a voyage", cost("100.00", voyage=None))
    aside = with_vat((cost("100.00", vat="1"),), currency="NOK")
    yield payable(numbers, "a VAT line without voyage is left aside", *aside, currency="NOK")
    elsewhere = (aside[0], replace(aside[1], voyage="V009-2602"))
    yield payable(numbers, "a VAT line on another voyage is left aside", *elsewhere, currency="NOK")
    many = [cost("12.35", text=f"Item {place + 1}") for place in range(499)]
    yield payable(numbers, "500 lines in all, the most there may be", *many, company=NORWAY, text=None)


def branch_drafts(*, first_number: int) -> Iterator[Draft]:
    """Give all of them."""
    numbers = Numbers(first_number)
    for drafts in (rounding, numbers_and_kids, reversals, parties, voyages):
        yield from drafts(numbers)
    yield worked_example()
