"""A machine lost with its disk, and PostgreSQL killed, both in mid-delivery: nothing is lost and nothing goes twice."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from pipelines.outbox.chain import verify_chain
from tests.flow.world import World, copies, world
from tests.support.control_stores import new_schema
from tests.support.patience import PATIENCE
from tests.support.postgres import Server, postgres_server
from tests.support.verified import verified_file

pytestmark = pytest.mark.system

EXIT_BUSY = 17
KEYS = range(6_000_001, 6_000_005)
# A voucher has five lines: a mutation each.
LIMITS = {"SPRINGLINE_LEDGER__NODES_PER_MUTATION": "5", "SPRINGLINE_LEDGER__TIMEOUT": "4"}
# What commits only in memory is lost for ten seconds, as long as a server may take.
CARELESS = ("synchronous_commit=off", "wal_writer_delay=10s", "autovacuum=off")
JOBS = ("master-data", "documents")
# Says when it is there, and goes on when it is told to.
STOPPING = """
import sys
from pipelines.cli.app import main
from pipelines.wire.http import HttpCaller
operation, number, moment = sys.argv[1:4]
del sys.argv[1:4]
exchange, seen = HttpCaller._exchange, []
def stop():
    print("here", flush=True)
    sys.stdin.readline()
def stopping(self, call):
    is_it = call.operation.startswith(operation)
    seen.append(call) if is_it else None
    is_here = is_it and len(seen) == int(number)
    if is_here and moment == "before":
        stop()
    answer = exchange(self, call)
    if is_here and moment == "after":
        stop()
    return answer
HttpCaller._exchange = stopping
main()
"""
ADD, ACKNOWLEDGE = "addGLImportItems", "PUT Document"


class Point(NamedTuple):
    """Where a batch is stopped: at its n-th request of a kind, which was noted; the other side has it ``after``."""

    operation: str
    number: int
    moment: str


# Master data, the first voucher, one in the middle, the last one, and two acknowledgements.
POINTS = (
    Point("addSuppliers", 1, "after"),
    Point(ADD, 1, "before"),
    Point(ADD, 2, "after"),
    Point(ADD, len(KEYS), "after"),
    Point(ACKNOWLEDGE, 1, "before"),
    Point(ACKNOWLEDGE, 2, "after"),
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_server(*CARELESS) as running:
        yield running


@pytest.fixture
def harbour(tmp_path: Path, server: Server) -> Iterator[World]:
    place = new_schema(server.address)
    documents = {"vms/Document": copies(len(KEYS), first_key=KEYS[0])}
    with world(tmp_path, documents, is_first_day=True, SPRINGLINE_CONTROL=str(place), **LIMITS) as both:
        yield both


@contextmanager
def stopped_at(harbour: World, point: Point) -> Iterator[subprocess.Popen[str]]:
    """Start a batch, wait until it has come to a point, and end it behind the block."""
    process = harbour.start(*map(str, point), "run", *JOBS, code=STOPPING)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        yield process
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


def under_way(harbour: World) -> set[str]:
    return {entry for (entry,) in harbour.rows("SELECT id FROM outbox WHERE state = 'sending'")}


def assert_all_is_there_once(harbour: World, sending: set[str], **environ: str) -> None:
    """Let the next batches run; what was under way was looked up, and each document is there once."""
    harbour.run(*JOBS, **environ)
    moved = "SELECT outbox_id FROM outbox_events WHERE from_state = 'sending' AND to_state = 'unknown'"
    assert {entry for (entry,) in harbour.rows(moved)} == sending
    assert [*harbour.rows("SELECT DISTINCT state FROM outbox")] == [("sent",)]
    assert harbour.booked() == dict.fromkeys(KEYS, 1)
    assert {harbour.statuses()[f"N{key}"] for key in KEYS} == {"POS"}
    before = harbour.state()
    harbour.run(*JOBS, **environ)
    assert harbour.state() == before
    with closing(harbour.control()) as control:
        assert verify_chain(control) == []


@pytest.mark.parametrize("point", POINTS, ids=lambda point: " ".join(map(str, point)))
def test_a_machine_that_is_lost_with_its_disk_leaves_nothing_open(harbour: World, tmp_path: Path, point: Point) -> None:
    with stopped_at(harbour, point):
        pass
    shutil.rmtree(harbour.folder)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(verified_file(), elsewhere / "springline.models.json")
    own = {"SPRINGLINE_WAREHOUSE": str(elsewhere / "w.duckdb"), "SPRINGLINE_PUBLISHED": str(elsewhere / "published")}
    sending = under_way(harbour)
    assert len(sending) >= 1
    assert_all_is_there_once(harbour, sending, **own)


@pytest.mark.parametrize("point", POINTS, ids=lambda point: " ".join(map(str, point)))
def test_a_server_that_is_killed_loses_no_note(harbour: World, server: Server, point: Point) -> None:
    with stopped_at(harbour, point) as process:
        sending = under_way(harbour)
        assert len(sending) >= 1
        server.kill()
        server.start()
        assert under_way(harbour) == sending
        harbour.requests()
        # The batch that was at work has lost its lock with its connection, and sends nothing more.
        _, err = process.communicate("on\n", timeout=PATIENCE)
    assert process.returncode == EXIT_BUSY, err
    assert "is lost" in err
    writes = [name for side in harbour.requests().values() for name in side if "add" in name or name.startswith("PUT")]
    assert len(writes) <= (point.moment == "before")
    assert_all_is_there_once(harbour, sending)


def test_such_a_server_loses_what_others_commit(server: Server) -> None:
    """The kill above would show a note that was not forced to the disk."""
    with psycopg.connect(server.address, autocommit=True) as connection:
        connection.execute("CREATE TABLE passing (number BIGINT)")
        connection.execute("CHECKPOINT")
        connection.execute("INSERT INTO passing VALUES (1)")
        server.kill()
    server.start()
    with psycopg.connect(server.address, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM passing").fetchone() == (0,)
        connection.execute("DROP TABLE passing")
