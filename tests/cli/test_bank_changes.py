"""Bank accounts that change are on record, wait for a second person, and are asked for again when they come again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipelines.core.errors import UsageError
from pipelines.steering.bank_changes import confirm_changes, note_bank_changes, open_changes
from pipelines.step.counts import Counts
from tests.expectations.world import World

if TYPE_CHECKING:
    from pathlib import Path

Change = tuple[str, str, str, str]
OLD, NEW = "86011117947", "12345678903"
FIRST: Change = ("60504", "Elbe", OLD, NEW)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def _note(
    world: World, *changes: Change, there: str = OLD, is_dry_run: bool = False, operator: str = "schedule"
) -> Counts:
    """Note what the models say, in a run of ``operator``; ``there`` is the account the ledger has."""
    world.warehouse.execute(
        "CREATE OR REPLACE TABLE map.supplier_banks AS "
        "SELECT '60504' AS code, CAST(? AS VARCHAR) AS bank_account, 'DNBANOKK' AS sent_swift, "
        "CAST(NULL AS VARCHAR) AS sent_routing",
        [there],
    )
    world.warehouse.execute(
        "CREATE OR REPLACE TABLE post.bank_changes "
        "(code VARCHAR, description VARCHAR, old_account VARCHAR, new_account VARCHAR)"
    )
    world.warehouse.execute(
        "CREATE OR REPLACE TABLE post.seen_accounts AS "
        "SELECT 7 AS partner_key, 0 AS owner_code, 501 AS ledger_db_id, '60504' AS code, "
        "CAST(? AS VARCHAR) AS bank_account",
        [there],
    )
    for change in changes:
        world.warehouse.execute("INSERT INTO post.bank_changes VALUES (?, ?, ?, ?)", list(change))
    return note_bank_changes(replace(world.batch(is_dry_run=is_dry_run), operator=operator))


def _confirm(world: World, *, operator: str = "ola") -> None:
    changes = open_changes(world.control, "60504")
    confirm_changes(world.control, changes, operator=operator, reason="called them", at="2026-11-02")


def _decisions(world: World) -> list[str | None]:
    return [row["decision"] for row in world.control.read("SELECT decision FROM bank_changes ORDER BY change_id")]


def _holds(world: World) -> list[str]:
    rows = world.control.read("SELECT message FROM holds WHERE rule = 'bank_change' AND until IS NULL")
    return [row["message"] for row in rows]


def test_a_change_is_noted_and_shown_once(world: World) -> None:
    assert _note(world, FIRST) == Counts(breaks=1)
    assert _note(world, FIRST) == Counts(breaks=1)
    assert _decisions(world) == [None]
    (message,) = _holds(world)
    assert "from …7947 to …8903" in message


def test_no_message_shows_an_account_in_full(world: World) -> None:
    _note(world, FIRST)
    assert not any(OLD in message or NEW in message for message in _holds(world))


def test_a_confirmed_change_waits_no_more(world: World) -> None:
    _note(world, FIRST)
    _confirm(world)
    assert _note(world, FIRST) == Counts()
    assert (_decisions(world), _holds(world)) == (["confirm"], [])


def test_a_change_that_has_arrived_is_applied(world: World) -> None:
    _note(world, FIRST)
    _confirm(world)
    _note(world, there=NEW)
    assert _decisions(world) == ["applied"]


def test_a_change_taken_back_is_withdrawn(world: World) -> None:
    _note(world, FIRST)
    _note(world)
    assert (_decisions(world), _holds(world)) == (["withdrawn"], [])


def test_the_same_change_later_is_asked_for_again(world: World) -> None:
    _note(world, FIRST)
    _confirm(world)
    _note(world, there=NEW)
    assert _note(world, FIRST) == Counts(breaks=1)
    assert _decisions(world) == ["applied", None]


def test_another_account_before_the_word_replaces_the_first(world: World) -> None:
    _note(world, FIRST)
    _note(world, ("60504", "Elbe", OLD, "97100000000"))
    assert _decisions(world) == ["withdrawn", None]
    (message,) = _holds(world)
    assert "to …0000" in message


def test_a_word_for_one_account_is_none_for_another(world: World) -> None:
    _note(world, FIRST)
    _confirm(world)
    assert _note(world, ("60504", "Elbe", OLD, "97100000000")) == Counts(breaks=1)
    assert _decisions(world) == ["withdrawn", None]


def test_the_word_is_on_record_with_its_name(world: World) -> None:
    _note(world, FIRST)
    _confirm(world)
    (row,) = world.control.read("SELECT action, subject, document_no, operator FROM decisions")
    assert tuple(row) == ("confirm", "supplier", "60504", "ola")


def test_a_swift_code_waits_with_its_account(world: World) -> None:
    change = ("60504", "Elbe", f"{OLD} (SWIFT SPRBNO22)", f"{OLD} (SWIFT DNBANOKK)")
    _note(world, change)
    assert f"from …{OLD[-4:]} (SWIFT SPRBNO22) to …{OLD[-4:]} (SWIFT DNBANOKK)" in _holds(world)[0]
    _confirm(world)
    _note(world)
    assert (_decisions(world), _holds(world)) == (["applied"], [])


def test_a_dry_run_leaves_no_trace(world: World) -> None:
    _note(world, FIRST, is_dry_run=True)
    assert (_decisions(world), _holds(world)) == ([], [])


@pytest.mark.parametrize("name", ["kari", "Kari", " kari "])
def test_whoever_saw_it_first_cannot_release_it(world: World, name: str) -> None:
    _note(world, FIRST, operator="kari")
    assert "run by anybody but kari" in _holds(world)[0]
    _note(world, FIRST, operator="ola")
    with pytest.raises(UsageError, match="a second person has to look at it"):
        _confirm(world, operator=name)
    assert _decisions(world) == [None]
    _confirm(world, operator="ola")
    assert _decisions(world) == ["confirm"]


def test_a_change_that_comes_again_has_another_first_person(world: World) -> None:
    _note(world, FIRST, operator="kari")
    _note(world, operator="kari")
    _note(world, FIRST, operator="ola")
    with pytest.raises(UsageError):
        _confirm(world, operator="ola")
    _confirm(world, operator="kari")


@pytest.mark.parametrize("name", ["schedule", "Schedule", "unknown", ""])
def test_a_schedule_releases_nothing_and_bars_nobody(world: World, name: str) -> None:
    _note(world, FIRST, operator="schedule")
    assert "run by a second person" in _holds(world)[0]
    with pytest.raises(UsageError, match="a person with a name"):
        _confirm(world, operator=name)
    _confirm(world, operator="kari")
    assert _decisions(world) == ["confirm"]


def test_one_change_of_several_that_was_seen_bars_from_all(world: World) -> None:
    _note(world, FIRST, operator="kari")
    _note(world, FIRST, ("60504", "Elbe", "97100000000", NEW), operator="ola")
    for name in ("kari", "ola"):
        with pytest.raises(UsageError):
            _confirm(world, operator=name)
    _confirm(world, operator="per")
    assert _decisions(world) == ["confirm", "confirm"]


def test_what_the_ledger_has_is_kept_by_the_partners_key(world: World) -> None:
    for account in (OLD, NEW):
        _note(world, there=account)
        rows = world.control.read("SELECT partner_key, ledger_db_id, code, bank_account FROM supplier_accounts")
        assert [tuple(row) for row in rows] == [(7, 501, "60504", account)]
