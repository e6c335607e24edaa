"""`springline run` killed with SIGKILL three times in a row: each document is booked once and acknowledged."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.outbox.chain import verify_chain
from tests.flow.world import World, copies, until, world
from tests.support.control_stores import KINDS, new_schema
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.system

# A voucher has five lines, so a mutation carries two vouchers: three mutations in all.
KEYS = range(6_000_001, 6_000_007)
LIMITS = {
    "SPRINGLINE_LEDGER__NODES_PER_MUTATION": "10",
    "SPRINGLINE_LEDGER__TIMEOUT": "4",
    "SPRINGLINE_VMS__WORKERS": "1",
}
# Longer than it takes to kill, shorter than a call may take: the other side finishes what it was asked for.
DELAY = {"kind": "delay", "seconds": 5.0}
RUN = ("run", "master-data", "documents")
MUTATION = {"operation": "addGLImportItems"}
PUT = {"method": "PUT", "path": "/ws/rest/Document"}


@pytest.fixture(params=KINDS)
def harbour(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    documents = copies(len(KEYS), first_key=KEYS[0])
    kept = LIMITS if request.param == "sqlite" else {**LIMITS, "SPRINGLINE_CONTROL": str(new_schema())}
    with world(tmp_path, {"vms/Document": documents}, is_first_day=True, **kept) as harbour:
        yield harbour


def asked(harbour: World, side: str, request: str) -> int:
    counts: dict[str, int] = harbour.sandbox.control("GET", "requests")[side]
    return counts.get(request, 0)


def kill_a_run(harbour: World, *, when: Callable[[], bool]) -> None:
    harbour.requests()
    process: subprocess.Popen[str] = harbour.start(*RUN)
    try:
        until(when, alive=lambda: process.poll() is None)
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL
    harbour.sandbox.control("DELETE", "faults")


def test_three_kills_lose_and_double_nothing(harbour: World) -> None:
    # Between the first and the last mutation: while the run waits to learn what became of one that never arrived.
    harbour.sandbox.fault("ledger", {"kind": "drop_before"}, match=MUTATION, after=1)
    kill_a_run(harbour, when=lambda: asked(harbour, "ledger", "POST addGLImportItems") >= 2)
    assert 0 < len(harbour.sent()) < len(KEYS)
    # When the last mutation has been answered, and nothing is acknowledged.
    harbour.sandbox.fault("vms", DELAY, match=PUT)
    kill_a_run(harbour, when=lambda: len(harbour.sent()) == len(KEYS))
    assert "POS" not in harbour.statuses().values()
    # In the middle of the acknowledgements.
    harbour.sandbox.fault("vms", DELAY, match=PUT, after=2)
    kill_a_run(harbour, when=lambda: asked(harbour, "vms", "PUT /ws/rest/Document/{key}") >= 3)
    assert set(harbour.statuses().values()) == {"POS", "RFP"}

    last = harbour.start(*RUN)
    out, err = last.communicate(timeout=PATIENCE)
    assert last.returncode == 0, out + err
    assert harbour.booked() == dict.fromkeys(KEYS, 1)
    assert {number: len(nodes) for number, nodes in harbour.sent().items()} == {f"N{key}": 5 for key in KEYS}
    assert harbour.statuses() == {f"N{key}": "POS" for key in KEYS}
    control = harbour.control()
    assert verify_chain(control) == []
    assert [row["state"] for row in control.read("SELECT DISTINCT state FROM outbox")] == ["sent"]
    control.close()
