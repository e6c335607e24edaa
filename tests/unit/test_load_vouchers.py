"""Voucher lines become nodes of addGLImportItems, field for field as docs/mapping.md#1-1 and #1-9 have them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.core.errors import SpringlineError
from pipelines.load.ledger.vouchers import deliver_vouchers, store_voucher_intents, voucher_intent, voucher_node
from tests.support.delivery_world import World

KEY = 5200777
VOUCHER = {
    "document_key": KEY,
    "document_no": "2707400",
    "company_code": "28601",
    "company": 28601,
    "voucher_type": "AP",
    "voucher_no": KEY,
    "posting1": "V001",
    "posting2": "V001-2601",
    "currency": "USD",
    "company_currency": "NOK",
    "voucher_date": date(2026, 11, 2),
    "fiscal_year": 2026,
    "period_no": 11,
    "invoice_no": "F-881",
    "x_identifier": "602243",
    "ext_order_number": "2707400",
    "job_level": 1,
    "content_hash": "c0ffee",
}
CONTROL = {
    "line_kind": "control",
    "direction": None,
    "account": "2400",
    "posting3": None,
    "xgl": None,
    "subledger_no": "60526",
    "subledger_bank_account": "86011117947",
    "tax_rule": None,
    "invoice_date": date(2026, 11, 2),
    "text": "2707400 Nordic Agency AS",
}
DETAIL = {
    "line_kind": "detail",
    "direction": 1,
    "posting3": "FS",
    "xgl": "DLVMS",
    "subledger_no": None,
    "subledger_bank_account": None,
    "due_date": None,
    "tax_rule": "1",
    "invoice_date": None,
}


def line(number: int, kind: Mapping[str, Any], currency_amount: str, amount: str, **more: object) -> dict[str, Any]:
    amounts = {"currency_amount": Decimal(currency_amount), "amount": Decimal(amount)}
    given = {**VOUCHER, **kind, "tr_item_number": number, **amounts, **more}
    # Without mapping files the VMS's codes are the ledger's.
    had = {
        "vms_account": given.get("account"),
        "vms_vessel_code": given["posting1"],
        "vms_voyage_no": given["posting2"],
        "vms_partner_code": given["subledger_no"],
        "mapping_rules": None,
    }
    return {**had, **given}


# docs/mapping.md#1-9
WORKED_OUT = [
    line(1, CONTROL, "-1187.5000", "-12468.7500", due_date=date(2026, 12, 1)),
    line(2, CONTROL, "-62.5000", "-656.2500", due_date=date(2027, 1, 1)),
    line(3, DETAIL, "750.0000", "7875.0000", account="4300", text="Agency fee"),
    line(4, DETAIL, "500.0000", "5250.0000", account="4310", text="Towage"),
]


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "ctl.sqlite")
    types = {int: "BIGINT", Decimal: "DECIMAL(38,4)", date: "DATE"}
    columns = [name for name in WORKED_OUT[0] if name not in {"document_no", "company_currency", "content_hash"}]
    kinds = {name: next((type(row[name]) for row in WORKED_OUT if row[name] is not None), str) for name in columns}
    ddl = ", ".join(f"{name} {types.get(kind, 'VARCHAR')}" for name, kind in kinds.items())
    world.warehouse.execute(f"CREATE TABLE post.draft_lines ({ddl})")
    for row in reversed(WORKED_OUT):
        values = {name: row[name] for name in columns}
        world.warehouse.execute("INSERT INTO post.draft_lines BY NAME SELECT UNNEST(?)", [values])
    world.warehouse.execute(
        "CREATE TABLE post.draft_vouchers (document_key BIGINT, partner_key BIGINT, document_no VARCHAR, "
        "company_currency VARCHAR, content_hash VARCHAR)"
    )
    world.warehouse.execute("INSERT INTO post.draft_vouchers VALUES (5200777, 7, '2707400', 'NOK', 'c0ffee')")
    return world


def test_a_control_line_has_every_field_of_the_mapping() -> None:
    assert voucher_node(WORKED_OUT[0]) == {
        "owner": {"ownerCode": 28601},
        "transactionSource": {"code": "AP"},
        "trRegNumber": KEY,
        "trItemNumber": 1,
        "account": {"code": "2400"},
        "subledger": {"code": "60526"},
        "bankAccount": "86011117947",
        "glObject1": {"code": "V001"},
        "project": {"code": "V001-2601"},
        "dueDate": "2026-12-01",
        "postedDate": "2026-11-02",
        "invoiceDate": "2026-11-02",
        "invoiceNumber": "F-881",
        "extIdentifier": "602243",
        "extOrderNumber": "2707400",
        "currency": {"code": "USD"},
        "invoiceAmount": "-1187.50",
        "amount": "-12468.75",
        "text": "2707400 Nordic Agency AS",
        "jobLevel": {"dbSubId": 1},
    }


def test_a_detail_line_has_its_dimensions_and_no_partner() -> None:
    node = voucher_node(WORKED_OUT[2])
    assert (node["glObject3"], node["xgl"], node["taxRule"]) == ({"code": "FS"}, {"code": "DLVMS"}, {"code": "1"})
    assert not {"subledger", "bankAccount", "dueDate", "invoiceDate"} & set(node)


@pytest.mark.parametrize(
    ("currency", "amount", "written"),
    [
        ("JPY", "-100000.0000", "-100000"),
        ("KWD", "1.2340", "1.234"),
        ("USD", "0.0000", "0.00"),
        ("NOK", "1E+3", "1000.00"),
    ],
)
def test_amounts_are_plain_text_in_minor_units(currency: str, amount: str, written: str) -> None:
    assert voucher_node(line(1, CONTROL, amount, "0", currency=currency, due_date=None))["invoiceAmount"] == written


def test_an_amount_finer_than_its_currency_is_a_bug() -> None:
    with pytest.raises(SpringlineError, match="not rounded"):
        voucher_node(line(1, CONTROL, "1.2350", "0", due_date=None))


def test_the_intent_holds_what_finds_the_voucher_again() -> None:
    intent = voucher_intent(WORKED_OUT)
    assert intent.look_up == {
        "lines": 4,
        "controls": 2,
        "turned": [],
        "source": "AP",
        "ext_order_number": "2707400",
        "posted_date": "2026-11-02",
        "text": "2707400 Nordic Agency AS",
        "invoice_number": "F-881",
        "subledger": "60526",
        "currency": "USD",
        "control_amount": "-1250.00",
    }
    assert (intent.natural_key, intent.owner_code, intent.source_hash) == ("5200777", 28601, "c0ffee")


def test_ready_documents_become_intents_line_by_line(world: World) -> None:
    stored = store_voucher_intents(world.context(), [KEY, 1])
    assert len(stored) == 1
    [payload] = world.outbox().payloads(stored).values()
    assert isinstance(payload, list)
    assert payload == [
        {"clientId": f"5200777-{row['tr_item_number']}", "node": voucher_node(row)} for row in WORKED_OUT
    ]


def test_a_document_that_is_not_ready_is_left_out(world: World) -> None:
    assert store_voucher_intents(world.context(), []) == []


def test_storing_twice_changes_nothing(world: World) -> None:
    store_voucher_intents(world.context(), [KEY])
    assert store_voucher_intents(world.context(), [KEY]) == []


def test_the_worked_out_voucher_arrives(world: World) -> None:
    store_voucher_intents(world.context(), [KEY])
    assert deliver_vouchers(world.context(), ready=[KEY], sleep=world.clock.sleep).sent == 1
    assert world.ledger.vouchers() == {KEY: [1, 2, 3, 4]}
