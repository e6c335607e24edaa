"""Of a large batch the first documents are acknowledged while the last are sent; all but the plain ones wait."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.core.errors import SettingsError
from pipelines.core.settings import Settings
from pipelines.load.steps import acknowledge, send_vouchers
from pipelines.load.vms import acknowledge as beside
from pipelines.load.vms.courier import CHUNK
from pipelines.outbox.intent import Kind
from pipelines.step.counts import Counts
from tests.support.delivery_world import World, make_settings, unanswered, voucher

ACK = Kind.ACKNOWLEDGEMENT
# Three mutations of 250 vouchers with two lines.
MANY = range(1, 751)
MUTATIONS = 3
PATIENCE = 20.0


@pytest.fixture
def world(tmp_path: Path) -> World:
    found = World(tmp_path / "ctl.sqlite")
    found.outbox().store_intents([voucher(key) for key in MANY])
    found.vms.statuses = dict.fromkeys(MANY, "RFP")
    return found


def send(world: World, told: list[str] | None = None) -> Counts:
    """Send and acknowledge, as the documents job does."""
    context = world.context(tell=(told if told is not None else []).append)
    # The drafts are stored already.
    counts = send_vouchers(context, ready_documents=lambda _: frozenset(MANY), among=())
    return counts + acknowledge(context)


def waiting_for(world: World, are_there: Callable[[], bool]) -> Callable[[int], None]:
    """Keep the ledger from taking the last vouchers before something has been done in the VMS."""

    def hook(number: int) -> None:
        if number == MUTATIONS:
            give_up = time.perf_counter() + PATIENCE
            while not are_there():
                assert time.perf_counter() < give_up, len(world.vms.puts)
                time.sleep(0.01)

    return hook


def test_the_first_are_acknowledged_before_the_last_are_sent(world: World) -> None:
    world.ledger.before = waiting_for(world, lambda: len(world.vms.puts) >= 250)
    assert send(world) == Counts(sent=len(MANY))
    assert Counter(world.vms.puts) == Counter(MANY)
    assert {*world.states(ACK).values()} == {"sent"}


def test_what_is_not_ready_any_more_is_told_once(world: World) -> None:
    world.vms.statuses[7] = "INV"
    world.ledger.before = waiting_for(world, lambda: len(world.vms.puts) >= 249)
    assert send(world) == Counts(sent=len(MANY), failed=1)
    assert (world.vms.statuses[7], world.vms.puts.count(7)) == ("INV", 0)
    assert world.breaks() == [("status moved", "7")]
    assert send(world) == Counts()


def test_a_reversal_still_waits_for_what_it_takes_back(world: World) -> None:
    with world.control.write() as connection:
        connection.execute(
            "UPDATE outbox SET look_up = json_set(look_up, '$.reverses', json('[750]')) WHERE document_key = 1"
        )
    world.ledger.before = waiting_for(world, lambda: len(world.vms.puts) >= 249)
    send(world)
    assert world.vms.puts.index(750) < world.vms.puts.index(1)
    assert Counter(world.vms.puts) == Counter(MANY)


def test_a_vms_that_is_down_holds_up_no_voucher(world: World) -> None:
    def down(_key: int) -> None:
        raise unanswered(sent=False)

    world.vms.before = down
    world.ledger.before = waiting_for(world, lambda: len(world.vms.puts) >= CHUNK)
    # What waits for the VMS to answer is no failure: the next run goes on with it.
    assert send(world) == Counts(sent=len(MANY))
    assert {*world.states(ACK).values()} == {"todo"}
    world.vms.before = lambda _: None
    assert send(world) == Counts()
    assert {*world.states(ACK).values()} == {"sent"}


def test_a_lost_answer_is_looked_up_by_the_step_behind(world: World) -> None:
    def lost(key: int) -> None:
        if key == 3:
            raise unanswered()

    world.vms.after = lost
    world.ledger.before = waiting_for(world, lambda: len(world.vms.puts) >= 250)
    told: list[str] = []
    assert send(world, told) == Counts(sent=len(MANY))
    assert (Counter(world.vms.puts), told) == (Counter(MANY), [])


def test_few_documents_are_acknowledged_behind_all_vouchers(tmp_path: Path) -> None:
    world = World(tmp_path / "few.sqlite", settings=make_settings(ledger={"nodes_per_mutation": 4}))
    world.outbox().store_intents([voucher(key) for key in range(1, 10)])
    world.vms.statuses = dict.fromkeys(range(1, 10), "RFP")
    seen: list[int] = []
    world.ledger.before = lambda _: seen.append(len(world.vms.puts))
    assert send(world).sent == 9
    assert ({*seen}, len(world.vms.puts)) == ({0}, 9)


def test_after_booking_means_after_booking(world: World) -> None:
    world.settings = make_settings(posting={"acknowledge": "posted"})
    world.warehouse.execute("CREATE TABLE map.sent_subjects (subject VARCHAR)")
    context = world.context()
    send_vouchers(context, ready_documents=lambda _: frozenset(MANY), among=())
    assert world.vms.puts == []


def test_what_goes_wrong_beside_ends_the_step(world: World) -> None:
    def broken(_key: int) -> None:
        raise ZeroDivisionError("a bug")

    world.vms.before = broken
    with pytest.raises(ZeroDivisionError):
        send_vouchers(world.context(), ready_documents=lambda _: frozenset(MANY), among=())
    # A call that may have been made is looked up before anything else is done with it.
    assert "sending" in world.states(ACK).values()
    world.vms.before = lambda _: None
    assert send(world).failed == 0
    assert {*world.states(ACK).values()} == {"sent"}


def test_a_store_that_is_lost_meanwhile_is_not_begun_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def lost(settings: Settings) -> None:
        asked.append(settings.control_path)
        raise SettingsError("The control store is missing.")

    monkeypatch.setattr(beside, "refuse_lost_control", lost)
    with pytest.raises(SettingsError):
        send_vouchers(world.context(), ready_documents=lambda _: frozenset(MANY), among=())
    assert asked == [world.path]
