"""A batch killed in its middle, its control store gone: rebuilt or restored, nothing is lost and nothing doubled."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.outbox.chain import verify_chain
from tests.flow.world import World, copies, until, world
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.system

# A voucher has five lines, so a mutation carries twenty vouchers: ten mutations in all.
KEYS = range(6_000_001, 6_000_201)
LIMITS = {"SPRINGLINE_LEDGER__NODES_PER_MUTATION": "100", "SPRINGLINE_LEDGER__TIMEOUT": "4"}
DELAY = {"kind": "delay", "seconds": 5.0}
MUTATION = {"operation": "addGLImportItems"}
HELD = KEYS[-1]
STORE = "springline.ctl.sqlite"


@pytest.fixture
def harbour(tmp_path: Path) -> Iterator[World]:
    documents = copies(len(KEYS), first_key=KEYS[0])
    with world(tmp_path, {"vms/Document": documents}, is_first_day=True, **LIMITS) as harbour:
        assert harbour.run("master-data").exit_code == 0
        assert harbour.command("hold", f"N{HELD}", "--reason", "price disputed").exit_code == 0
        yield harbour


def kill_in_mid_batch(harbour: World, *, how_many: int = 60) -> None:
    """Kill a run when the ledger has taken some of its vouchers, and while it works on more."""
    harbour.sandbox.fault("ledger", DELAY, match=MUTATION, after=how_many // 20)
    process: subprocess.Popen[str] = harbour.start("run", "documents")
    try:
        until(lambda: len(harbour.sent()) >= how_many, alive=lambda: process.poll() is None)
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL
    harbour.sandbox.control("DELETE", "faults")
    assert len(harbour.sent()) < len(KEYS)


def lose_the_store(harbour: World) -> None:
    for file in harbour.folder.glob(f"{STORE}*"):
        file.unlink()


def settle(harbour: World) -> None:
    """Decide again what was lost, let the rest go, and see that each document is there once and all is quiet."""
    before = harbour.sent()
    # Nothing goes before somebody has confirmed: not even a document of which only a person knew that it must wait.
    assert harbour.run("documents").exit_code == 14
    assert harbour.sent() == before
    assert harbour.command("hold", f"N{HELD}", "--reason", "price disputed").exit_code == 0
    assert harbour.command("confirm", "--reason", "all decided again").exit_code == 0
    assert harbour.run("documents").exit_code == 14
    expected = dict.fromkeys(KEYS[:-1], 1)
    assert harbour.booked() == expected
    assert {number: len(nodes) for number, nodes in harbour.sent().items()} == {f"N{key}": 5 for key in expected}
    assert {number for number, status in harbour.statuses().items() if status == "RFP"} == {f"N{HELD}"}
    harbour.requests()
    assert harbour.run("documents").exit_code == 14
    assert not [request for request in harbour.requests()["ledger"] if request.startswith("POST add")]
    verified = harbour.command("verify", "--json")
    assert (verified.exit_code, verified.json()["differences"]) == (0, []), verified
    control = harbour.control()
    assert verify_chain(control) == []
    assert control.read("SELECT 1 FROM outbox WHERE state IN ('todo', 'sending', 'unknown')") == []
    control.close()


def rebuild(harbour: World) -> list[str]:
    lose_the_store(harbour)
    refused = harbour.command("run", "documents")
    assert refused.exit_code == 10
    assert "`springline rebuild`" in refused.err
    return ["rebuild"]


def restore(harbour: World) -> list[str]:
    return ["restore", str(harbour.folder / "yesterday.sqlite")]


@pytest.mark.parametrize("way", [rebuild, restore])
def test_nothing_is_lost_or_doubled(harbour: World, way: Callable[[World], list[str]]) -> None:
    assert harbour.command("backup", "yesterday.sqlite").exit_code == 0
    kill_in_mid_batch(harbour)
    arguments = way(harbour)
    ended = harbour.command(*arguments, "--json")
    assert ended.exit_code == 0, ended
    # With what the killed run had under way, which arrives all the same.
    there = len(harbour.sent())
    assert 60 <= there < len(KEYS)
    told = ended.json()
    assert (told["vouchers"], told["to_acknowledge"], told["doubtful"]) == (there, there, [])
    assert told["held"] == len(KEYS) - there - (arguments[0] == "restore")
    settle(harbour)


def test_what_cannot_be_read_changes_nothing(harbour: World) -> None:
    sound = harbour.command("rebuild")
    assert (sound.exit_code, "is there and sound" in sound.err) == (2, True)
    lose_the_store(harbour)
    harbour.sandbox.fault("vms", {"kind": "status", "status": 403}, match={"method": "GET"})
    failed = harbour.command("rebuild")
    assert (failed.exit_code, failed.out.startswith("Nothing was changed")) == (11, True), failed
    assert not (harbour.folder / STORE).exists()
