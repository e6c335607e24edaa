"""The first payments after the vouchers are booked: every way in which transfers and bills settle each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.world.bills import (
    is_credit_in,
    is_credit_out,
    is_in_terms,
    is_payable,
    is_plain,
    is_purchase,
    is_receivable,
    is_sale,
    payment_day,
)
from tests.world.choice import between
from tests.world.desk import own_money
from tests.world.partners import PARTNERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.world.bills import Bill, Pool
    from tests.world.desk import Desk, Shares, Transfer

NOT_MATCHED = "not matched"
_BOTH_SIDES = (is_purchase, is_sale)


@dataclass(slots=True)
class Unfinished:
    """What the later stage goes on with."""

    part_paid: list[Bill] = field(default_factory=list)
    first_term_paid: list[Bill] = field(default_factory=list)
    deposits: list[tuple[Transfer, Bill]] = field(default_factory=list)
    growing: list[tuple[Transfer, Bill]] = field(default_factory=list)
    fleeting: list[tuple[Transfer, list[Bill]]] = field(default_factory=list)


def in_full(*bills: Bill) -> list[tuple[Bill, Decimal]]:
    """Pair bills with all there is of them."""
    return [(bill, bill.size) for bill in bills]


def pay_in_full(desk: Desk, pool: Pool) -> None:
    """One transfer, one bill, to the cent."""
    for is_kind, count in ((is_purchase, 36), (is_sale, 20)):
        for bill in pool.take(count, is_kind):
            desk.pay("paid in full", in_full(bill))


def pay_in_part(desk: Desk, pool: Pool, unfinished: Unfinished) -> None:
    """A part of a bill, and the first of its payment terms."""
    for is_kind in _BOTH_SIDES:
        for bill in pool.take(6, is_kind, is_plain):
            percent = between(20, 70, of=f"part of {bill.draft.number}")
            desk.pay("paid in part", [(bill, bill.part(percent))])
            unfinished.part_paid.append(bill)
        for bill in pool.take(4, is_kind, is_in_terms):
            desk.pay("the first payment term alone", [(bill, bill.first_term())])
            unfinished.first_term_paid.append(bill)


def pay_many(desk: Desk, pool: Pool) -> None:
    """One transfer over several bills, several on one, and many to many."""
    for count, is_kind in ((4, is_purchase), (3, is_purchase), (2, is_purchase), (3, is_sale), (2, is_sale)):
        for _ in range(2):
            desk.pay("one transfer over several bills", in_full(*pool.take_alike(count, is_kind, is_plain)))
    for count, is_kind in ((2, is_purchase), (3, is_purchase), (2, is_sale), (3, is_sale)):
        (bill,) = pool.take(1, is_kind, is_plain)
        _pay_in_turn(desk, "several transfers on one bill", [[(bill, size)] for size in _cut(bill, count)])
    for is_kind in (is_purchase, is_sale, is_purchase):
        first, common, last = pool.take_alike(3, is_kind, is_plain)
        begun = common.part(40)
        payments = [[*in_full(first), (common, begun)], [(common, common.size - begun), *in_full(last)]]
        _pay_in_turn(desk, "two transfers over three bills, one of them in common", payments)


def _cut(bill: Bill, count: int) -> list[Decimal]:
    share = bill.part(100 // count)
    return [*[share] * (count - 1), bill.size - share * (count - 1)]


def _pay_in_turn(desk: Desk, shows: str, payments: Sequence[Shares]) -> None:
    """Pay on rising days, since payments fill bills in that order."""
    day = None
    for shares in payments:
        day = payment_day(*(bill for bill, _ in shares), after=day)
        desk.pay(shows, shares, day=day)


def net(desk: Desk, pool: Pool) -> None:
    """Credit notes and reversals in a match: without a transfer, and beside one."""
    for original, reversal in pool.take_reversed():
        desk.net("a reversal netted with what it takes back, no transfer", in_full(original, reversal))
    for is_own in (is_receivable, is_payable):
        invoice, credit = pool.take_with_credit(is_own)
        desk.net("a credit note netted, no transfer", [(invoice, credit.size), *in_full(credit)])
    for is_own in (is_receivable, is_payable) * 3:
        desk.pay("a credit note netted in a transfer", in_full(*pool.take_with_credit(is_own)))


def refund(desk: Desk, pool: Pool) -> None:
    """Credit notes that are paid out."""
    for is_kind, shows in ((is_credit_in, "a supplier pays us back"), (is_credit_out, "a customer is paid back")):
        for bill in pool.take(5, is_kind):
            desk.pay(shows, in_full(bill))


def leave_open(desk: Desk, pool: Pool, unfinished: Unfinished) -> None:
    """Transfers on account: not matched yet, matched in part, and more than the bill."""
    for is_kind in _BOTH_SIDES:
        for bill in pool.take(4, is_kind, is_plain):
            transfer = desk.deposit("a match made late", bill, own_money(in_full(bill)), reason=NOT_MATCHED)
            unfinished.deposits.append((transfer, bill))
        for bill in pool.take(2, is_kind, is_plain):
            transfer = desk.deposit("a match that grows", bill, own_money(in_full(bill)), reason=NOT_MATCHED)
            desk.match("a match that grows", transfer, [(bill, bill.part(60))])
            unfinished.growing.append((transfer, bill))
    for bill in pool.take(2, is_sale, is_plain):
        too_much = own_money([(bill, bill.size + Decimal(250))])
        desk.pay("paid too much, the rest stays on account", in_full(bill), money=too_much)


def settle_for_now(desk: Desk, pool: Pool, unfinished: Unfinished) -> None:
    """Matches that the later stage undoes, moves, shrinks or makes anew."""
    for count in (1, 1, 1, 1, 1, 1, 1, 1, 2, 2):
        alike = pool.take_alike(count, is_purchase, is_plain)
        unfinished.fleeting.append((desk.pay("a match that does not last", in_full(*alike)), alike))


def tell_apart(desk: Desk, pool: Pool) -> None:
    """Pay one of the invoices with one number of one supplier; the text says which."""
    bill = pool.shared[-1]
    text = f"{bill.draft.number} {PARTNERS[bill.partner].name}"
    desk.pay("one of two invoices with one number", in_full(bill), text=text)
