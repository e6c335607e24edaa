"""A batch killed in its middle, its control store gone: rebuilt or restored, nothing is lost and nothing doubled."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.flow.losing import STORE, kill_in_mid_batch, lose_the_store, settle
from tests.flow.world import World, copies, world

pytestmark = pytest.mark.system

# A voucher has five lines, so a mutation carries twenty vouchers: ten mutations in all.
KEYS = range(6_000_001, 6_000_201)
LIMITS = {"SPRINGLINE_LEDGER__NODES_PER_MUTATION": "100", "SPRINGLINE_LEDGER__TIMEOUT": "4"}
HELD = KEYS[-1]


@pytest.fixture
def harbour(tmp_path: Path) -> Iterator[World]:
    documents = copies(len(KEYS), first_key=KEYS[0])
    with world(tmp_path, {"vms/Document": documents}, is_first_day=True, **LIMITS) as harbour:
        assert harbour.run("master-data").exit_code == 0
        assert harbour.command("hold", f"N{HELD}", "--reason", "price disputed").exit_code == 0
        yield harbour


def rebuild(harbour: World) -> list[str]:
    lose_the_store(harbour)
    refused = harbour.command("run", "documents")
    assert refused.exit_code == 10
    assert "`springline rebuild`" in refused.err
    return ["rebuild"]


def restore(harbour: World) -> list[str]:
    return ["restore", str(harbour.folder / "yesterday.sqlite")]


def and_verify_tells_what_is_wrong(harbour: World) -> None:
    """Delete a voucher in the ledger, then edit the record as well."""
    (voucher,) = harbour.sandbox.control("GET", f"ledger/vouchers?trRegNumber={KEYS[0]}")
    harbour.sandbox.control("POST", "ledger/corrupt", {"voucher": voucher["dbId"], "delete": True})
    ended = harbour.command("verify", "--json")
    assert (ended.exit_code, [row["subject"] for row in ended.json()["differences"]]) == (16, [f"N{KEYS[0]}"])
    with closing(sqlite3.connect(harbour.folder / STORE)) as store:
        store.execute("DROP TRIGGER outbox_events_are_final_update")
        store.execute("UPDATE outbox_events SET detail = 'another' WHERE event_no = 5")
        store.commit()
    ended = harbour.command("verify", "--json")
    assert (ended.exit_code, ended.json()["chain_faults"][0]["subject"]) == (10, "event 5")


@pytest.mark.parametrize("way", [rebuild, restore])
def test_nothing_is_lost_or_doubled(harbour: World, way: Callable[[World], list[str]]) -> None:
    assert harbour.command("backup", "yesterday.sqlite").exit_code == 0
    kill_in_mid_batch(harbour, mutations=3, vouchers=60)
    arguments = way(harbour)
    ended = harbour.command(*arguments, "--json")
    assert ended.exit_code == 0, ended
    # With what the killed run had under way, which arrives all the same.
    there = len(harbour.sent())
    assert 60 <= there < len(KEYS)
    told = ended.json()
    assert (told["vouchers"], told["to_acknowledge"], told["doubtful"]) == (there, there, [])
    # Of the copy it is known that a person holds one.
    assert told["held"] == len(KEYS) - there - (arguments[0] == "restore")
    settle(harbour, KEYS, held=HELD)
    if way is rebuild:
        and_verify_tells_what_is_wrong(harbour)


def test_a_damaged_store_stays_until_both_systems_were_read(harbour: World) -> None:
    sound = harbour.command("rebuild")
    assert (sound.exit_code, "is there and sound" in sound.err) == (2, True)
    lose_the_store(harbour)
    store, garbage = harbour.folder / STORE, b"<html>Service unavailable</html>" * 500
    store.write_bytes(garbage)
    assert "`springline rebuild`" in harbour.command("run", "documents").err
    harbour.sandbox.fault("vms", {"kind": "status", "status": 403}, match={"method": "GET"})
    failed = harbour.command("rebuild")
    assert (failed.exit_code, failed.out.startswith("Nothing was changed")) == (11, True), failed
    assert [file.name for file in harbour.folder.glob("springline.ctl*")] == [STORE]
    assert store.read_bytes() == garbage
    harbour.sandbox.control("DELETE", "faults")
    assert harbour.command("rebuild").exit_code == 0
    assert (harbour.folder / f"{STORE}.replaced").read_bytes() == garbage
    assert harbour.command("status").exit_code == 0
