"""The warehouse's copy of what was sent: exact amounts out of the payloads, and only what moved since the last copy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.load.vms.actuals import actual_intent
from pipelines.load.vms.payments import payment_intent
from pipelines.load.vms.rates import rate_intent
from pipelines.outbox.entry import Move
from pipelines.outbox.intent import Intent, Json, Kind
from pipelines.outbox.states import State
from pipelines.stores.control_copy import copy_control
from tests.support.vms_in_memory import World, payment, rate

ACTUAL = {
    "natural_key": "ACT202610-28601-V001-2601-4300-USD-1",
    "owner_code": 28601,
    "company_code": "28601",
    "month_start": date(2026, 10, 1),
    "voyage_no": "V001-2601",
    "voyage_key": 7,
    "is_number_shared": False,
    "account": "4300",
    "currency_code": "USD",
    "part_no": 1,
    "document_amount": Decimal("-0.30"),
    "company_amount": Decimal("12345678901.23"),
}
VOUCHER = Intent(
    Kind.VOUCHER,
    "5200777",
    "ledger",
    payload=[],
    source_hash="h",
    look_up={"source": "AP", "invoice_number": "F-881", "subledger": "60526", "currency": "USD", "text": "27 Nordic"},
    company_code="28601",
    owner_code=28601,
    document_key=5_200_777,
    document_no="2707400",
)


def node(number: int, amount: str, **members: object) -> dict[str, Any]:
    common = {
        "trItemNumber": number,
        "account": {"code": "2400"},
        "currency": {"code": "USD"},
        "invoiceAmount": amount,
        "amount": amount,
        "postedDate": "2026-11-02",
        "owner": {"ownerCode": 28_601},
        "transactionSource": {"code": "AP"},
    }
    return {"clientId": f"5200777-{number}", "node": common | members}


def with_lines(*lines: dict[str, Any]) -> Intent:
    return replace(VOUCHER, payload=[*lines])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "ctl.sqlite")
    world.warehouse.execute("CREATE SCHEMA ctl")
    yield world
    world.control.close()
    world.warehouse.close()


def copied(world: World, table: str, columns: str) -> list[tuple[object, ...]]:
    copy_control(world.warehouse, world.control)
    return world.warehouse.execute(f"SELECT {columns} FROM ctl.{table} ORDER BY ALL").fetchall()  # noqa: S608 our own names


def test_amounts_come_out_of_the_payloads_exactly(world: World) -> None:
    intents = [
        payment_intent(payment(902, amount="-0.1")),
        actual_intent(ACTUAL),
        rate_intent(rate(1, "EUR", "0.088397790055249")),
    ]
    world.outbox().store_intents(intents)
    assert copied(world, "payments", "payment_db_id, document_key, part_no, document_amount, company_amount") == [
        (902, 5_200_000, 1, Decimal("-0.1"), Decimal(-1))
    ]
    columns = "prefix, period_month, voyage_no, account, currency, part_no, document_amount, company_amount"
    assert copied(world, "actuals", columns) == [
        (
            "ACT202610-28601-V001-2601-4300-USD",
            date(2026, 10, 1),
            "V001-2601",
            "4300",
            "USD",
            1,
            Decimal("-0.3"),
            Decimal("12345678901.23"),
        )
    ]
    assert copied(world, "rates", "rate_date, from_currency, to_currency, exchange_rate, state") == [
        (date(2026, 11, 1), "NOK", "EUR", Decimal("0.088397790055249"), "todo")
    ]


def test_only_what_moved_is_copied_again(world: World) -> None:
    outbox = world.outbox()
    outbox.store_intents([payment_intent(payment(902)), payment_intent(payment(903)), VOUCHER])
    assert {state for (state,) in copied(world, "payments", "state")} == {"todo"}
    world.at += timedelta(seconds=1)
    outbox.apply([
        Move(VOUCHER.id, State.SENT, remote_ids={"header": "7001"}),
        Move(payment_intent(payment(903)).id, State.SENDING),
    ])  # fmt: skip
    assert copied(world, "payments", "payment_db_id, state") == [(902, "todo"), (903, "sending")]
    assert copied(world, "sent_vouchers", "document_key, voucher_type, invoice_no, header_db_id, state") == [
        (5_200_777, "AP", "F-881", 7001, "sent")
    ]


@pytest.mark.parametrize("places", [(0, 1, 2), (0,), (1,), (0, 2)])
def test_what_moves_stands_in_the_copy_once(world: World, places: tuple[int, ...]) -> None:
    """Of a document or of none, which are looked for in different places."""
    outbox, intents = world.outbox(), [rate_intent(rate(1, "EUR", "0.1")), VOUCHER, payment_intent(payment(902))]
    outbox.store_intents(intents)
    copied(world, "outbox", "id")
    world.at += timedelta(seconds=1)
    outbox.apply([Move(intents[place].id, State.SENDING) for place in places])
    states = {intent.id: "sending" if place in places else "todo" for place, intent in enumerate(intents)}
    assert copied(world, "outbox", "id, state") == sorted(states.items())
    for table, intent in zip(("rates", "sent_vouchers", "payments"), intents, strict=True):
        assert copied(world, table, "id, state") == [(intent.id, states[intent.id])]


def test_a_copy_says_which_documents_it_has_moved(world: World) -> None:
    outbox, columns = world.outbox(), "copy_no, document_key"
    outbox.store_intents([payment_intent(payment(902)), rate_intent(rate(1, "EUR", "0.1")), VOUCHER])
    all_of_them: list[tuple[object, ...]] = [(1, None)]
    assert copied(world, "moves", columns) == all_of_them
    outbox.apply([Move(VOUCHER.id, State.SENDING), Move(rate_intent(rate(1, "EUR", "0.1")).id, State.SENDING)])
    assert copied(world, "moves", columns) == [*all_of_them, (2, VOUCHER.document_key)]
    assert copied(world, "moves", columns) == [*all_of_them, (2, VOUCHER.document_key)]
    world.warehouse.execute("DROP TABLE ctl.payments")
    assert copied(world, "moves", columns) == [(3, None)]


def test_a_warehouse_built_anew_is_told_everything(world: World) -> None:
    world.outbox().store_intents([payment_intent(payment(902))])
    copied(world, "payments", "state")
    world.at += timedelta(seconds=1)
    world.outbox().store_intents([VOUCHER])
    world.warehouse.execute("DROP TABLE ctl.payments")
    assert copied(world, "payments", "payment_db_id, state") == [(902, "todo")]


def test_what_moves_at_the_same_moment_is_not_missed(world: World) -> None:
    outbox = world.outbox()
    outbox.store_intents([payment_intent(payment(902)), payment_intent(payment(903))])
    assert copied(world, "payments", "payment_db_id, state") == [(902, "todo"), (903, "todo")]
    outbox.apply([Move(payment_intent(payment(902)).id, State.SENDING)])
    assert copied(world, "payments", "payment_db_id, state") == [(902, "sending"), (903, "todo")]
    outbox.apply([Move(payment_intent(payment(902)).id, State.SENT)])
    assert copied(world, "payments", "payment_db_id, state") == [(902, "sent"), (903, "todo")]


def test_an_older_control_store_is_copied_whole(world: World, tmp_path: Path) -> None:
    outbox = world.outbox()
    outbox.store_intents([payment_intent(payment(902))])
    backup = tmp_path / "backup.sqlite"
    world.control.one("VACUUM INTO ?", (str(backup),))
    outbox.store_intents([payment_intent(payment(903)), VOUCHER])
    assert len(copied(world, "outbox", "id")) == 3
    restored = World(backup)
    # As many events as there were, but others.
    restored.outbox().store_intents([payment_intent(payment(904)), payment_intent(payment(905))])
    copy_control(world.warehouse, restored.control)
    restored.control.close()
    rows = world.warehouse.execute("SELECT payment_db_id FROM ctl.payments ORDER BY 1").fetchall()
    assert rows == [(902,), (904,), (905,)]
    assert world.warehouse.execute("SELECT count(*) FROM ctl.sent_vouchers").fetchall() == [(0,)]


def test_every_line_of_a_voucher_is_a_row(world: World) -> None:
    control = node(1, "-0.10", subledger={"code": "60526"}, invoiceDate="2026-11-01", dueDate="2026-12-01")
    detail = node(2, "0.10", account={"code": "4300"}, project={"code": "V001-2601"}, glObject1={"code": "V001"})
    world.outbox().store_intents([with_lines(control, detail)])
    columns = "item_no, is_control, account, gl_object1, project, invoice_amount, subledger_no, due_date, state"
    assert copied(world, "sent_lines", columns) == [
        (1, True, "2400", None, None, Decimal("-0.10"), "60526", date(2026, 12, 1), "todo"),
        (2, False, "4300", "V001", "V001-2601", Decimal("0.10"), None, None, "todo"),
    ]


def test_a_voucher_that_has_lost_its_account_is_a_row_as_well(world: World) -> None:
    # As a rebuilt store has one whose document names no account any more: no later batch may end at it.
    line = node(1, "-1")
    del line["node"]["account"], line["node"]["currency"]
    world.outbox().store_intents([with_lines(line)])
    assert copied(world, "sent_lines", "item_no, account, currency") == [(1, None, None)]


def test_the_first_line_of_a_general_voucher_is_control(world: World) -> None:
    source = {"code": "GL"}
    lines = [node(1, "-1", transactionSource=source), node(2, "1", transactionSource=source)]
    world.outbox().store_intents([with_lines(*lines)])
    assert copied(world, "sent_lines", "item_no, is_control") == [(1, True), (2, False)]


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        ({"controls": 2, "turned": [3]}, [(1, True, None), (2, True, None), (3, False, -1), (4, False, 1)]),
        ({"controls": 0, "turned": []}, [(1, False, 1), (2, False, 1), (3, False, 1), (4, False, 1)]),
    ],
)
def test_a_general_voucher_says_which_lines_are_control(
    world: World, wanted: dict[str, Any], kinds: list[tuple[int, bool, int | None]]
) -> None:
    nodes = [node(number, "1", transactionSource={"code": "GL"}) for number in (1, 2, 3, 4)]
    world.outbox().store_intents([replace(with_lines(*nodes), look_up=wanted)])
    assert copied(world, "sent_lines", "item_no, is_control, direction") == kinds


def test_lines_an_older_release_copied_are_copied_anew(world: World) -> None:
    world.outbox().store_intents([with_lines(node(1, "-1"))])
    copied(world, "sent_lines", "item_no")
    world.warehouse.execute("ALTER TABLE ctl.sent_lines DROP COLUMN direction")
    assert copied(world, "sent_lines", "item_no, direction") == [(1, None)]


def test_lines_that_are_no_more_are_no_rows(world: World) -> None:
    world.outbox().store_intents([with_lines(node(1, "-1"), node(2, "1"))])
    copied(world, "sent_lines", "item_no")
    world.at += timedelta(seconds=1)
    world.outbox().store_intents([with_lines(node(1, "-2"))])
    assert copied(world, "sent_lines", "item_no, amount") == [(1, Decimal(-2))]


def test_a_correction_that_arrived_changes_the_line(world: World) -> None:
    outbox = world.outbox()
    outbox.store_intents([with_lines(node(1, "-1"), node(2, "1"))])
    copied(world, "sent_lines", "item_no")
    world.at += timedelta(seconds=1)
    changed: dict[str, Any] = {"clientId": "5200777-2", "node": {"dbId": "9", "account": {"code": "4310"}}}
    correction = replace(VOUCHER, kind=Kind.CORRECTION, natural_key="5200777#1", payload=[changed], look_up=None)
    outbox.store_intents([correction])
    outbox.begin([correction.id])
    assert copied(world, "sent_lines", "item_no, account") == [(1, "2400"), (2, "2400")]
    [before] = {*copied(world, "sent_lines", "updated_at")}
    world.at += timedelta(seconds=1)
    outbox.apply([Move(correction.id, State.SENT)])
    assert copied(world, "sent_lines", "item_no, account") == [(1, "2400"), (2, "4310")]
    # By that time the models know that they are stale.
    [after] = {*copied(world, "sent_lines", "updated_at")}
    assert after > before


def test_what_the_ledger_never_shows_is_known_by_what_was_sent(world: World) -> None:
    node: Json = {"code": "60526", "swift": "SPARNO22", "bankRouting": "021000089"}
    look_up: dict[str, Json] = {"action": "add", "code": "60526", "definition": None}
    payload: Json = [{"clientId": "28600:60526", "node": node}]
    added = Intent(Kind.SUPPLIER, "28600:60526#1", "ledger", payload, "h", look_up=look_up, owner_code=28600)
    world.outbox().store_intents([added])
    columns = "side, owner_code, code, version_no, swift, bank_routing, state"
    assert copied(world, "sent_partners", columns) == [("supplier", 28600, "60526", 1, "SPARNO22", "021000089", "todo")]
