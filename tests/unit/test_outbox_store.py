"""The outbox keeps intents, and moves them only along the allowed ways."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.outbox.chain import verify_chain
from pipelines.outbox.entry import Move
from pipelines.outbox.intent import Intent, Json, Kind, canonical_json, intent_id, read_json
from pipelines.outbox.states import TRANSITIONS, ForbiddenTransition, State, check_transition
from tests.support.control_stores import KINDS, new_world
from tests.support.delivery_world import World, voucher


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with new_world(request.param, tmp_path) as made:
        yield made


def rate(key: str, payload: Json = "1.5", source: str = "s") -> Intent:
    return Intent(Kind.RATE, key, "vms", payload, source)


def events(world: World) -> list[tuple[str | None, str, str | None]]:
    rows = world.control.read("SELECT from_state, to_state, detail FROM outbox_events ORDER BY event_no")
    return [(row["from_state"], row["to_state"], row["detail"]) for row in rows]


def test_an_id_is_the_same_for_the_same_kind_and_key() -> None:
    assert voucher(7).id == intent_id("voucher", "7") != intent_id("acknowledgement", "7")
    assert len(voucher(7).id) == 32


def test_canonical_json_is_what_any_other_writer_writes() -> None:
    value: Json = {"b": ['ø\n"\x1f\u2028', None, True, -3], "a": {"é": "", "A": "x"}}
    assert canonical_json(value) == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_a_decimal_keeps_its_digits_in_a_payload() -> None:
    assert canonical_json({"rate": Decimal("0.100000000")}) == '{"rate":0.100000000}'
    assert read_json('{"rate":0.100000000}') == {"rate": Decimal("0.100000000")}


def counts(world: World) -> dict[str, dict[str, int]]:
    """Count the intents by kind and state."""
    found: dict[str, dict[str, int]] = {}
    for kind, state, number in world.control.read(
        "SELECT kind, state, count(*) FROM outbox GROUP BY 1, 2 ORDER BY 1, 2"
    ):
        found.setdefault(kind, {})[state] = number
    return found


def test_new_intents_are_stored_as_todo_with_an_event_each(world: World) -> None:
    stored = world.outbox().store_intents([rate("a"), rate("b")])
    assert (stored, counts(world)) == ([rate("a").id, rate("b").id], {"rate": {"todo": 2}})
    assert events(world) == [(None, "todo", None)] * 2


def test_what_is_noted_outlives_a_power_cut(world: World) -> None:
    # At each commit the disk has it. In less, a call that was begun could be forgotten and made again. The test's
    # server has `off` for all other sessions.
    is_file = isinstance(world.place, Path)
    asked, told = ("PRAGMA synchronous", 2) if is_file else ("SELECT CURRENT_SETTING('synchronous_commit')", "on")
    assert world.control.one(asked) == told


def test_storing_the_same_again_changes_nothing(world: World) -> None:
    world.outbox().store_intents([rate("a")])
    assert world.outbox().store_intents([rate("a")]) == []
    assert len(events(world)) == 1


def test_a_waiting_intent_takes_a_new_payload(world: World) -> None:
    world.outbox().store_intents([rate("a", "1")])
    assert world.outbox().store_intents([rate("a", "2")]) == [rate("a").id]
    assert world.outbox().payloads([rate("a").id]) == {rate("a").id: "2"}


@pytest.mark.parametrize("state", [State.SENDING, State.UNKNOWN, State.SENT])
def test_a_payload_that_may_have_left_is_frozen(world: World, state: State) -> None:
    outbox = world.outbox()
    outbox.store_intents([rate("a", "1")])
    outbox.begin([rate("a").id])
    if state is not State.SENDING:
        outbox.apply([Move(rate("a").id, state)])
    assert outbox.store_intents([rate("a", "2")]) == []
    assert outbox.payloads([rate("a").id]) == {rate("a").id: "1"}


def test_what_was_sent_keeps_the_source_it_was_made_from(world: World) -> None:
    outbox = world.outbox()
    outbox.store_intents([rate("a", source="before")])
    outbox.begin([rate("a").id])
    outbox.apply([Move(rate("a").id, State.SENT)])
    assert outbox.store_intents([rate("a", source="after")]) == []
    assert world.control.one("SELECT source_hash FROM outbox") == "before"


def test_a_failed_intent_is_tried_again_but_not_as_a_follow_up(world: World) -> None:
    outbox = world.outbox()
    outbox.store_intents([rate("a"), rate("b"), rate("c")])
    outbox.apply([Move(rate("a").id, State.FAILED, "no", error_code="refused")])
    outbox.apply([Move(rate("b").id, State.SENT)], follow_up=[rate("a")])
    assert counts(world) == {"rate": {"failed": 1, "sent": 1, "todo": 1}}
    outbox.apply([Move(rate("c").id, State.SENT)], follow_up=[rate("a", "2")])
    assert counts(world) == {"rate": {"sent": 2, "todo": 1}}
    outbox.apply([Move(rate("a").id, State.FAILED, "no", error_code="refused")])
    assert outbox.store_intents([rate("a", "2")]) == [rate("a").id]


def test_attempts_time_and_error_follow_the_moves(world: World) -> None:
    outbox = world.outbox()
    outbox.store_intents([rate("a")])
    outbox.begin([rate("a").id])
    outbox.apply([Move(rate("a").id, State.FAILED, "refused by the VMS", error_code="refused")])
    [entry] = outbox.entries(Kind.RATE, [State.FAILED])
    assert (entry.attempts, entry.attempted_at) == (1, world.clock.now())
    assert (entry.error_code, entry.last_error) == ("refused", "refused by the VMS")
    outbox.store_intents([rate("a")])
    outbox.begin([rate("a").id])
    outbox.apply([Move(rate("a").id, State.SENT, remote_ids={"dbIds": ["5"]})])
    [entry] = outbox.entries(Kind.RATE, [State.SENT])
    assert (entry.attempts, entry.error_code, entry.last_error) == (2, None, None)
    assert entry.remote_ids == {"dbIds": ["5"]}


def test_only_the_allowed_ways_exist() -> None:
    for before in (None, *State):
        for after in State:
            if (before, after) in TRANSITIONS:
                check_transition(before, after, intent="i")
            else:
                with pytest.raises(ForbiddenTransition):
                    check_transition(before, after, intent="i")


def test_nothing_leads_out_of_sent() -> None:
    assert not [way for way in TRANSITIONS if way[0] is State.SENT]


def test_one_forbidden_move_undoes_the_whole_transaction(world: World) -> None:
    outbox = world.outbox()
    outbox.store_intents([rate("a"), rate("b")])
    with pytest.raises(ForbiddenTransition):
        outbox.apply([Move(rate("a").id, State.SENDING), Move(rate("b").id, State.UNKNOWN)])
    assert counts(world) == {"rate": {"todo": 2}}


def test_follow_up_is_stored_with_the_settlement_or_not_at_all(world: World) -> None:
    outbox = world.outbox()
    outbox.store_intents([rate("a")])
    with pytest.raises(ForbiddenTransition):
        outbox.apply([Move(rate("a").id, State.UNKNOWN)], follow_up=[rate("b")])
    assert counts(world) == {"rate": {"todo": 1}}
    outbox.apply([Move(rate("a").id, State.SENT)], follow_up=[rate("b")])
    assert counts(world) == {"rate": {"sent": 1, "todo": 1}}


def test_what_was_in_flight_at_start_up_is_unknown(world: World) -> None:
    outbox = world.outbox()
    outbox.store_intents([rate("a"), rate("b"), voucher(1)])
    outbox.begin([rate("a").id, voucher(1).id])
    assert outbox.recover([Kind.RATE]) == 1
    assert counts(world) == {"rate": {"todo": 1, "unknown": 1}, "voucher": {"sending": 1}}
    assert outbox.recover([Kind.RATE]) == 0


def test_the_latest_version_of_a_stem_is_found(world: World) -> None:
    outbox = world.outbox()
    outbox.store_intents([rate(key) for key in ("x#1", "x#2", "x#10", "x#1#7", "xy#3")])
    found = outbox.versions(Kind.RATE, ["x", "x#1", "y"])
    assert {stem: version.number for stem, version in found.items()} == {"x": 10, "x#1": 7}


def test_what_is_known_only_when_a_call_begins_is_part_of_what_was_sent(world: World) -> None:
    world.outbox().store_intents([rate("a"), rate("b")])
    ids = [rate("a").id, rate("b").id]
    world.outbox().begin(ids, notes={ids[0]: "with a file"}, payloads={ids[0]: "2.5"})
    assert world.outbox().payloads(ids) == {ids[0]: "2.5", ids[1]: "1.5"}
    assert events(world)[2:] == [("todo", "sending", "with a file"), ("todo", "sending", None)]
    assert verify_chain(world.control) == []


def test_the_payload_of_what_may_have_left_stays(world: World) -> None:
    world.outbox().store_intents([rate("a")])
    world.outbox().begin([rate("a").id])
    with pytest.raises(ForbiddenTransition):
        world.outbox().begin([rate("a").id], payloads={rate("a").id: "2.5"})
    world.outbox().apply([Move(rate("a").id, State.SENT)], payloads={rate("a").id: "2.5"})
    assert world.outbox().payloads([rate("a").id]) == {rate("a").id: "1.5"}
    assert verify_chain(world.control) == []
