"""A document that was decided on by its number before it was read keeps the decision when its number changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from pipelines.steering.by_number import note_decided_documents
from pipelines.steering.decisions import Decision, ignored_row, insert_decision, standing_hold
from pipelines.steering.find_document import Document
from pipelines.stores.control import named_statements
from tests.expectations.world import World

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

AT = "2026-11-01T10:00:00.000000+00:00"
READ = Document("2707400", 1, "28601")
RENUMBERED = Document("2707400R", 1, "28601")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.warehouse.execute("CREATE SCHEMA stg_vms")
    columns = "document_no VARCHAR, document_key BIGINT, company_code VARCHAR"
    world.warehouse.execute(f"CREATE TABLE stg_vms.documents ({columns})")
    yield world
    world.close()


def _decide(world: World, action: str, *, company: str | None = None, key: int | None = None) -> None:
    decision = Decision(action, "document", company, key, READ.number, "price disputed", "ola", AT)
    with world.control.write() as connection:
        insert_decision(connection, decision)
        if action == "ignore":
            connection.execute(named_statements("decisions")["ignore"], asdict(decision))


def _read(world: World, *documents: Document) -> None:
    rows = [(document.number, document.key, document.company) for document in documents]
    for row in rows:
        world.warehouse.execute("INSERT INTO stg_vms.documents VALUES (?, ?, ?)", row)
    note_decided_documents(world.batch())


@pytest.mark.parametrize(("action", "found"), [("hold", standing_hold), ("ignore", ignored_row)])
def test_the_decision_follows_the_document_to_its_next_number(
    world: World, action: str, found: Callable[..., sqlite3.Row]
) -> None:
    _decide(world, action)
    assert found(world.control, RENUMBERED) is None
    _read(world, READ)
    standing = found(world.control, RENUMBERED)
    assert standing is not None
    assert standing["reason"] == "price disputed"


def test_what_was_released_stays_released(world: World) -> None:
    _decide(world, "hold")
    _decide(world, "release", key=1)
    _read(world, READ)
    assert standing_hold(world.control, RENUMBERED) is None


@pytest.mark.parametrize("other", [Document("2707400", 2, "28602"), Document("2707400", 1, "28602")])
def test_a_number_of_several_documents_or_of_another_company_stays_a_number(world: World, other: Document) -> None:
    _decide(world, "hold", company="28601" if other.key == 1 else None)
    _read(world, *([other] if other.key == 1 else [READ, other]))
    numbers = world.control.read(named_statements("decisions")["by_number_alone"])
    assert [row["document_no"] for row in numbers] == ["2707400"]
    assert standing_hold(world.control, READ) is not None


def test_a_decision_on_a_document_that_is_still_unread_waits(world: World) -> None:
    _decide(world, "hold")
    _read(world)
    assert standing_hold(world.control, READ) is not None
    assert standing_hold(world.control, RENUMBERED) is None
