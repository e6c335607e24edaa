"""The ledger's import and posting job: what is booked, what is refused and why.

Source: docs/systems/ledger.md#4, #a3 to #a11, #a21.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.ledger_world import ADD_ITEMS, World, invoice, items, line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ERRORS = "{ glImportItemErrors(first: 99){ edges{ node{ transactionDbId message errorLevel{ code name } } } } }"
ITEMS = "{ glImportItems(first: 99){ edges{ node{ dbId jobLevel{ dbSubId name } fiscalYear fiscalPeriod } } } }"
UPDATE = (
    "mutation($in:[UpdateGLImportItemsInput!]!){ updateGLImportItems(inputs:$in){ edges{ node{ jobLevel{ name } } } } }"
)

HEADER = (
    "transactionNumber text postedDate importedAt transactionSource{ code } jobLevel{ name } period{ year monthNumber }"
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def problems(world: World) -> list[str]:
    return [node["message"] for node in world.nodes(ERRORS)]


def booked(world: World, number: int = 9131) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.control(f"vouchers?trRegNumber={number}")
    return found


def test_a_posted_voucher_stands_in_all_its_books(world: World) -> None:
    world.add(*invoice())
    world.clock.advance(90)
    assert world.post() == {"posted": 1, "failed": 0}
    assert {node["jobLevel"]["name"] for node in world.nodes(ITEMS)} == {"DONE"}
    header = {
        "transactionNumber": 120002,
        "text": "9131 Nordic Agency AS",
        "postedDate": "2026-11-02",
        "importedAt": "2026-11-02T09:01:30",
        "transactionSource": {"code": "AP"},
        "jobLevel": {"name": "DONE"},
        "period": {"year": 2026, "monthNumber": 11},
    }
    by_text = 'first: 9, filter: {text: "9131 Nordic Agency AS"}'
    assert world.rows("journalHeaders", HEADER, by_text) == [header]
    subledger = f"invoiceNumber amount invoiceAmount invoiceRemaining matchId dueDate transactionHeader{{ {HEADER} }}"
    assert world.rows("apTransactions", subledger) == [
        {
            "invoiceNumber": "F-881",
            "amount": "-10500.00",
            "invoiceAmount": "-1000.00",
            "invoiceRemaining": "-1000.00",
            "matchId": 0,
            "dueDate": "2026-12-01",
            "transactionHeader": header,
        }
    ]
    codes = "exchangeRate paymentStatus{ name } slTransactionType{ name } subledger{ code } account{ code }"
    assert world.rows("apTransactions", codes) == [
        {
            "exchangeRate": 10.5,
            "paymentStatus": {"name": "OPEN"},
            "slTransactionType": {"name": "INVOICE"},
            "subledger": {"code": "60526"},
            "account": {"code": "2400"},
        }
    ]
    dimensions = "glDimension{ glObject1{ code } glObject2{ code } }"
    selection = (
        f"amount invoiceAmount account{{ code balanceSheet }} currency{{ code }} {dimensions} header{{ {HEADER} }}"
    )
    assert world.rows("transactions", selection, "last: 2")[0] == {
        "amount": "10500.00",
        "invoiceAmount": "1000.00",
        "account": {"code": "4300", "balanceSheet": False},
        "currency": {"code": "USD"},
        "glDimension": {"glObject1": {"code": "V001"}, "glObject2": {"code": "V001-2601"}},
        "header": header,
    }


def test_a_second_run_posts_nothing(world: World) -> None:
    world.add(*invoice())
    world.post()
    assert world.post() == {"posted": 0, "failed": 0}
    assert len(booked(world)) == 1


@pytest.mark.parametrize(
    ("source", "amount", "account", "kind"),
    [
        ("AP", "-10.00", "2400", "INVOICE"),
        ("AP", "10.00", "2400", "CREDIT_MEMO"),
        ("AR", "10.00", "1500", "INVOICE"),
        ("AR", "-10.00", "1500", "CREDIT_MEMO"),
    ],
)
def test_the_sign_tells_an_invoice_from_a_credit_memo(
    world: World, source: str, amount: str, account: str, kind: str
) -> None:
    counter = amount.removeprefix("-") if amount.startswith("-") else f"-{amount}"
    more: dict[str, Any] = {"transactionSource": {"code": source}}
    world.add(line(account, amount, subledger={"code": "70001"}, **more), line("4310", counter, **more))
    assert world.post()["posted"] == 1
    name = source.lower() + "Transactions"
    (row,) = world.nodes(f"{{ {name}(first: 9){{ edges{{ node{{ slTransactionType{{ name }} }} }} }} }}")
    assert row == {"slTransactionType": {"name": kind}}


def test_a_taxed_line_is_split_into_net_and_vat(world: World) -> None:
    control, cost = invoice(amount="1187.57")
    world.add(control, cost | {"taxRule": {"code": "1"}})
    world.post()
    lines = {entry["account"]: entry for entry in booked(world)[0]["lines"]}
    assert {code: (entry["invoiceAmount"], entry["amount"]) for code, entry in lines.items()} == {
        "2400": ("-1187.57", "-12469.48"),
        "4300": ("950.06", "9975.58"),
        "2710": ("237.51", "2493.90"),
    }
    assert lines["2710"]["isTax"] is True
    assert lines["4300"]["taxAmount"] == "2493.90"


def test_tax_is_rounded_to_the_minor_unit_of_each_currency(world: World) -> None:
    yen: dict[str, Any] = {"currency": {"code": "JPY"}, "transactionSource": {"code": "AR"}}
    control, revenue = (
        line("1500", "999", amount="69.10", subledger={"code": "70001"}, **yen),
        line("3000", "-999", amount="-69.10", **yen),
    )
    world.add(control, revenue | {"taxRule": {"code": "1"}})
    world.post()
    lines = {entry["account"]: (entry["invoiceAmount"], entry["amount"]) for entry in booked(world)[0]["lines"]}
    assert lines["2700"] == ("-200.00", "-13.82")
    assert lines["3000"] == ("-799.00", "-55.28")


def test_rule_0_adds_no_tax_row(world: World) -> None:
    control, cost = invoice()
    world.add(control, cost | {"taxRule": {"code": "0"}})
    world.post()
    assert len(booked(world)[0]["lines"]) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"amount": "10500.05"}, "Voucher does not balance: amount sums to 0.05 NOK."),
        ({"invoiceAmount": "999.99"}, "Voucher does not balance: invoiceAmount sums to -0.01 USD."),
        ({"project": None}, "Account 4300 requires project."),
        ({"project": {"code": "V002-2601"}}, "Project V002-2601 is not open on 2026-11-02."),
        ({"account": {"code": "2400"}}, "Account 2400 requires a subledger."),
        ({"account": None}, "Account is missing."),
        ({"amount": None}, "Amount is missing."),
    ],
)
def test_what_cannot_be_booked_is_said_and_not_booked(world: World, change: dict[str, Any], message: str) -> None:
    control, cost = invoice()
    world.add(control, {name: value for name, value in (cost | change).items() if value is not None})
    assert world.post() == {"posted": 0, "failed": 1}
    assert problems(world) == [message]
    assert {node["jobLevel"]["name"] for node in world.nodes(ITEMS)} == {"ERROR"}
    assert booked(world) == []


@pytest.mark.parametrize(("day", "count"), [("2026-01-01", 1), ("2026-03-31", 1), ("2026-04-01", 0), ("2025-12-31", 0)])
def test_a_project_takes_what_lies_between_its_dates(world: World, day: str, count: int) -> None:
    on_project = [item | {"postedDate": day, "project": {"code": "V002-2601"}} for item in invoice()]
    world.add(*on_project)
    assert world.post()["posted"] == count
    assert problems(world) == [f"Project V002-2601 is not open on {day}."] * (0 if count else 2)


def test_a_voucher_needs_no_control_line(world: World) -> None:
    both: dict[str, Any] = {"transactionSource": {"code": "GL"}}
    world.add(line("4310", "800.00", **both, text="BT-1 moved"), line("4310", "-800.00", **both, text="moved"))
    assert world.post() == {"posted": 1, "failed": 0}
    assert booked(world)[0]["text"] == "BT-1 moved"


def test_a_supplier_is_no_customer_of_a_receivables_account(world: World) -> None:
    (supplier,) = world.nodes('{ suppliers(first: 1, filter: {code: "60526"}){ edges{ node{ dbId } } } }')
    answer = world.answer(ADD_ITEMS, items(line("1500", "1.00", subledger=supplier)))
    assert answer["errors"][0]["message"].startswith("subledger.dbId: No value matching owner")


def test_a_closed_period_is_an_error_of_the_first_line(world: World) -> None:
    world.control("periods", {"owner": 28601, "period": "2026-11"})
    edges = world.add(*invoice())
    world.post()
    assert world.nodes(ERRORS) == [
        {
            "transactionDbId": int(edges[0]["node"]["dbId"]),
            "message": "Period 2026/11 is closed.",
            "errorLevel": {"code": "E", "name": "ERROR"},
        }
    ]


def test_several_currencies_need_balance_in_company_currency_only(world: World) -> None:
    control, cost = invoice()
    world.add(control, cost | {"currency": {"code": "NOK"}, "invoiceAmount": "10500.00"})
    assert world.post() == {"posted": 1, "failed": 0}


def test_missing_amounts_follow_from_rate_and_currency(world: World) -> None:
    world.add(
        line("2400", "-1000.00", amount=None, exchangeRate=10.5012, subledger={"code": "60526"}),
        line("4310", "10501.20", currency={"code": "NOK"}, invoiceAmount=None, amount="10501.20"),
    )
    world.post()
    assert [entry["amount"] for entry in booked(world)[0]["lines"]] == ["-10501.20", "10501.20"]


def test_vouchers_are_grouped_by_entity_source_number_and_day(world: World) -> None:
    world.add(
        *invoice(),
        *invoice(number=2),
        *invoice(postedDate="2026-11-03"),
        *invoice(transactionSource={"code": "GL"}),
        *invoice(owner={"ownerCode": 28602}),
    )
    assert world.post() == {"posted": 5, "failed": 0}


def test_one_bad_voucher_does_not_hold_back_the_others(world: World) -> None:
    world.add(*invoice(), *invoice(number=2, project={"code": "V002-2601"}), *invoice(number=3))
    assert world.post() == {"posted": 2, "failed": 1}


def test_the_header_text_is_that_of_the_first_item_number(world: World) -> None:
    world.add(*reversed(invoice()))
    world.post()
    assert booked(world)[0]["text"] == "9131 Nordic Agency AS"


def test_hours_under_other_settings_are_not_made_up_for(world: World) -> None:
    world.add(*invoice())
    world.clock.advance(7200)
    world.settings(posting_every_minutes=30)
    assert booked(world) == []
    world.clock.advance(1800)
    assert len(booked(world)) == 1


def test_the_job_runs_at_its_hours(world: World) -> None:
    world.settings(posting_every_minutes=30)
    world.clock.set(datetime(2026, 11, 2, 8, 5, tzinfo=UTC))
    world.add(*invoice())
    world.clock.set(datetime(2026, 11, 2, 8, 29, tzinfo=UTC))
    assert booked(world) == []
    world.clock.set(datetime(2026, 11, 2, 8, 30, tzinfo=UTC))
    assert len(booked(world)) == 1
    world.clock.set(datetime(2026, 11, 2, 17, 5, tzinfo=UTC))
    world.add(*invoice(number=2))
    world.clock.set(datetime(2026, 11, 3, 4, 59, tzinfo=UTC))
    assert booked(world, 2) == []
    world.clock.set(datetime(2026, 11, 3, 5, 0, tzinfo=UTC))
    assert len(booked(world, 2)) == 1
