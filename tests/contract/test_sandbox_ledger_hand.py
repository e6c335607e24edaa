"""What people do in the ledger by hand: journals, and vouchers changed, deleted and reversed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.ledger_world import World, invoice

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


def payable(world: World, *numbers: str, amount: str = "1000.00", **more: Any) -> None:  # noqa: ANN401
    for place, number in enumerate(numbers):
        world.add(*invoice(number=100 + place, amount=amount, invoice_number=number, **more))
    assert world.post()["failed"] == 0


def test_vouchers_of_any_source_are_booked_by_hand(world: World) -> None:
    lines = [
        {"account": "4310", "amount": "500.00", "project": "V001-2601", "glObject1": "V001", "text": "Crane"},
        {"account": "1920", "amount": "-500.00"},
    ]
    given = {"owner": 28601, "source": "GL", "postedDate": "2026-11-05", "text": "Journal", "lines": lines}
    done = world.control("vouchers", given)
    (row,) = world.nodes(
        "{ transactions(first: 9, filter: {glObject2DbId_gt: 1}){ edges{ node{ text header{ dbId importedAt } } } } }"
    )
    assert row == {"text": "Crane", "header": {"dbId": done["voucher"], "importedAt": None}}
    refused = world.hand("vouchers", given | {"lines": lines[:1]})
    assert refused.json() == {"error": "Voucher does not balance: amount sums to 500.00 NOK."}
    assert world.hand("vouchers", given | {"lines": [{"acount": "4310"}]}).json() == {"error": "a line has no acount"}


def test_rows_of_the_general_ledger_can_be_matched(world: World) -> None:
    lines = [{"account": "4310", "amount": "5.00"}, {"account": "1920", "amount": "-5.00"}]
    world.control("vouchers", {"owner": 28601, "source": "GL", "postedDate": "2026-11-05", "lines": lines})
    found = world.nodes("{ transactions(last: 2){ edges{ node{ dbId } } } }")
    match_id = world.control("match", {"rows": [node["dbId"] for node in found]})["match_id"]
    query = f"{{ transactions(first: 9, filter: {{matchId: {match_id}}}){{ edges{{ node{{ dbId }} }} }} }}"
    assert len(world.nodes(query)) == 2
    assert len(world.control("unmatch", {"match_id": match_id})["rows"]) == 2
    assert world.nodes(query) == []


def test_a_booked_line_can_be_changed_behind_its_back(world: World) -> None:
    payable(world, "A")
    header = rows(world)[0]["transactionHeader"]["dbId"]
    world.clock.advance(3600)
    change = {
        "invoiceAmount": "-900.00",
        "amount": "-9450.00",
        "project": "V002-2601",
        "glObject1": "V002",
        "invoiceNumber": "B",
    }
    world.control("corrupt", {"voucher": header, "row": int(rows(world)[0]["dbId"]), "set": change})
    (row,) = rows(world)
    assert (row["amount"], row["invoiceRemaining"], row["invoiceNumber"]) == ("-9450.00", "-900.00", "B")
    (voucher,) = world.control("vouchers?source=AP")
    assert (voucher["lines"][0]["amount"], voucher["lines"][0]["project"]) == ("-9450.00", "V002-2601")
    query = "{ journalHeaders(last: 1){ edges{ node{ dbId modifiedAt } } } }"
    assert world.nodes(query) == [{"dbId": header, "modifiedAt": "2026-11-02T10:00:00"}]
    world.control("corrupt", {"voucher": header, "set": {"text": "another text"}})
    assert world.control("vouchers?source=AP")[0]["text"] == "another text"


def test_a_deleted_voucher_is_gone_and_leaves_deltas(world: World) -> None:
    payable(world, "A")
    header = rows(world)[0]["transactionHeader"]["dbId"]
    world.control("corrupt", {"voucher": header, "delete": True})
    assert rows(world) == []
    assert world.control("vouchers?source=AP") == []
    for name, count in (("apTransaction", 1), ("transaction", 2)):
        query = f"{{ {name}_deltas(last: {count}){{ edges{{ node{{ mutationType }} }} }} }}"
        assert world.nodes(query) == [{"mutationType": "DELETED"}] * count
    assert world.hand("corrupt", {"voucher": header, "delete": True}).json() == {"error": f"no voucher {header}"}


def test_a_reversal_is_the_mirrored_voucher(world: World) -> None:
    payable(world, "A", taxRule={"code": "1"})
    header = rows(world)[0]["transactionHeader"]["dbId"]
    world.control("corrupt", {"voucher": header, "reverse": True, "date": "2026-11-30"})
    bill, mirrored = rows(world)
    assert (mirrored["invoiceAmount"], mirrored["slTransactionType"]) == ("1000.00", {"name": "CREDIT_MEMO"})
    assert mirrored["invoiceNumber"] == bill["invoiceNumber"]
    first, second = world.control("vouchers?source=AP")
    assert second["text"] == f"Reversal of {first['transactionNumber']} 100 Nordic Agency AS"
    assert [-Decimal(entry["amount"]) for entry in second["lines"]] == [
        Decimal(entry["amount"]) for entry in first["lines"]
    ]
