"""Vouchers and acknowledgements over real sockets, with everything the two systems can do wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.load.delivery import DeliveryResult
from pipelines.load.ledger.vouchers import MUTATION
from pipelines.outbox.chain import verify_chain
from pipelines.outbox.intent import Kind
from tests.support.delivery_flow import Batch, Clients, booked, imported, puts, settings_for, states, statuses
from tests.support.delivery_seed import NO_LIMITS, seed
from tests.support.delivery_world import voucher
from tests.support.sandbox_server import Sandbox, running_sandbox

KEYS = range(1, 9)
HTML = "<html>Please stand by</html>"
DONE = DeliveryResult(sent=len(KEYS))


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path, seed(tmp_path / "seed", keys=KEYS)) as sandbox:
        sandbox.control("POST", "ledger/settings", NO_LIMITS)
        yield sandbox


@pytest.fixture
def clients(sandbox: Sandbox) -> Iterator[Clients]:
    clients = Clients(settings_for(sandbox))
    yield clients
    clients.close()


@pytest.fixture
def batch(sandbox: Sandbox, clients: Clients, tmp_path: Path) -> Iterator[Batch]:
    batch = Batch(clients, tmp_path / "ctl.sqlite")
    sandbox.control("DELETE", "requests")
    yield batch
    batch.close()


def store(batch: Batch) -> None:
    batch.store(voucher(key, lines=3) for key in KEYS)


def whole(keys: range = KEYS, *, lines: int = 3) -> dict[int, list[int]]:
    return {key: list(range(1, lines + 1)) for key in keys}


def ledger_requests(sandbox: Sandbox) -> dict[str, int]:
    """Count the requests since the start of a batch by root field."""
    counts: dict[str, int] = sandbox.control("GET", "requests")["ledger"]
    return {request.removeprefix("POST "): count for request, count in counts.items()}


def fault(sandbox: Sandbox, side: str, action: dict[str, Any], times: int = 1, **match: str) -> None:
    sandbox.fault(side, action, times=times, match=match)


def test_invoices_arrive_booked_and_acknowledged(sandbox: Sandbox, batch: Batch) -> None:
    store(batch)
    assert batch.deliver() == (DONE, DONE)
    assert imported(sandbox) == whole()
    assert booked(sandbox) == list(KEYS)
    assert set(statuses(sandbox, KEYS).values()) == {"POS"}
    assert ledger_requests(sandbox) == {"glImportItems": 1, MUTATION: 1}


def test_a_second_run_asks_neither_side(sandbox: Sandbox, batch: Batch) -> None:
    store(batch)
    batch.deliver()
    sandbox.control("DELETE", "requests")
    store(batch)
    assert batch.deliver() == (DeliveryResult(), DeliveryResult())
    assert sandbox.control("GET", "requests") == {"vms": {}, "ledger": {}}


@pytest.mark.parametrize(
    "action",
    [
        {"kind": "drop_before"},
        {"kind": "drop_after"},
        {"kind": "status", "status": 529, "body": HTML},
        {"kind": "status", "status": 500, "body": ""},
        {"kind": "body", "body": HTML},
        {"kind": "status", "status": 200, "body": HTML},
        {"kind": "body", "body": '{"data":{"addGLImportItems":{"edges":null}}}'},
        {"kind": "replace", "old": '"trItemNumber":1', "new": '"trItemNumber":9'},
        {"kind": "graphql_error", "code": "BAD_REQUEST.CONCURRENCY_LIMIT_REACHED", "message": "Too many requests"},
    ],
    ids=lambda action: f"{action['kind']} {action.get('status', '')}{action.get('body', '')[:6]}",
)
def test_a_fault_of_the_ledger_loses_and_doubles_nothing(
    sandbox: Sandbox, batch: Batch, action: dict[str, Any]
) -> None:
    fault(sandbox, "ledger", action, operation=MUTATION)
    store(batch)
    vouchers, acknowledgements = batch.deliver()
    assert (vouchers.sent, acknowledgements.sent) == (len(KEYS), len(KEYS))
    assert imported(sandbox) == whole()
    assert verify_chain(batch.control) == []


@pytest.mark.parametrize(
    ("code", "extensions"),
    [
        ("BAD_REQUEST.BURST_RATE_LIMIT_REACHED", {}),
        ("BAD_REQUEST.INSUFFICIENT_CREDITS", {"resetAt": "2099-01-01T00:00:00"}),
    ],
)
def test_a_limit_leaves_the_rest_for_the_next_run(
    sandbox: Sandbox, batch: Batch, code: str, extensions: dict[str, str]
) -> None:
    limit = {"kind": "graphql_error", "code": code, "message": "limit", "extensions": extensions}
    fault(sandbox, "ledger", limit, operation=MUTATION)
    store(batch)
    vouchers, acknowledgements = batch.deliver()
    assert (vouchers.waiting, acknowledgements) == (len(KEYS), DeliveryResult())
    assert set(states(batch.control, Kind.VOUCHER).values()) == {"todo"}
    assert batch.deliver() == (DONE, DONE)


def test_a_ledger_that_answers_nothing_gets_nothing(sandbox: Sandbox, batch: Batch) -> None:
    fault(sandbox, "ledger", {"kind": "drop_before"}, times=100)
    store(batch)
    vouchers, _ = batch.deliver()
    assert (vouchers.waiting, imported(sandbox)) == (len(KEYS), {})


def test_one_unknown_project_among_499_lines_costs_one_call(sandbox: Sandbox, batch: Batch) -> None:
    # One mutation of 500 lines, of which the last one carries the project.
    good = [voucher(key, lines=6) for key in range(1001, 1084)]
    batch.store([*good, voucher(2000, references={"project": "V9-1"})])
    vouchers, _ = batch.deliver()
    assert (vouchers.sent, vouchers.failed) == (83, 1)
    assert imported(sandbox) == whole(range(1001, 1084), lines=6)
    assert ledger_requests(sandbox)[MUTATION] == 2
    assert sum(ledger_requests(sandbox).values()) <= 2 * 2
    [message] = batch.control.read("SELECT last_error FROM outbox WHERE kind = 'voucher' AND state = 'failed'")
    assert "the ledger has no project (voyage) 'V9-1' for entity 28601" in message["last_error"]


def test_a_ledger_that_is_not_atomic_doubles_nothing(sandbox: Sandbox, batch: Batch) -> None:
    sandbox.control("POST", "ledger/settings", {"atomic_mutations": False})
    batch.store([*(voucher(key, lines=3) for key in KEYS), voucher(2000, references={"project": "V9-1"})])
    vouchers, _ = batch.deliver()
    assert (vouchers.sent, vouchers.failed) == (len(KEYS), 1)
    assert imported(sandbox) == {**whole(), 2000: [1]}
    assert batch.control.one("SELECT error_code FROM outbox WHERE state = 'failed'") == "incomplete_in_ledger"


@pytest.mark.parametrize("is_booked", [False, True])
def test_a_lost_control_store_posts_nothing_twice(
    sandbox: Sandbox, clients: Clients, batch: Batch, tmp_path: Path, *, is_booked: bool
) -> None:
    store(batch)
    batch.deliver()
    if is_booked:
        booked(sandbox)
    anew = Batch(clients, tmp_path / "empty.sqlite")
    store(anew)
    vouchers, acknowledgements = anew.deliver()
    anew.close()
    assert (vouchers, imported(sandbox)) == (DONE, whole())
    # What is POS in the VMS was not set so by this control store, as far as it knows.
    assert acknowledgements.failed == len(KEYS)


@pytest.mark.parametrize(
    "action",
    [
        {"kind": "drop_before"},
        {"kind": "drop_after"},
        {"kind": "status", "status": 503, "body": HTML},
        {"kind": "body", "body": HTML},
        # A gateway that signs nobody in says so with 200, and has passed nothing on.
        {"kind": "status", "status": 200, "body": HTML},
        {"kind": "body", "body": '{"key":1,"invoicingStatus":{"statusTypeCode":"POS"}}'},
        {"kind": "replace", "old": '"POS"', "new": '"RFP"'},
    ],
    ids=lambda action: f"{action['kind']} {action.get('status', '')}{action.get('body', '')[:6]}",
)
def test_a_fault_of_the_vms_loses_no_acknowledgement(sandbox: Sandbox, batch: Batch, action: dict[str, Any]) -> None:
    fault(sandbox, "vms", action, times=3, method="PUT")
    store(batch)
    assert batch.deliver()[1].sent == len(KEYS)
    assert set(statuses(sandbox, KEYS).values()) == {"POS"}
    assert batch.control.read("SELECT * FROM breaks") == []


def test_a_document_moved_meanwhile_is_left_as_it_is(sandbox: Sandbox, batch: Batch) -> None:
    store(batch)
    with sandbox.vms() as client:
        client.put("/Document/3", json={"invoicingStatus": "POS"}).raise_for_status()
    assert batch.deliver() == (DONE, DeliveryResult(sent=len(KEYS) - 1, failed=1))
    assert [row["subject"] for row in batch.control.read("SELECT subject FROM breaks")] == ["3"]
    assert puts(sandbox) == len(KEYS)


def test_wrong_credentials_leave_everything_to_do(sandbox: Sandbox, batch: Batch) -> None:
    wrong = Clients(settings_for(sandbox, SPRINGLINE_LEDGER__TOKEN="nobody's"))
    batch.ledger = wrong.ledger
    store(batch)
    vouchers, _ = batch.deliver()
    wrong.close()
    assert vouchers.waiting == len(KEYS)
    assert "does not accept the token" in vouchers.problems[0]
