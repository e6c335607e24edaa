"""Payments, matches and deeds by hand in the ledger (docs/systems/ledger.md#2-2, #a18 to #a20)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.ledger_world import World, invoice, line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROW = (
    "dbId invoiceNumber amount invoiceAmount invoiceRemaining matchId paymentDate paymentStatus{ name }"
    " currency{ code } slTransactionType{ name } transactionHeader{ dbId postedDate transactionSource{ code } }"
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def rows(world: World, side: str = "ap") -> list[dict[str, Any]]:
    return sorted(world.rows(f"{side}Transactions", ROW), key=lambda row: int(row["dbId"]))


def short(world: World, side: str = "ap") -> list[tuple[str, str, str]]:
    return [
        (row["invoiceNumber"] or row["amount"], row["invoiceRemaining"], row["paymentStatus"]["name"])
        for row in rows(world, side)
    ]


def payable(world: World, *numbers: str, amount: str = "1000.00", **more: Any) -> None:  # noqa: ANN401
    for place, number in enumerate(numbers):
        world.add(*invoice(number=100 + place, amount=amount, invoice_number=number, **more))
    assert world.post()["failed"] == 0


def receivable(world: World, number: str, amount: str) -> None:
    """Book a customer invoice; a negative amount is a credit note."""
    more: dict[str, Any] = {"transactionSource": {"code": "AR"}, "number": len(number) * 1000 + ord(number[-1])}
    counter = amount.removeprefix("-") if amount.startswith("-") else f"-{amount}"
    control = line("1500", amount, subledger={"code": "70001"}, invoiceNumber=number, **more)
    world.add(control, line("3000", counter, **more))
    assert world.post()["posted"] == 1


def pay(world: World, side: str = "AP", **given: Any) -> dict[str, Any]:  # noqa: ANN401
    payment = {
        "owner": 28601, "side": side, "source": "DR", "date": "2026-11-20", "currency": "USD", "amount": "1000.00",
        "company_amount": "10600.00", "subledger": "60526" if side == "AP" else "70001", "text": "Payment",
    } | given  # fmt: skip
    done: dict[str, Any] = world.control("payments", payment)
    return done


def test_a_payment_settles_its_invoice(world: World) -> None:
    payable(world, "A")
    done = pay(world, match=[{"invoice_number": "A", "amount": "1000.00"}])
    bill, payment = rows(world)
    assert bill["matchId"] == payment["matchId"] == done["match_id"] >= 700001
    assert (bill["invoiceRemaining"], bill["paymentStatus"], bill["paymentDate"]) == (
        "0.00",
        {"name": "PAID"},
        "2026-11-20",
    )
    assert (payment["amount"], payment["invoiceAmount"], payment["invoiceRemaining"]) == ("10600.00", "1000.00", "0.00")
    assert payment["slTransactionType"] == {"name": "ELECTRONIC_PAYMENT"}
    assert payment["transactionHeader"]["transactionSource"] == {"code": "DR"}
    (voucher,) = world.control("vouchers?source=DR")
    assert [(entry["account"], entry["amount"]) for entry in voucher["lines"]] == [
        ("2400", "10600.00"),
        ("1920", "-10600.00"),
    ]


def test_part_payments_leave_the_rest_open_and_join_one_match(world: World) -> None:
    payable(world, "A")
    first = pay(world, amount="400", company_amount="4200", match=[{"invoice_number": "A", "amount": "400"}])
    assert short(world) == [("A", "-600.00", "PARTLY_PAID"), ("4200.00", "0.00", "PAID")]
    second = pay(world, amount="600", company_amount="6300", match=[{"invoice_number": "A", "amount": "600"}])
    assert short(world)[0] == ("A", "0.00", "PAID")
    assert {row["matchId"] for row in rows(world)} == {second["match_id"]}
    assert second["match_id"] != first["match_id"]


def test_one_payment_settles_several_invoices(world: World) -> None:
    payable(world, "A", "B")
    match = [{"invoice_number": "A", "amount": "1000"}, {"invoice_number": "B", "amount": "250"}]
    pay(world, amount="1250", company_amount="13125", match=match)
    assert short(world) == [("A", "0.00", "PAID"), ("B", "-750.00", "PARTLY_PAID"), ("13125.00", "0.00", "PAID")]


def test_parts_of_one_invoice_fill_up_by_due_date(world: World) -> None:
    control, cost = invoice(amount="1000.00")
    late = control | {"invoiceAmount": "-50.00", "amount": "-525.00", "dueDate": "2027-01-01"}
    world.add(late, control | {"invoiceAmount": "-950.00", "amount": "-9975.00"}, cost)
    world.post()
    pay(world, amount="960", company_amount="10080", match=[{"invoice_number": "F-881", "amount": "960"}])
    assert sorted(row["invoiceRemaining"] for row in rows(world)) == ["-40.00", "0.00", "0.00"]


def test_an_invoice_is_paid_before_the_credit_memo_of_its_number(world: World) -> None:
    payable(world, "A")
    (bill,) = rows(world)
    world.control("corrupt", {"voucher": bill["transactionHeader"]["dbId"], "reverse": True})
    pay(world, match=[{"invoice_number": "A", "amount": "1000"}])
    assert [row["invoiceRemaining"] for row in rows(world)] == ["0.00", "1000.00", "0.00"]
    pay(world, match=[{"row": rows(world)[1]["dbId"], "amount": "1000"}])
    assert rows(world)[-1]["invoiceAmount"] == "-1000.00"


def test_a_receipt_stands_opposite_to_what_it_settles(world: World) -> None:
    receivable(world, "A", "1000.00")
    receivable(world, "B", "-200.00")
    match = [{"invoice_number": "A", "amount": "1000"}, {"invoice_number": "B", "amount": "200"}]
    pay(world, "AR", source="OCR", amount="800", company_amount="8400", match=match)
    assert [(row["invoiceAmount"], row["invoiceRemaining"]) for row in rows(world, "ar")] == [
        ("1000.00", "0.00"),
        ("-200.00", "0.00"),
        ("-800.00", "0.00"),
    ]


def test_a_refund_is_mirrored_on_both_sides(world: World) -> None:
    receivable(world, "B", "-200.00")
    pay(world, "AR", amount="200", company_amount="2100", match=[{"invoice_number": "B", "amount": "200"}])
    assert rows(world, "ar")[-1]["invoiceAmount"] == "200.00"
    payable(world, "C")
    pay(world, "AP", amount="10", company_amount="105", refund=True)
    assert (rows(world)[-1]["invoiceAmount"], rows(world)[-1]["matchId"]) == ("-10.00", 0)


def test_adjustments_are_rows_without_type_in_the_same_match(world: World) -> None:
    receivable(world, "A", "1000.00")
    charge = {"currency": "USD", "amount": "-10.00", "company_amount": "-105.00", "text": "Bank charge", "type": None}
    gain = {"currency": "USD", "amount": "0.00", "company_amount": "95.00", "text": "Exchange difference"}
    match = [{"invoice_number": "A", "amount": "1000"}]
    done = pay(world, "AR", amount="990", company_amount="10490", match=match, adjustments=[charge, gain])
    found = rows(world, "ar")
    assert [row["slTransactionType"] for row in found[1:]] == [{"name": "ELECTRONIC_PAYMENT"}, None, None]
    assert {row["matchId"] for row in found} == {done["match_id"]}
    assert {row["invoiceRemaining"] for row in found} == {"0.00"}
    assert sum(Decimal(row["amount"]) for row in found) == 0


def test_a_payment_in_another_currency_closes_the_invoice(world: World) -> None:
    payable(world, "A")
    match = [{"invoice_number": "A", "amount": "1000"}]
    pay(world, currency="NOK", amount="10600.00", company_amount="10600.00", match=match, payment_type="MANUAL_PAYMENT")
    bill, payment = rows(world)
    assert (bill["invoiceRemaining"], payment["invoiceRemaining"], payment["currency"]) == (
        "0.00",
        "0.00",
        {"code": "NOK"},
    )
    assert payment["slTransactionType"] == {"name": "MANUAL_PAYMENT"}


def test_what_is_paid_too_much_stays_open_on_the_payment(world: World) -> None:
    payable(world, "A")
    pay(world, amount="1100", company_amount="11550", match=[{"invoice_number": "A", "amount": "1000"}])
    assert short(world)[-1] == ("11550.00", "100.00", "PARTLY_PAID")


def test_a_late_match_settles_as_far_as_both_go(world: World) -> None:
    payable(world, "A")
    done = pay(world, amount="400", company_amount="4200")
    assert (done["match_id"], rows(world)[1]["invoiceRemaining"]) == (0, "400.00")
    bill = int(rows(world)[0]["dbId"])
    world.control("match", {"rows": [bill, done["payment"]]})
    assert short(world) == [("A", "-600.00", "PARTLY_PAID"), ("4200.00", "0.00", "PAID")]
    assert rows(world)[0]["paymentDate"] == "2026-11-20"


def test_a_match_may_say_how_much_of_each_row(world: World) -> None:
    payable(world, "A")
    done = pay(world)
    bill = int(rows(world)[0]["dbId"])
    world.control("match", {"rows": [bill, done["payment"]], "settled": {bill: "300", done["payment"]: "300"}})
    assert [row["invoiceRemaining"] for row in rows(world)] == ["-700.00", "700.00"]


def test_an_unmatched_group_is_open_again(world: World) -> None:
    payable(world, "A")
    done = pay(world, match=[{"invoice_number": "A", "amount": "1000.00"}])
    assert len(world.control("unmatch", {"match_id": done["match_id"]})["rows"]) == 2
    bill, payment = rows(world)
    assert (bill["invoiceRemaining"], bill["matchId"], bill["paymentDate"]) == ("-1000.00", 0, None)
    assert (payment["invoiceRemaining"], payment["paymentDate"]) == ("1000.00", "2026-11-20")


def test_every_change_of_a_match_is_a_delta(world: World) -> None:
    payable(world, "A")
    query = (
        "query($a: String){ apTransaction_deltas(first: 9, after: $a){ edges{ cursor node{ dbId mutationType } } } }"
    )
    cursor = world.ask(query)["apTransaction_deltas"]["edges"][-1]["cursor"]
    pay(world, match=[{"invoice_number": "A", "amount": "1000.00"}])
    bill, payment = rows(world)
    edges = world.ask(query, {"a": cursor})["apTransaction_deltas"]["edges"]
    assert sorted((edge["node"]["dbId"], edge["node"]["mutationType"]) for edge in edges) == [
        (bill["dbId"], "UPDATED"),
        (payment["dbId"], "ADDED"),
    ]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"match": [{"invoice_number": "A", "amount": "1000.01"}]}, "0.01 more than is open on A"),
        ({"match": [{"invoice_number": "Z", "amount": "1"}]}, "no invoice Z"),
        ({"source": "XX"}, "no transaction source XX"),
        ({"owner": 1}, "no entity 1"),
        ({"amount": "-5"}, "sizes above zero"),
        ({"amount": "five"}, "decimal"),
        ({"date": "2026-07-01"}, "Period 2026/07 is closed."),
        ({"bank_account": "1999"}, "no account 1999"),
        ({"subledger": "99"}, "No value matching"),
        ({"side": "GL"}, "side"),
    ],
)
def test_a_payment_that_makes_no_sense_is_refused(world: World, given: dict[str, Any], reason: str) -> None:
    payable(world, "A")
    payment = {"owner": 28601, "side": "AP", "source": "DR", "date": "2026-11-20", "currency": "USD", "amount": "5"}
    response = world.hand("payments", payment | {"company_amount": "50", "subledger": "60526"} | given)
    assert response.status_code == 400
    assert reason in response.json()["error"]
    assert len(rows(world)) == 1


def test_people_match_by_number_and_text_and_undo_it(world: World) -> None:
    payable(world, "A", "B")
    pay(world, amount="1500", company_amount="15900", text="Transfer 7")
    partner = {"owner": 28601, "side": "AP", "subledger": "60526"}
    parts = [
        {"text": "Transfer 7", "amount": "1300"},
        {"invoice_number": "A"},
        {"invoice_number": "B", "amount": "300"},
    ]
    done = world.control("match/named", {**partner, "rows": parts})
    assert [row[:2] for row in short(world)] == [("A", "0.00"), ("B", "-700.00"), ("15900.00", "200.00")]
    assert {row["matchId"] for row in rows(world)} == {done["match_id"]}
    world.control("unmatch/named", {**partner, "row": {"invoice_number": "B"}})
    assert [row[:2] for row in short(world)] == [("A", "-1000.00"), ("B", "-1000.00"), ("15900.00", "1500.00")]
    assert {row["matchId"] for row in rows(world)} == {0}


def test_a_text_tells_invoices_of_one_number_apart(world: World) -> None:
    for number, text in ((100, "2707400 Nordic Agency AS"), (101, "2707401 Nordic Agency AS")):
        world.add(*invoice(number=number, amount="1000.00", invoice_number="A", text=text))
    world.post()
    pay(world, match=[{"invoice_number": "A", "text": "2707401 Nordic Agency AS"}])
    assert [row["invoiceRemaining"] for row in rows(world)] == ["-1000.00", "0.00", "0.00"]


@pytest.mark.parametrize(
    ("path", "given", "reason"),
    [
        ("match/named", {"rows": [{"text": "Transfer 8"}, {"invoice_number": "A"}]}, "no payment Transfer 8 of 60526"),
        ("match/named", {"rows": [{"invoice_number": "A", "amount": "1000.01"}]}, "0.01 more than is open on A"),
        ("match/named", {"rows": [{"amount": "5"}]}, "no invoice"),
        ("unmatch/named", {"row": {"invoice_number": "A"}}, "no match 0"),
    ],
)
def test_a_named_match_that_makes_no_sense_is_refused(
    world: World, path: str, given: dict[str, Any], reason: str
) -> None:
    payable(world, "A")
    response = world.hand(path, {"owner": 28601, "side": "AP", "subledger": "60526"} | given)
    assert response.status_code == 400
    assert reason in response.json()["error"]
