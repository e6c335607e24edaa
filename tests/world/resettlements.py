"""What people do to payments and matches afterwards: matched late, grown, undone, moved, shrunk and made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.world.bills import is_plain, is_purchase, is_sale, payment_day
from tests.world.desk import own_money
from tests.world.settlements import NOT_MATCHED, Unfinished, in_full

if TYPE_CHECKING:
    from tests.world.bills import Bill, Pool
    from tests.world.desk import Desk, Transfer


def finish(desk: Desk, unfinished: Unfinished) -> None:
    """Match late, let matches grow, and pay the rest of what was paid in part; some of it is left as it is."""
    for transfer, bill in unfinished.deposits[:-1]:
        desk.match("a match made late", transfer, in_full(bill))
    for transfer, bill in unfinished.growing:
        desk.match("a match that grows", transfer, [(bill, bill.size - bill.part(60))])
    for bill in unfinished.part_paid[::2]:
        _pay_the_rest(desk, "the rest of a bill paid in part", bill)
    for bill in unfinished.first_term_paid[::2]:
        _pay_the_rest(desk, "the last payment terms", bill)


def _pay_the_rest(desk: Desk, shows: str, bill: Bill) -> None:
    rest = bill.size - desk.outcomes[bill.draft.number].settled
    desk.pay(shows, [(bill, rest)], day=payment_day(bill))


def pay_on(desk: Desk, pool: Pool) -> None:
    """Go on paying, one transfer a bill."""
    for is_kind in (is_purchase, is_sale):
        for bill in pool.take(5, is_kind, is_plain):
            desk.pay("paid in full, later", in_full(bill))


def change_matches(desk: Desk, pool: Pool, unfinished: Unfinished) -> None:
    """Undo matches: for good, to move them, to pay anew, to make them again, and to leave one of two bills out."""
    fleeting = iter(unfinished.fleeting)
    for _ in range(3):
        transfer, bills = next(fleeting)
        desk.unmatch("a match undone", transfer, in_full(*bills), reason=NOT_MATCHED)
    for _ in range(2):
        _move(desk, pool, *next(fleeting))
    _pay_anew(desk, *next(fleeting))
    for _ in range(2):
        transfer, bills = next(fleeting)
        desk.unmatch("a match undone and made again", transfer, in_full(*bills))
        desk.put_back("a match undone and made again", transfer, in_full(*bills))
    for transfer, bills in fleeting:
        desk.unmatch("a match that lost one of two bills", transfer, in_full(*bills))
        desk.put_back("a match that lost the other bill", transfer, in_full(bills[0]))


def _move(desk: Desk, pool: Pool, transfer: Transfer, bills: list[Bill]) -> None:
    """Match a transfer with another bill of its partner, as far as both go."""
    (wrong,) = bills
    (right,) = pool.take(1, lambda bill: bill.account == wrong.account, is_purchase, is_plain)
    desk.unmatch("a match moved to another bill", transfer, in_full(wrong))
    desk.match("a match moved here from another bill", transfer, [(right, min(wrong.size, right.size))])


def _pay_anew(desk: Desk, transfer: Transfer, bills: list[Bill]) -> None:
    """Pay a bill by another transfer than the one the VMS has been told of."""
    shows = "a match undone, and paid anew by another transfer"
    desk.unmatch(shows, transfer, in_full(*bills), reason=NOT_MATCHED)
    anew = desk.pay(shows, in_full(*bills), told=0, money=own_money(in_full(*bills)))
    desk.unplaced[anew.text] = "nothing left to settle"
