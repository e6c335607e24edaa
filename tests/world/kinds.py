"""One or a few documents of each kind that only some installations have: by vessel codes, contra accounts, commissions.

Those that are held stand in tests/world/held.py.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from tests.world import accounts as gl
from tests.world.branches import Numbers, cost, payable
from tests.world.drafts import Draft, Line, due_in
from tests.world.period_end import OCTOBER, reversal_of, with_estimates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.world.amounts import Rates

# No accrual of the other tables stands on this voyage.
VOYAGE = "V001-2602"
_INSURANCE = "7500"
# The vessel that had another code until the end of August, and a day before and after.
_TAKEN_OVER = "V010-2601"
_BEFORE, _AFTER = date(2026, 8, 20), date(2026, 9, 3)
_BUNKERS_MOVED = Decimal("18240.00")


def vat_line(base: str, code: str, amount: str) -> Line:
    """Give a VAT line that carries the rate: its quantity is what it taxes."""
    net, vat = Decimal(base), Decimal(amount)
    return Line("2710", f"VAT of {net}", vat, vat=code, quantity=net, unit_price=vat / net)


def _vessels(numbers: Numbers) -> Iterator[Draft]:
    own = cost("2150.00", voyage=None, vessel="V001")
    yield payable(numbers, "a vessel code on the line, and no voyage", own)
    apart = cost("780.00", voyage=VOYAGE, vessel="V008")
    yield payable(numbers, "a vessel code on the line goes before those of its voyage", apart)
    for day, branch in ((_BEFORE, "a vessel under its former code"), (_AFTER, "a vessel under its present code")):
        terms = due_in(day, (30, "100"))
        yield payable(numbers, branch, cost("1325.40", voyage=_TAKEN_OVER), day=day, terms=terms)


def _after_the_voyage(numbers: Numbers) -> Iterator[Draft]:
    """Projects that Springline makes have no end, since invoices come long after a voyage."""
    late = cost("2890.00", voyage="V008-2601")
    yield payable(numbers, "an invoice after its voyage has ended", late)


def _lines(numbers: Numbers) -> Iterator[Draft]:
    other = cost("64.00", partner="60504", text="Charged on by Elbe")
    yield payable(numbers, "another partner on a line that is no commission: no subledger", cost("910.00"), other)
    of_all = (cost("800.00"), cost("200.00", account=gl.TOWAGE), vat_line("1000.00", "1", "250.00"))
    yield payable(numbers, "a VAT line that carries the rate, of all lines", *of_all, currency="NOK")
    of_one = (cost("640.00"), cost("310.00", account="6800", text="Meals"), vat_line("640.00", "1", "160.00"))
    yield payable(numbers, "a VAT line that carries the rate, of one line", *of_one, currency="NOK")
    of_each = (*of_one, vat_line("310.00", "11", "46.50"))
    yield payable(numbers, "two VAT lines that carry the rate, a line each", *of_each, currency="NOK")
    branch = "a supplier whose changed bank account waits: the ledger's is sent"
    yield payable(numbers, branch, cost("1475.00"), partner="60504", currency="EUR")


def kind_drafts(*, first_number: int) -> Iterator[Draft]:
    """Give the invoices among them, and a bunker transaction that carries both sides itself."""
    numbers = Numbers(first_number)
    for drafts in (_vessels, _lines, _after_the_voyage):
        yield from drafts(numbers)
    given = Line(gl.BUNKERS, "VLSFO handed over by Skarvøy Vik", _BUNKERS_MOVED, VOYAGE)
    taken = replace(given, text="VLSFO handed over to Skarvøy Tind", amount=-_BUNKERS_MOVED, voyage="V008-2602")
    branch = "bunker transaction that carries both sides: no control line"
    yield Draft("BT-260014", "ACC", branch, date(2026, 10, 22), (given, taken), text=branch)


_Lines: TypeAlias = tuple[tuple[str, str], ...]


def _accrual(kind: str, place: int, branch: str, currency: str, lines: _Lines) -> Draft:
    accounts = tuple(
        Line(account, f"Accrual 2026-10 {VOYAGE}", Decimal(amount), VOYAGE, quantity=Decimal("31.00"), has_account=True)
        for account, amount in lines
    )
    number = f"{kind}{OCTOBER:%y%m}-{place:03d}"
    return Draft(number, kind, f"{kind} {branch}", OCTOBER, accounts, currency=currency, text="Accrual 2026-10")


_BY_ACCOUNT = "whose line's account names the contra account"
_ACCRUALS: tuple[tuple[str, str, str, _Lines], ...] = (
    ("ACP", f"of costs {_BY_ACCOUNT}", "NOK", ((gl.PORT_DUES, "58300.00"),)),
    ("ACP", f"of revenue {_BY_ACCOUNT}", "USD", ((gl.FREIGHT, "-98400.00"),)),
    (
        "ACP",
        "with two contra accounts",
        "USD",
        ((gl.AGENCY, "7150.00"), (gl.BUNKERS, "36200.00"), (gl.TOWAGE, "940.00")),
    ),
    ("CAP", _BY_ACCOUNT, "NOK", ((_INSURANCE, "42600.00"),)),
)


def by_account_drafts(drafts: Sequence[Draft], *, rates: Rates) -> Iterator[Draft]:
    """Give accruals and a capitalisation of October without an account of their own, and their reversals."""
    accruals = [
        _accrual(kind, 14 + place, branch, currency, lines)
        for place, (kind, branch, currency, lines) in enumerate(_ACCRUALS)
    ]
    pairs = ((one, reversal_of(one, one.branch.partition(" ")[2])) for one in accruals)
    return with_estimates(pairs, drafts, rates=rates)
