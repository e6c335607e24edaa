"""Payments that find no place in the VMS: brokers' commissions, invoices from before go-live, money that went back."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.world import accounts as gl
from tests.world.bills import is_sale
from tests.world.desk import Money, own_money

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.world.bills import Bill, Pool
    from tests.world.desk import Desk

COMMISSION = "commission of a detail line"
_BEFORE = "invoice from before go-live"
_SENT_BACK = "no invoice leg"


def has_commission(bill: Bill) -> bool:
    """Tell an invoice that withholds a broker's commission."""
    return any(line.account == gl.COMMISSION_PAYABLE for line in bill.draft.lines)


def pay_commissions(desk: Desk, hires: Iterable[Bill]) -> None:
    """Pay the brokers what invoices of hire withhold for them on lines of their own."""
    for bill in hires:
        for line in bill.draft.lines:
            if line.account == gl.COMMISSION_PAYABLE:
                size = abs(line.amount)
                desk.deposit(
                    "a broker's commission",
                    bill,
                    Money(bill.draft.currency, size, bill.in_company(size)),
                    reason=COMMISSION,
                    partner=line.partner,
                    match=[{"invoice_number": bill.number, "amount": str(size)}],
                )


def pay_from_before(desk: Desk, before: Iterable[Bill]) -> None:
    """Pay invoices that people posted in both systems before go-live."""
    for bill in before:
        match = [{"invoice_number": bill.number, "amount": str(bill.size)}]
        desk.deposit(f"an {_BEFORE}", bill, own_money([(bill, bill.size)]), reason=_BEFORE, match=match)


def send_back(desk: Desk, pool: Pool) -> None:
    """Match money that came by mistake with its own return."""
    (bill,) = pool.take(1, is_sale)
    shows, money = "money that came by mistake and went back", Money(bill.company_currency, *[Decimal("7500.00")] * 2)
    came = desk.deposit(shows, bill, money, reason=_SENT_BACK)
    back = desk.deposit(shows, bill, money, reason=_SENT_BACK, refund=True)
    desk.do("match/named", shows, {**came.subledger(), "rows": [{"text": came.text}, {"text": back.text}]})
