"""Bunker transactions, accruals, bunker adjustments and their reversals: the documents that become GL vouchers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.world import accounts as gl
from tests.world.amounts import from_cents, rounded
from tests.world.choice import between
from tests.world.companies import COMPANIES, NORWAY, SINGAPORE
from tests.world.drafts import RECEIVABLE, Draft, Line, company_amount, negated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.world.amounts import Rates
    from tests.world.encode import Json

SEPTEMBER = date(2026, 9, 30)
OCTOBER = date(2026, 10, 31)
_ON_HIRE = {SEPTEMBER: Decimal("17.00"), OCTOBER: Decimal("31.00")}
_REVERSAL = {"ACP": "ACR", "CAP": "CAR", "BAP": "BAR"}


@dataclass(frozen=True, slots=True)
class Accrual:
    """What is accrued on a voyage and account at the end of September and October, costs positive."""

    company: str
    voyage: str
    account: str
    currency: str
    september: str
    october: str
    kind: str = "ACP"
    control: str | None = gl.ACCRUED_COST


_ACCRUALS = (
    Accrual(NORWAY, "V002-2602", gl.AGENCY, "NOK", "48250.00", "12800.50"),
    Accrual(NORWAY, "V002-2602", gl.PORT_DUES, "NOK", "215000.00", "97400.25"),
    Accrual(NORWAY, "V003-2602", gl.HIRE, "USD", "191250.00", "38250.00"),
    Accrual(NORWAY, "V004-2602", gl.TOWAGE, "NOK", "66120.40", "-8300.00"),
    Accrual(NORWAY, "V004-2602", gl.FREIGHT, "USD", "-412000.00", "-158300.75", control=gl.ACCRUED_REVENUE),
    Accrual(NORWAY, "V005-2602", gl.BUNKERS, "USD", "84333.33", "120510.00"),
    Accrual(NORWAY, "V007-2602", gl.DEMURRAGE, "EUR", "-27500.00", "-27500.00", control=gl.ACCRUED_REVENUE),
    Accrual(NORWAY, "V008-2602", "4340", "USD", "64900.00", "0.01"),
    Accrual(SINGAPORE, "V009-2602", gl.AGENCY, "SGD", "7410.10", "3980.00"),
    Accrual(SINGAPORE, "V009-2602", gl.HIRE, "USD", "134800.00", "26960.00"),
    Accrual(NORWAY, "V010-2602", "7500", "NOK", "91000.00", "91000.00", kind="CAP"),
    Accrual(NORWAY, "V006-2602", gl.BUNKERS, "USD", "15720.50", "-4210.75", kind="BAP", control=gl.ACCRUED_BUNKERS),
    Accrual(SINGAPORE, "V009-2602", gl.BUNKERS, "USD", "22115.00", "18940.00", kind="BAP", control=gl.ACCRUED_BUNKERS),
)
# Held, accrual and reversal alike: no control account, or the line's own.
_HELD_ACCRUALS = (
    (
        Accrual(NORWAY, "V005-2602", gl.AGENCY, "NOK", "5000.00", "6000.00", control=None),
        "control_account_missing",
        "accrual without control account",
    ),
    (
        Accrual(NORWAY, "V010-2602", gl.BUNKERS, "USD", "3100.00", "2100.00", kind="BAP", control=gl.BUNKERS),
        "control_account_on_line",
        "bunker adjustment against the line's own account",
    ),
)


def _actual(accrual: Draft, booked: Sequence[Draft], *, since: date, rates: Rates) -> Decimal:
    """Give what was booked on the accrual's voyages and accounts, debit positive, in the accrual's currency.

    Actuals come from the ledger, so those of a company that is linked into the entity count as well.
    """
    places = {(line.voyage, line.account) for line in accrual.lines}
    total = Decimal("0.00")
    for draft in booked:
        is_there = COMPANIES[draft.company].owner == COMPANIES[accrual.company].owner
        if not is_there or not since <= draft.day <= accrual.day:
            continue
        sign = -1 if draft.kind in RECEIVABLE else 1
        for line in draft.lines:
            if (line.voyage, line.account) in places:
                total += sign * company_amount(draft, line, rates=rates)
    rate = rates.cross(accrual.day, of=COMPANIES[accrual.company].currency, to=accrual.currency)
    return rounded(total * rate, currency=accrual.currency)


def _estimates(accrual: Draft, *, booked: Sequence[Draft], rates: Rates) -> dict[str, Json]:
    """Give the members that only accruals have: the accrual is the estimate to date less the actual to date."""
    month = _actual(accrual, booked, since=accrual.day.replace(day=1), rates=rates)
    to_date = _actual(accrual, booked, since=date(accrual.day.year, 1, 1), rates=rates)
    return {
        "estimateAmount": month + accrual.total,
        "estimateAmountYtd": to_date + accrual.total,
        "estimateAmountTotal": rounded((to_date + accrual.total) * Decimal("1.25"), currency=accrual.currency),
        "accountAmount": month,
        "accountAmountYtd": to_date,
    }


def _accrual_pair(accrual: Accrual, day: date, *, place: int, has_reference: bool) -> tuple[Draft, Draft]:
    """Give the accrual on the last day of the period and its reversal on the first day of the next."""
    amount = Decimal(accrual.september if day == SEPTEMBER else accrual.october)
    line = Line(
        accrual.account,
        f"Accrual {day:%Y-%m} {accrual.voyage}",
        amount,
        accrual.voyage,
        quantity=_ON_HIRE[day],
        unit_price=None,
    )
    posted = Draft(
        f"{accrual.kind}{day:%y%m}-{place:03d}",
        accrual.kind,
        f"{accrual.kind} of {day:%Y-%m}",
        day,
        (line,),
        company=accrual.company,
        currency=accrual.currency,
        control=accrual.control,
        text=f"Accrual {day:%Y-%m}",
    )
    how = f"of {day:%Y-%m}, {'with' if has_reference else 'without'} refDocument"
    reversal = reversal_of(posted, how)
    return posted, reversal if has_reference else replace(reversal, reverses=None)


def reversal_of(accrual: Draft, how: str) -> Draft:
    """Give the reversal of an accrual, on the day after it and under the same number."""
    kind, after = _REVERSAL[accrual.kind], accrual.day + timedelta(days=1)
    number = f"{kind}{after:%y%m}-{accrual.number.partition('-')[2]}"
    return negated(accrual, number=number, kind=kind, branch=f"{kind} {how}", day=after)


def with_estimates(pairs: Iterable[tuple[Draft, Draft]], drafts: Sequence[Draft], *, rates: Rates) -> Iterator[Draft]:
    """Give accruals and their reversals one after the other, with the members that only these have.

    ``drafts`` are the invoices and bunker transactions that make up the actuals to date.
    """
    booked = [draft for draft in drafts if draft.outcome == "posted" or draft.status == "POS"]
    for posted, reversal in pairs:
        estimates = _estimates(posted, booked=booked, rates=rates)
        yield replace(posted, members=estimates)
        yield replace(reversal, members=estimates)


def _pairs() -> Iterator[tuple[Draft, Draft]]:
    for day in (SEPTEMBER, OCTOBER):
        for place, accrual in enumerate(_ACCRUALS, start=1):
            yield _accrual_pair(accrual, day, place=place, has_reference=place % 2 == 1)
    for place, (accrual, rule, branch) in enumerate(_HELD_ACCRUALS, start=901):
        posted, reversal = _accrual_pair(accrual, OCTOBER, place=place, has_reference=True)
        held: dict[str, Any] = {"branch": branch, "outcome": "held", "rules": (rule,)}
        # The reversal waits for the accrual as well.
        waits: dict[str, Any] = {**held, "rules": (rule, "original_not_sent")}
        yield replace(posted, **held), replace(reversal, **waits)


def accrual_drafts(drafts: Sequence[Draft], *, rates: Rates) -> Iterator[Draft]:
    """Give the accruals of September and October with their reversals."""
    return with_estimates(_pairs(), drafts, rates=rates)


def _bunker_transaction(number: str, *, company: str, vessel: str, day: date, account: str = gl.BUNKERS) -> Draft:
    quantity = Decimal(between(90, 320, of=f"{number} tonnes"))
    price = from_cents(between(50_000, 64_000, of=f"{number} price"))
    line = Line(account, "VLSFO consumed", quantity * price, f"{vessel}-2602", quantity=quantity, unit_price=price)
    return Draft(
        number,
        "ACC",
        "bunker transaction: consumption",
        day,
        (line,),
        company=company,
        control=gl.BUNKER_STOCK,
        text=f"Bunkers consumed {vessel} until {day}",
    )


def bunker_drafts() -> Iterator[Draft]:
    """Give bunker transactions (ACC in RFP), one of them reversed, one held."""
    for place in range(10):
        day = date(2026, 9, 14) + timedelta(days=5 * place)
        company, vessel = (NORWAY, f"V{place % 8 + 1:03d}") if (place + 1) % 5 else (SINGAPORE, "V009")
        yield _bunker_transaction(f"BT-26{place + 1:04d}", company=company, vessel=vessel, day=day)
    wrong = replace(
        _bunker_transaction("BT-260011", company=NORWAY, vessel="V002", day=date(2026, 10, 12)),
        branch="bunker transaction that is reversed",
    )
    yield wrong
    branch = "reversal of a bunker transaction"
    yield negated(wrong, number="BT-260012", kind="ACC", branch=branch, day=date(2026, 10, 19))
    on_itself = _bunker_transaction(
        "BT-260013", company=NORWAY, vessel="V004", day=date(2026, 10, 21), account=gl.BUNKER_STOCK
    )
    branch = "bunker transaction between the same account"
    yield replace(on_itself, branch=branch, outcome="held", rules=("control_account_on_line",))
