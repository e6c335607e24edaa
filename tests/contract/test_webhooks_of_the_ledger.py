"""Webhooks at the ledger: registered, looked at, removed, over a transport that answers as the vendor's sample does."""

from __future__ import annotations

import json
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pipelines.core.errors import Refused, Unclear
from pipelines.stores.control import Control
from pipelines.watch.webhooks.ledger_side import LedgerSide
from pipelines.watch.webhooks.shown import NEXT_STEPS
from pipelines.watch.webhooks.wanted import LEDGER_WANTED
from tests.support.webhook_calls import webhook_settings
from tests.support.wire_world import NOW, Reply, Wire, answer

if TYPE_CHECKING:
    from collections.abc import Iterator

WANTED = len(LEDGER_WANTED)


class Ledger:
    """Webhooks by id, as the ledger keeps them; ``fail`` is what the next requests that write are answered with."""

    def __init__(self) -> None:
        self.webhooks: dict[str, dict[str, Any]] = {}
        self.fail: list[Reply] = []
        self.requests = 0
        self._numbers = count(700)

    def handle(self, request: httpx.Request) -> Reply:
        self.requests += 1
        asked = json.loads(request.content)
        query, variables = asked["query"], asked["variables"]
        if query.startswith("mutation") and self.fail:
            return self.fail.pop(0)
        if "addWebhooks(" in query:
            [item] = variables["inputs"]
            number = str(next(self._numbers))
            self.webhooks[number] = {**item["node"], "state": "STARTING"}
            return answer({"data": {"addWebhooks": {"edges": [{"node": self.node(number)}]}}})
        if "removeWebhooks(" in query:
            if unknown := set(variables["dbIds"]) - self.webhooks.keys():
                return answer({"errors": [{"message": f"no webhook {unknown}"}]})
            for number in variables["dbIds"]:
                del self.webhooks[number]
            return answer({"data": {"removeWebhooks": {"numAffected": len(variables["dbIds"])}}})
        return answer({"data": {alias: self.node(number) for alias, number in variables.items()}})

    def node(self, number: str) -> dict[str, Any] | None:
        one = self.webhooks.get(number)
        return one and {"dbId": number, "url": one["url"], "state": {"code": one["state"]}}

    def set(self, state: str) -> None:
        for one in self.webhooks.values():
            one["state"] = state


class World:
    """One side of webhooks over such a ledger, with a control store of its own."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger()
        self.control = Control(folder / "ctl.sqlite")
        self._wire = Wire(self.ledger.handle)
        self._folder = folder

    def side(self, **webhooks: object) -> LedgerSide:
        settings = webhook_settings(self._folder, **webhooks)
        return LedgerSide(settings, self.control, self._wire.ledger(), now=lambda: NOW)

    def states(self) -> list[tuple[str, bool]]:
        rows = self.control.read("SELECT state, removed_at IS NULL AS stands FROM webhooks ORDER BY rowid")
        return [(row["state"], bool(row["stands"])) for row in rows]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    with closing(made.control):
        yield made


def test_registering_twice_makes_nothing_twice(world: World) -> None:
    assert {(one.state, one.done) for one in world.side().register()} == {("STARTING", "made")}
    told = world.ledger.webhooks["700"]
    assert (told["description"], told["url"]) == ("Springline: suppliers", "https://springline.example/webhooks/ledger")
    # Ids alone: no bank account travels.
    assert json.loads(told["serializedPayload"])["query"] == (
        "subscription { suppliers: suppliersMutated { edges { syncVersion node { dbId } } } }"
    )
    world.ledger.set("RUNNING")
    assert {(one.state, one.done) for one in world.side().register()} == {("RUNNING", "was there")}
    assert len(world.ledger.webhooks) == WANTED


def test_what_changed_while_they_were_made_is_looked_at(world: World) -> None:
    world.side().register()
    rows = world.control.read("SELECT DISTINCT job FROM webhook_events WHERE batch_id IS NULL ORDER BY 1")
    assert [row["job"] for row in rows] == ["master-data", "payments", "rates"]


@pytest.mark.parametrize("state", ["RUNNING", "RECOVERING", "PAUSED", "FAULTED"])
def test_states_are_followed_in_one_request(world: World, state: str) -> None:
    world.side().register()
    world.ledger.set(state)
    world.ledger.requests = 0
    found = world.side().verify()
    assert (len(found), {one.state for one in found}, world.ledger.requests) == (WANTED, {state}, 1)
    assert {one.next_step for one in found} == {NEXT_STEPS.get(state, "")}
    assert {one.is_well for one in found} == {state == "RUNNING"}
    assert set(world.states()) == {(state, True)}


def test_what_has_failed_for_good_or_calls_elsewhere_is_made_anew(world: World) -> None:
    world.side().register()
    world.ledger.set("RUNNING")
    world.ledger.webhooks["701"]["state"] = "FAULTED"
    del world.ledger.webhooks["702"]
    done = [one.done for one in world.side().register()]
    assert done == ["was there", "made", "made", *["was there"] * (WANTED - 3)]
    moved = world.side(url="https://elsewhere.example").register()
    assert {one.done for one in moved} == {"made"}
    assert {one["url"] for one in world.ledger.webhooks.values()} == {"https://elsewhere.example/webhooks/ledger"}
    assert len(world.ledger.webhooks) == WANTED


@pytest.mark.parametrize(
    "lost",
    [httpx.ReadTimeout("no answer"), answer({"data": {"addWebhooks": {"edges": None}}}), httpx.Response(502)],
    ids=["no answer", "no webhook", "gateway"],
)
def test_one_whose_fate_is_unknown_is_never_made_twice_unseen(world: World, lost: Reply) -> None:
    world.ledger.fail = [lost]
    with pytest.raises(Unclear, match="not known whether the webhook for suppliers was made"):
        world.side().register()
    assert world.states() == [("unknown", True)]
    # The others are made; this one waits for a person, who removes it there, and here.
    assert [one.state for one in world.side().register()] == ["unknown", *["STARTING"] * (WANTED - 1)]
    assert {one.done for one in world.side().remove()} == {"removed", "forgotten"}
    assert {one.done for one in world.side().register()} == {"made"}


def test_one_that_was_refused_leaves_no_note(world: World) -> None:
    world.ledger.fail = [answer({"errors": [{"message": "addWebhooks: no scope", "code": "FORBIDDEN"}]})]
    with pytest.raises(Refused, match="no scope"):
        world.side().register()
    assert world.states() == []


def test_removed_is_what_the_ledger_does_not_have_any_more(world: World) -> None:
    world.side().register()
    world.ledger.set("RUNNING")
    kept = answer({"data": {"removeWebhooks": {"numAffected": 0}}})
    world.ledger.fail = [kept]
    assert {(one.state, one.done) for one in world.side().remove()} == {("RUNNING", "still there")}
    # One that somebody has removed there is not asked for.
    del world.ledger.webhooks["703"]
    assert {one.done for one in world.side().remove()} == {"removed"}
    assert (world.ledger.webhooks, set(world.states())) == ({}, {("removed", False)})
    assert world.side().remove() == []
