"""A batch that is killed in its middle and loses its store; and how one sees that nothing was lost or doubled."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence

from pipelines.outbox.chain import verify_chain
from tests.flow.world import World, until
from tests.support.patience import PATIENCE

STORE = "springline.ctl.sqlite"
MUTATION = {"operation": "addGLImportItems"}
# Longer than it takes to kill; the ledger finishes what it was asked for.
DELAY = {"kind": "delay", "seconds": 5.0}


def kill_in_mid_batch(harbour: World, *, mutations: int, vouchers: int) -> None:
    """Kill a run when so many mutations have brought so many vouchers, and while it works on more."""
    harbour.sandbox.fault("ledger", DELAY, match=MUTATION, after=mutations)
    process: subprocess.Popen[str] = harbour.start("run", "documents")
    try:
        until(lambda: len(harbour.sent()) >= vouchers, alive=lambda: process.poll() is None)
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL
    harbour.sandbox.control("DELETE", "faults")


def lose_the_store(harbour: World) -> None:
    for file in harbour.folder.glob(f"{STORE}*"):
        file.unlink()


def settle(harbour: World, keys: Sequence[int], *, held: int, lines: int = 5) -> None:
    """Decide again what was lost, let the rest go, and see that each document is there once and all is quiet."""
    before = harbour.sent()
    # Nothing goes before somebody has confirmed: not even a document of which only a person knew that it must wait.
    assert harbour.run("documents").exit_code == 14
    assert harbour.sent() == before
    assert harbour.command("hold", f"N{held}", "--reason", "price disputed").exit_code == 0
    assert harbour.command("confirm", "--reason", "all decided again").exit_code == 0
    assert harbour.run("documents").exit_code == 14
    expected = dict.fromkeys((key for key in keys if key != held), 1)
    assert harbour.booked() == expected
    assert {number: len(nodes) for number, nodes in harbour.sent().items()} == {f"N{key}": lines for key in expected}
    assert {number for number, status in harbour.statuses().items() if status == "RFP"} == {f"N{held}"}
    harbour.requests()
    assert harbour.run("documents").exit_code == 14
    assert not [request for request in harbour.requests()["ledger"] if request.startswith("POST add")]
    verified = harbour.command("verify", "--json")
    assert (verified.exit_code, verified.json()["differences"]) == (0, []), verified
    control = harbour.control()
    assert verify_chain(control) == []
    assert control.read("SELECT 1 FROM outbox WHERE state IN ('todo', 'sending', 'unknown')") == []
    control.close()
