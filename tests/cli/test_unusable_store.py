"""A control store that is locked, cut or garbage ends every command with one line: the file, and what to do."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import pytest

from pipelines.stores import control, copies
from pipelines.watch.observe.health import read_health
from tests.cli.springline import Terminal
from tests.support.delivery_world import make_settings

if TYPE_CHECKING:
    from pathlib import Path

STORE = "springline.ctl.sqlite"


def _cut(file: Path) -> None:
    size = file.stat().st_size
    with file.open("r+b") as store:
        store.truncate(size // 3)


def _garbage(file: Path) -> None:
    file.write_bytes(b"<html>Service unavailable</html>" * 500)


def _garbage_behind_the_head(file: Path) -> None:
    head = file.read_bytes()[:100]
    file.write_bytes(head + b"\xa5" * (file.stat().st_size - 100))


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _anothers(file: Path) -> None:
    with closing(sqlite3.connect(file)) as store:
        (version,) = store.execute("PRAGMA user_version").fetchone()
    file.unlink()
    with closing(sqlite3.connect(file)) as store:
        store.execute("CREATE TABLE bookmarks (address TEXT)")
        store.execute(f"PRAGMA user_version = {version}")


SPOILED: Mapping[str, Callable[[Path], None]] = {
    "cut": _cut,
    "garbage": _garbage,
    "garbage behind the head": _garbage_behind_the_head,
    "a folder": _folder,
    "another program's": _anothers,
}
COMMANDS = [
    "status",
    "hold 2707400 --reason x",
    "release 2707400 --reason x",
    "ignore 2707400 --reason x",
    "retry 2707400 --reason x",
    "breaks list",
    "explain 2707400",
    "close 2026-10",
    "run rates",
    "run documents --dry-run",
    "adopt --before 2026-10-01 --acknowledge",
    "alerts",
    "webhooks list",
    "webhooks verify",
    "confirm --reason x",
    "backup copy.sqlite",
]


@pytest.fixture
def store(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the file of a store with a decision in it, small enough to be spoiled at once."""
    for module in (control, copies):
        monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)
    terminal.run("hold", "2707400", "--reason", "price disputed")
    with closing(sqlite3.connect(terminal.folder / STORE)) as file:
        # Into the one file: what is in the log would hide what was done to it.
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return terminal.folder / STORE


@pytest.fixture
def locked(store: Path) -> Iterator[Path]:
    with closing(sqlite3.connect(store, isolation_level=None)) as holder:
        holder.execute("PRAGMA journal_mode = DELETE")
        holder.execute("BEGIN EXCLUSIVE")
        yield store


@pytest.mark.parametrize("how", SPOILED)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_spoiled_store_is_told_in_one_line(terminal: Terminal, store: Path, command: str, how: str) -> None:
    SPOILED[how](store)
    ended = terminal.run(*command.split())
    last = ended.err.strip().splitlines()[-1]
    assert (ended.code, "Traceback" in ended.err) == (10, False)
    assert str(store) in last
    assert "Next: " in last


@pytest.mark.parametrize("command", COMMANDS)
def test_a_locked_store_is_told_in_one_line(terminal: Terminal, locked: Path, command: str) -> None:
    ended = terminal.run(*command.split())
    last = ended.err.strip().splitlines()[-1]
    assert ended.code == 17
    assert last.startswith(f"The control store is locked: database is locked ({locked}). Next: end the program that")


def test_a_preflight_tells_it_too(terminal: Terminal, store: Path) -> None:
    _garbage(store)
    assert terminal.run("preflight").code == 10


@pytest.mark.parametrize("how", SPOILED)
def test_json_gets_an_object(terminal: Terminal, store: Path, how: str) -> None:
    SPOILED[how](store)
    for command in ("status", "breaks list", "run rates"):
        told = json.loads(terminal.run(*command.split(), "--json").out)
        assert (told["exit_code"], str(store) in told["error"]) == (10, True)
        assert told["next_step"]


def health_state(terminal: Terminal) -> tuple[str, str]:
    """Return how `/health` tells the store, and the kind of its first reason."""
    health = read_health(make_settings(warehouse=terminal.folder / "springline.duckdb"), now=datetime.now(UTC))
    return health.state, health.reasons[0].kind


@pytest.mark.parametrize("how", SPOILED)
def test_health_tells_it_too(terminal: Terminal, store: Path, how: str) -> None:
    SPOILED[how](store)
    assert health_state(terminal) == ("unable", "control store")


def _lost(folder: Path, how: str) -> None:
    store = folder / STORE
    for file in folder.glob(f"{STORE}*"):
        file.unlink()
    if how == "emptied":
        store.touch()
    elif how == "without tables":
        with closing(sqlite3.connect(store)) as made:
            made.execute("PRAGMA user_version = 0")


@pytest.mark.parametrize("witness", ["springline.duckdb", "published/springline.duckdb", "springline.duckdb.spoiled"])
@pytest.mark.parametrize("how", ["missing", "emptied", "without tables"])
def test_a_lost_store_beside_history_is_refused(terminal: Terminal, how: str, witness: str) -> None:
    _lost(terminal.folder, how)
    there = terminal.folder / witness
    there.parent.mkdir(exist_ok=True)
    with closing(duckdb.connect(str(there))) as tables:
        tables.execute("CREATE SCHEMA ctl; CREATE TABLE ctl.last_batch AS SELECT 'b1' AS batch_id")
    before = sorted(file.name for file in terminal.folder.glob(f"{STORE}*"))
    for command in (*COMMANDS[:-1], "alerts tell", "verify", "check", "preflight"):
        ended = terminal.run(*command.split())
        assert (ended.code, witness in ended.err) == (10, True), command
        assert "`springline restore BACKUP`" in ended.err
    assert health_state(terminal) == ("unable", "control store")
    # Nothing may be made in its place, or the next command would take it for the store.
    assert sorted(file.name for file in terminal.folder.glob(f"{STORE}*")) == before


def test_a_first_command_begins_a_store(terminal: Terminal) -> None:
    assert terminal.run("hold", "2707400", "--reason", "x").code == 0
    # A batch that was killed before it had begun leaves a warehouse that has seen none.
    with closing(duckdb.connect(str(terminal.folder / "springline.duckdb"))) as tables:
        tables.execute("CREATE SCHEMA ctl")
    assert terminal.run("hold", "2707401", "--reason", "x").code == 0
