"""`springline watch` in a process of its own: documents go by themselves, and everybody works beside it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.outbox.chain import verify_chain
from pipelines.watch.budget import REQUESTS
from tests.flow.watching import Harbour, harbour_of
from tests.flow.world import copies, sample_documents
from tests.support.control_stores import KINDS, new_schema

pytestmark = pytest.mark.system

HELD, GOOD = "2708031", "2706035"
# Assembled, and made ready one after the other.
KEYS = range(6_000_001, 6_000_011)
BACK = {"kind": "status", "status": 503}


@pytest.fixture(scope="module", params=KINDS)
def harbour(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harbour]:
    documents = [*sample_documents(HELD, GOOD), *copies(len(KEYS), first_key=KEYS[0], invoicingStatus="INV")]
    own: dict[str, Any] = {} if request.param == "sqlite" else {"SPRINGLINE_CONTROL": str(new_schema())}
    with harbour_of(tmp_path_factory.mktemp("watch"), documents, KEYS, **own) as harbour:
        yield harbour


def test_it_begins_with_everything_and_comes_to_rest(harbour: Harbour) -> None:
    harbour.start()
    harbour.until(lambda: harbour.is_posted(GOOD))
    harbour.until(lambda: harbour.batches("%publish%") > 0)
    assert harbour.batches("%reconcile%") == 1


def test_a_document_that_becomes_ready_goes_without_anybodys_doing(harbour: Harbour) -> None:
    number = harbour.make_ready()
    harbour.until(lambda: harbour.is_posted(number))
    assert len(harbour.world.sent()[number]) == 5


def test_an_idle_watch_asks_the_vms_alone(harbour: Harbour) -> None:
    batches = -1

    def is_at_rest() -> bool:
        nonlocal batches
        before, batches = batches, harbour.batches()
        time.sleep(4)
        return before == batches

    harbour.until(is_at_rest)
    harbour.world.requests()
    before = harbour.batches()
    time.sleep(5)
    asked = harbour.world.requests()
    assert harbour.batches() == before
    assert asked["vms"]
    assert not asked.get("ledger")


def test_a_run_beside_it_is_carried_out_by_it(harbour: Harbour) -> None:
    ended = harbour.command("run", "documents", "--json")
    assert (ended.exit_code, ended.json()["jobs"]["documents"]["held"]) == (14, 1)
    [(watch_id, operator, exit_code)] = harbour.world.rows(
        "SELECT watch_id, orders.operator, exit_code FROM orders JOIN batches USING (batch_id)"
    )
    assert watch_id
    assert operator
    assert exit_code == 14
    told = harbour.command("run", "documents")
    assert told.exit_code == 14
    assert "Nothing sent, 1 held" in told.out


@pytest.mark.parametrize("job", ["payments", "reconcile"])
def test_a_run_asks_the_ledger_for_no_more_than_was_planned(harbour: Harbour, job: str) -> None:
    harbour.world.requests()
    assert harbour.command("run", job).exit_code in {0, 16}
    assert 0 < sum(harbour.world.requests()["ledger"].values()) <= REQUESTS[job]


def test_a_dry_run_and_a_close_beside_it_take_their_turn(harbour: Harbour) -> None:
    dry = harbour.command("run", "documents", "--dry-run", "--json")
    assert (dry.exit_code, dry.json()["vouchers"]) == (14, [])
    closed = harbour.command("close", "2026-10", "--json")
    assert closed.json()["period"] == "2026-10"
    assert harbour.watch
    assert harbour.watch.poll() is None


def test_a_hold_beside_it_counts_at_once(harbour: Harbour) -> None:
    number = f"N{KEYS[1]}"
    assert harbour.command("hold", number, "--reason", "wait for me").exit_code == 0
    assert harbour.make_ready() == number
    [(latest,)] = harbour.world.rows("SELECT max(started_at) FROM batches")
    harbour.until(lambda: harbour.world.rows("SELECT max(started_at) FROM batches") > [(latest,)])
    assert number not in harbour.world.sent()
    assert harbour.command("release", number, "--reason", "seen").exit_code == 0
    harbour.until(lambda: harbour.is_posted(number))


def test_a_second_watch_is_refused(harbour: Harbour) -> None:
    assert harbour.watch
    ended = harbour.command("watch")
    assert ended.exit_code == 17
    assert f"process {harbour.watch.pid} on " in ended.err


def test_both_systems_go_away_and_come_back(harbour: Harbour) -> None:
    number = harbour.make_ready()
    for side in ("vms", "ledger"):
        harbour.world.sandbox.fault(side, BACK)
    time.sleep(5)
    assert harbour.watch
    assert harbour.watch.poll() is None
    harbour.world.sandbox.control("DELETE", "faults")
    harbour.until(lambda: harbour.is_posted(number))


def test_it_ends_in_the_middle_of_a_batch_within_five_seconds(harbour: Harbour) -> None:
    numbers = [harbour.make_ready() for _ in range(3)]
    # A VMS that does not answer for longer than anybody waits.
    harbour.world.sandbox.fault("vms", {"kind": "delay", "seconds": 30.0}, match={"method": "PUT"})
    harbour.until(lambda: set(numbers) <= harbour.world.sent().keys())
    seconds = harbour.end(signal.SIGTERM, signal.SIGTERM)
    assert harbour.watch
    assert (harbour.watch.returncode, seconds < 5) == (0, True), seconds
    assert not any(map(harbour.is_posted, numbers))
    harbour.world.sandbox.control("DELETE", "faults")


def test_it_goes_on_where_it_was_ended_or_killed(harbour: Harbour) -> None:
    harbour.start()
    numbers = [f"N{key}" for key in KEYS[:6]]
    harbour.until(lambda: all(map(harbour.is_posted, numbers)))
    last = harbour.make_ready()
    harbour.until(lambda: last in harbour.world.sent())
    harbour.kill()
    # Nobody ends the row of one that was killed, and it is in nobody's way.
    lives = harbour.lives()
    harbour.start()
    harbour.until(lambda: harbour.lives() > lives)
    harbour.until(lambda: harbour.is_posted(last))
    assert harbour.end(signal.SIGINT) < 5
    booked = harbour.world.booked()
    assert set(booked.values()) == {1}
    assert booked.keys() >= {*KEYS[:7]}
    control = harbour.world.control()
    assert verify_chain(control) == []
    assert {row["state"] for row in control.read("SELECT DISTINCT state FROM outbox")} == {"sent"}
    assert control.one("SELECT ended_at FROM watches ORDER BY started_at DESC LIMIT 1")
    control.close()
