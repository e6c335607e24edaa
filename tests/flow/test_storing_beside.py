"""Of a large batch the first vouchers go while the others are stored: nothing goes too early, twice or as it was."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.core.errors import CheckError
from pipelines.load import steps
from pipelines.load.ledger import storing
from pipelines.load.ledger.vouchers import MUTATION, voucher_intents
from pipelines.outbox.chain import verify_chain
from pipelines.wire.ledger import LedgerClient
from tests.flow.world import World, copies, world
from tests.support.patience import PATIENCE

KEYS = range(6_000_001, 6_000_008)
FIRST = 2
DRAFTED_ANEW = KEYS[-1]
STATES = "SELECT document_key, state FROM outbox WHERE kind = 'voucher' ORDER BY document_key"
# Nothing was done, and nothing will be for a long time.
NO_CREDITS = {
    "kind": "graphql_error",
    "code": "BAD_REQUEST.INSUFFICIENT_CREDITS",
    "message": "limit",
    "extensions": {"resetAt": "2099-01-01T00:00:00"},
}
# In a process of its own: killed in the thread that stores, before it stores once more.
KILLED = """
import os, signal
from pipelines.load import steps
from pipelines.load.ledger import storing
steps.AT_FIRST, storing.STORED_AT_ONCE = {first}, 1
made, stored = storing.voucher_intents, []
def until(context, keys):
    if len(stored) == {stored}:
        os.kill(os.getpid(), signal.SIGKILL)
    stored.append(keys)
    return made(context, keys)
storing.voucher_intents = until
from pipelines.cli.app import main
main()
"""


@pytest.fixture
def harbour(tmp_path: Path) -> Iterator[World]:
    documents = copies(len(KEYS), first_key=KEYS[0])
    with world(tmp_path, {"vms/Document": documents}, is_first_day=True, SPRINGLINE_LEDGER__TIMEOUT="2") as harbour:
        assert harbour.run("master-data").exit_code == 0
        harbour.requests()
        yield harbour


@pytest.fixture
def sent_first(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Store two vouchers at first, and the others only when these have gone; give how many nodes each call has."""
    monkeypatch.setattr(steps, "AT_FIRST", FIRST)
    monkeypatch.setattr(storing, "STORED_AT_ONCE", 3)
    gone = threading.Event()
    calls: list[int] = []
    mutate = LedgerClient.mutate

    def noted(client: LedgerClient, name: str, inputs: Any, *more: Any) -> Any:  # noqa: ANN401 as it is
        try:
            return mutate(client, name, inputs, *more)
        finally:
            if name == MUTATION:
                calls.append(len(inputs))
                gone.set()

    def held_up(*given: Any) -> Any:  # noqa: ANN401 as it is
        assert gone.wait(PATIENCE)
        return voucher_intents(*given)

    monkeypatch.setattr(LedgerClient, "mutate", noted)
    monkeypatch.setattr(storing, "voucher_intents", held_up)
    return calls


def assert_all_is_right(harbour: World) -> None:
    control = harbour.control()
    assert not verify_chain(control)
    control.close()
    assert harbour.booked() == dict.fromkeys(KEYS, 1)
    assert {*harbour.statuses().values()} == {"POS"}


def test_the_first_go_while_the_others_are_stored(harbour: World, sent_first: list[int]) -> None:
    result = harbour.run("documents")
    assert (result.exit_code, result.jobs["documents"].sent) == (0, len(KEYS))
    nodes = len(harbour.sent()[f"N{KEYS[0]}"])
    assert sent_first == [FIRST * nodes, (len(KEYS) - FIRST) * nodes]
    assert_all_is_right(harbour)


def test_what_is_drafted_anew_never_goes_as_it_was(harbour: World, sent_first: list[int]) -> None:
    harbour.sandbox.fault("ledger", NO_CREDITS, times=1, match={"operation": MUTATION})
    assert harbour.run("documents").jobs["documents"].unknown == len(KEYS)
    harbour.change("Document", DRAFTED_ANEW, externalDocumentNo="another")
    sent_first.clear()
    harbour.run("documents")
    sent = harbour.sent()[f"N{DRAFTED_ANEW}"]
    assert {node["invoiceNumber"] for node in sent if "invoiceNumber" in node} == {"another"}


def test_a_fault_while_storing_stops_the_rest_alone(
    harbour: World, sent_first: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:  # noqa: ANN401 as it is
        raise CheckError("cannot be stored", next_step="none")

    with monkeypatch.context() as fragile:
        fragile.setattr(storing, "voucher_intents", broken)
        assert harbour.run("documents").exit_code == CheckError.exit_code
    assert len(sent_first) == 1
    assert harbour.rows(STATES) == [(key, "sent") for key in KEYS[:FIRST]]
    assert harbour.run("documents").exit_code == 0
    assert_all_is_right(harbour)


def test_a_ledger_that_stops_answering_is_not_asked_for_the_rest(harbour: World, sent_first: list[int]) -> None:
    harbour.sandbox.fault("ledger", NO_CREDITS, times=1, match={"operation": MUTATION})
    result = harbour.run("documents")
    assert (result.jobs["documents"].sent, result.jobs["documents"].unknown) == (0, len(KEYS))
    assert len(sent_first) == 1
    assert harbour.rows(STATES) == [(key, "todo") for key in KEYS]
    assert harbour.run("documents").exit_code == 0
    assert_all_is_right(harbour)


@pytest.mark.parametrize("stored", [0, 1, 4])
def test_killed_while_it_stores_each_document_is_booked_once(harbour: World, stored: int) -> None:
    process = harbour.start("run", "documents", code=KILLED.format(first=FIRST, stored=stored))
    process.communicate(timeout=PATIENCE)
    assert process.returncode == -9
    assert len(harbour.rows(STATES)) == FIRST + stored
    ends = {harbour.command("run", "documents").exit_code for _ in range(2)}
    assert ends == {0}
    assert_all_is_right(harbour)
