"""The events of the outbox are chained, so that an auditor finds every edit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.outbox.chain import GENESIS, HASHED, verify_chain
from pipelines.outbox.entry import Move
from pipelines.outbox.intent import Intent, Kind, sha256
from pipelines.outbox.states import State
from tests.support.control_stores import KINDS, REFUSED, free_of_triggers, new_world
from tests.support.delivery_world import World


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with new_world(request.param, tmp_path) as made:
        yield made


def rate(key: str) -> Intent:
    return Intent(Kind.RATE, key, "vms", "1.5", "s")


def chained(world: World) -> World:
    outbox = world.outbox()
    outbox.store_intents([rate(key) for key in "abc"])
    outbox.begin([rate(key).id for key in "abc"])
    outbox.apply([Move(rate(key).id, State.SENT) for key in "abc"])
    return world


def test_an_untouched_chain_has_no_fault(world: World) -> None:
    assert verify_chain(world.control) == []
    assert verify_chain(chained(world).control) == []


def test_an_auditor_can_check_the_chain_without_us(world: World) -> None:
    previous = GENESIS
    for row in chained(world).control.read("SELECT * FROM outbox_events ORDER BY event_no"):
        text = json.dumps(
            {name: row[name] for name in HASHED}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        assert (row["previous_hash"], row["hash"]) == (previous, sha256(text))
        previous = row["hash"]


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        ("UPDATE outbox_events SET to_state = 'failed' WHERE event_no = 5", "event 5: was edited"),
        ("UPDATE outbox_events SET at = '2020' WHERE event_no = 1", "event 1: was edited"),
        ("DELETE FROM outbox_events WHERE event_no = 4", "event 5: event 4 is missing"),
        ("DELETE FROM outbox_events WHERE event_no = 9", "event 9: the events end at 8"),
        ("UPDATE outbox SET payload = '\"9\"' WHERE natural_key = 'a'", "its payload was edited"),
        ("UPDATE outbox SET state = 'todo' WHERE natural_key = 'a'", "is todo, but its last event says sent"),
    ],
)
def test_an_edit_is_found(world: World, edit: str, fault: str) -> None:
    with chained(world).control.write() as connection:
        free_of_triggers(connection, "outbox_events")
        connection.execute(edit)
    assert any(fault in f"{found.subject}: {found.message}" for found in verify_chain(world.control))


def test_events_can_be_neither_changed_nor_removed(world: World) -> None:
    chained(world)
    for statement in ("UPDATE outbox_events SET at = ''", "DELETE FROM outbox_events"):
        with pytest.raises(REFUSED, match="append-only"), world.control.write() as connection:
            connection.execute(statement)


def test_faults_are_listed_up_to_a_limit(world: World) -> None:
    outbox = world.outbox()
    outbox.store_intents([rate(str(number)) for number in range(150)])
    with world.control.write() as connection:
        connection.execute("UPDATE outbox SET payload = '0'")
    assert len(verify_chain(world.control)) == 100
