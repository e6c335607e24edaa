"""What stays true of the ledger's books whatever is imported, paid, matched and undone, in any order."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.ledger_world import World, invoice

SIZES = st.integers(1, 150_000).map(lambda cents: f"{Decimal(cents) / 100:.2f}")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("invoice"), SIZES),
        st.tuples(st.just("payment"), SIZES, st.integers(0, 5)),
        st.tuples(st.just("match"), st.sets(st.integers(0, 11), min_size=2, max_size=4)),
        st.tuples(st.just("unmatch"), st.integers(0, 11)),
        st.tuples(st.just("taxed"), SIZES),
    ),
    max_size=8,
)
ROW = "dbId amount invoiceAmount invoiceRemaining matchId invoiceNumber paymentStatus{ name } slTransactionType{ name }"


def rows(world: World) -> list[dict[str, Any]]:
    return sorted(world.rows("apTransactions", ROW), key=lambda row: int(row["dbId"]))


def take(world: World, step: tuple[Any, ...], number: int) -> None:
    """Do one step; what the ledger refuses (too much, nothing there) must leave no trace."""
    known = rows(world)
    if step[0] in ("invoice", "taxed"):
        more = {"taxRule": {"code": "1"}} if step[0] == "taxed" else {}
        world.add(*invoice(number=number, amount=step[1], invoice_number=f"F-{number}", **more))
        world.post()
    elif step[0] == "payment":
        bills = [row for row in known if row["invoiceNumber"] and row["invoiceRemaining"] != "0.00"]
        share = [{"row": int(row["dbId"]), "amount": step[1]} for row in bills[step[2] : step[2] + 1]]
        payment = {"owner": 28601, "side": "AP", "source": "DR", "date": "2026-11-20", "subledger": "60526"}
        size = {"currency": "USD", "amount": step[1], "company_amount": step[1], "match": share}
        world.hand("payments", payment | size)
    elif step[0] == "match":
        world.hand("match", {"rows": [int(known[place]["dbId"]) for place in step[1] if place < len(known)]})
    elif step[1] < len(known):
        world.hand("unmatch", {"match_id": known[step[1]]["matchId"]})


def check(world: World) -> None:
    control: defaultdict[str, Decimal] = defaultdict(Decimal)
    for voucher in world.control("vouchers"):
        for column in ("amount", "invoiceAmount"):
            assert sum(Decimal(entry[column]) for entry in voucher["lines"]) == 0
        for entry in voucher["lines"]:
            control[entry["account"]] += Decimal(entry["amount"])
    found = rows(world)
    assert sum(Decimal(row["amount"]) for row in found) == control["2400"]
    groups: defaultdict[int, list[Decimal]] = defaultdict(list)
    for row in found:
        amount, left = Decimal(row["invoiceAmount"]), Decimal(row["invoiceRemaining"])
        assert 0 <= left / amount <= 1
        assert row["paymentStatus"]["name"] == ("OPEN" if left == amount else "PARTLY_PAID" if left else "PAID")
        assert row["matchId"] or left == amount
        groups[row["matchId"]].append(amount - left)
    # What is settled in a match cancels out: nothing is paid that no payment paid.
    assert all(sum(settled) == 0 for match_id, settled in groups.items() if match_id)


@given(STEPS)
@settings(max_examples=25)
def test_the_books_hold_after_every_step(steps: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder, World(Path(folder)) as world:
        for number, step in enumerate(steps, start=1):
            take(world, step, number)
            check(world)
