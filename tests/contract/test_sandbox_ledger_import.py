"""The ledger's import: items as received, corrected, removed and sent twice.

Source: docs/systems/ledger.md#4, #a1, #a3, #a4.
"""

from __future__ import annotations

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


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def problems(world: World) -> list[str]:
    return [node["message"] for node in world.nodes(ERRORS)]


def booked(world: World, number: int = 9131) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.control(f"vouchers?trRegNumber={number}")
    return found


def test_accepted_lines_wait_and_are_not_in_the_books(world: World) -> None:
    edges = world.add(*invoice())
    assert [edge["node"]["jobLevel"] for edge in edges] == [{"dbSubId": 1, "name": "READY"}] * 2
    assert world.nodes("{ apTransactions(first: 9){ edges{ node{ dbId } } } }") == []
    assert booked(world) == []


def test_items_are_kept_word_for_word(world: World) -> None:
    nodes = invoice(extIdentifier="602243", bankAccount="86011117947", extOrderNumber="2707400", xgl={"code": "DLVMS"})
    world.add(*nodes)
    assert [item["node"] for item in world.control("import-items?trRegNumber=9131")] == nodes
    world.post()
    (voucher,) = booked(world)
    assert [entry["sent"] for entry in voucher["lines"]] == nodes
    assert voucher["lines"][0]["subledgerRow"]["extIdentifier"] == "602243"


def test_a_failed_voucher_waits_for_a_correction(world: World) -> None:
    control, cost = invoice()
    edges = world.add(control, cost | {"amount": "10500.05"})
    assert world.post() == {"posted": 0, "failed": 1}
    assert world.post() == {"posted": 0, "failed": 0}
    update = {"in": [{"node": {"dbId": edges[1]["node"]["dbId"], "amount": "10500.00"}}]}
    (edge,) = world.ask(UPDATE, update)["updateGLImportItems"]["edges"]
    assert edge["node"] == {"jobLevel": {"name": "READY"}}
    assert world.post() == {"posted": 1, "failed": 0}
    assert problems(world) == []
    assert world.control("import-items")[1]["node"] == cost | {"amount": "10500.00"}
    assert "already posted" in world.answer(UPDATE, update)["errors"][0]["message"]


def test_a_person_may_remove_what_is_not_posted(world: World) -> None:
    edges = world.add(*invoice(), *invoice(number=2, project=None))
    rows = [int(edge["node"]["dbId"]) for edge in edges]
    world.post()
    assert world.hand("import-items/remove", {"rows": rows[:1]}).json() == {
        "error": f"import item {rows[0]} is already posted"
    }
    assert world.control("import-items/remove", {"rows": rows[2:]}) == {"removed": 2}
    assert problems(world) == []


def test_a_voucher_sent_twice_is_booked_twice(world: World) -> None:
    world.add(*invoice())
    world.post()
    world.add(*invoice())
    world.post()
    assert len(booked(world)) == 2
    (warning,) = world.nodes(ERRORS)
    assert warning["errorLevel"] == {"code": "W", "name": "WARNING"}
    assert warning["message"] == "Invoice number F-881 is already registered on subledger 60526."


def test_strict_duplicates_refuse_a_known_voucher(world: World) -> None:
    world.settings(strict_duplicates=True)
    world.add(*invoice())
    answer = world.answer(ADD_ITEMS, items(*invoice()))
    assert answer["errors"][0]["message"] == "trRegNumber: Voucher 9131 was imported before."


def test_fiscal_periods_follow_from_the_posted_date(world: World) -> None:
    world.add(line("4310", "1.00", postedDate="2026-03-31"))
    assert [(node["fiscalYear"], node["fiscalPeriod"]) for node in world.nodes(ITEMS)] == [(2026, 3)]
