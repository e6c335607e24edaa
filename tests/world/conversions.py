"""Payments of which something stays in the ledger: other currencies, gain and loss, bank charges, rounding."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.world.amounts import rounded
from tests.world.bills import is_foreign, is_purchase, is_sale, payment_day
from tests.world.choice import between
from tests.world.desk import ZERO, Money

if TYPE_CHECKING:
    from tests.world.amounts import Rates
    from tests.world.bills import Bill, Pool
    from tests.world.desk import Desk
    from tests.world.encode import Row

_GAIN, _LOSS, _CHARGES = "8060", "8160", "7770"


def pay_otherwise(desk: Desk, pool: Pool, *, rates: Rates) -> None:
    """Pay bills in foreign currency in every such way, on both sides."""
    for is_kind in (is_purchase, is_sale):
        for bill in pool.take(5, is_kind, is_foreign):
            _convert(desk, bill, bill.size, currency=bill.company_currency, rates=rates)
        for bill in pool.take(2, is_kind, is_foreign, _is_not_in_dollars):
            _convert(desk, bill, bill.size, currency="USD", rates=rates)
        for bill in pool.take(4, is_kind, is_foreign):
            _convert(desk, bill, bill.size, currency=bill.draft.currency, rates=rates)
        for bill in pool.take(3, is_kind, is_foreign):
            _pay_less(desk, "bank charges kept from the transfer", bill, Decimal(between(5, 45, of=bill.number)))
        for bill in pool.take(2, is_kind, is_foreign):
            _pay_less(desk, "a few cents of rounding", bill, Decimal("0.04"))
    for bill in pool.take(3, is_purchase, is_foreign):
        _pay_in_two_currencies(desk, bill, rates=rates)


def _is_not_in_dollars(bill: Bill) -> bool:
    return bill.draft.currency != "USD"


def _convert(desk: Desk, bill: Bill, size: Decimal, *, currency: str, rates: Rates) -> None:
    """Pay at the day's rate; what that and the booked rate are apart is a row of its own."""
    day, company = payment_day(bill), bill.company_currency
    amount, in_company = (
        rounded(size * rates.cross(day, of=bill.draft.currency, to=to), currency=to) for to in (currency, company)
    )
    is_other = currency != bill.draft.currency
    shows = "paid in another currency" if is_other else "an exchange gain or loss stays in the ledger"
    gap = (bill.in_company(size) - in_company) * (1 if bill.side == "AP" else -1)
    row = _beside(
        company if is_other else currency,
        gap if is_other else ZERO,
        gap,
        text="Exchange difference",
        account=_LOSS if gap < 0 else _GAIN,
    )
    desk.pay(shows, [(bill, size)], money=Money(currency, amount, in_company), beside=[row] if gap else [], day=day)


def _pay_less(desk: Desk, shows: str, bill: Bill, less: Decimal) -> None:
    kept = bill.in_company(less)
    money = Money(bill.draft.currency, bill.size - less, bill.booked - kept)
    sign = 1 if bill.side == "AP" else -1
    row = _beside(bill.draft.currency, sign * less, sign * kept, text=shows, account=_CHARGES)
    desk.pay(shows, [(bill, bill.size)], money=money, beside=[row])


def _pay_in_two_currencies(desk: Desk, bill: Bill, *, rates: Rates) -> None:
    half = bill.part(50)
    desk.pay("two transfers in two currencies on one bill", [(bill, half)])
    _convert(desk, bill, bill.size - half, currency=bill.company_currency, rates=rates)


def _beside(currency: str, amount: Decimal, company: Decimal, *, text: str, account: str) -> Row:
    amounts: Row = {"currency": currency, "amount": str(amount), "company_amount": str(company)}
    return {**amounts, "text": text, "account": account}
