"""The control store grows with releases: migrated whole or not at all, once, and never read by an older release."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from pipelines.core.errors import SettingsError
from pipelines.stores import versions
from pipelines.stores.control import Control
from tests.support.patience import PATIENCE

NEWEST = len(versions.migrations(versions.control_folder()))
SECOND = "ALTER TABLE meta ADD COLUMN kept_at TEXT;\n"
THIRD = """
CREATE TABLE notes (note TEXT NOT NULL) STRICT;
INSERT INTO notes SELECT name FROM meta;
CREATE TRIGGER notes_are_final BEFORE DELETE ON notes
BEGIN SELECT RAISE(ABORT, 'notes is append-only'); END;
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the DDL of a later release: version 1 as it is, and two migrations after it."""
    later = tmp_path / "later"
    (later / "migrations").mkdir(parents=True)
    [first] = [file for file in versions.migrations(versions.control_folder()) if file.name.startswith("0001_")]
    shutil.copy(first, later / "migrations")
    (later / "schema.sql").write_text(first.read_text() + SECOND + THIRD)
    (later / "migrations" / "0002_second.sql").write_text(SECOND)
    (later / "migrations" / "0003_third.sql").write_text(THIRD)
    return later


@pytest.fixture
def store(tmp_path: Path, folder: Path) -> Path:
    """Give a store as release 0.1.0 left it: its tables, no version, its last row only in the write-ahead log."""
    path = tmp_path / "springline.ctl.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(next((folder / "migrations").glob("0001_*")).read_text())
    connection.execute("INSERT INTO meta VALUES ('first', '1')")
    connection.execute("PRAGMA wal_checkpoint")
    connection.execute("INSERT INTO meta VALUES ('last', '2')")
    copy = tmp_path / "as_it_was"
    copy.mkdir()
    for file in tmp_path.glob("springline.ctl.sqlite*"):
        shutil.copy(file, copy)
    connection.close()
    for file in copy.iterdir():
        shutil.copy(file, tmp_path)
    path.chmod(0o600)
    return path


def migrate(path: Path, folder: Path) -> None:
    with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as connection:
        if not versions.is_up_to_date(connection, path, folder=folder):
            versions.bring_up_to_date(connection, path, folder=folder)


def content(path: Path) -> tuple[int, list[str], list[tuple[str, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        [(version,)] = connection.execute("PRAGMA user_version").fetchall()
        return version, schema(connection), connection.execute("SELECT name, value FROM meta ORDER BY 1").fetchall()


def schema(connection: sqlite3.Connection) -> list[str]:
    """Give the DDL of all that a store has, without comments and spaces, which no migration can write the same."""
    texts = [sql or "" for (sql,) in connection.execute("SELECT sql FROM sqlite_schema ORDER BY type, name")]
    return [re.sub(r"\s+", "", re.sub(r"--[^\n]*", "", text)) for text in texts]


def copies(path: Path) -> list[Path]:
    return sorted(path.parent.glob("springline.ctl.sqlite.version-*"))


def in_a_fork(work: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return child


def exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_new_store_equals_a_migrated_one(tmp_path: Path) -> None:
    Control(tmp_path / "new.sqlite").close()
    with closing(sqlite3.connect(tmp_path / "new.sqlite")) as new, closing(sqlite3.connect(":memory:")) as migrated:
        for file in versions.migrations(versions.control_folder()):
            migrated.executescript(file.read_text(encoding="utf-8"))
        assert schema(new) == schema(migrated)
        assert new.execute("PRAGMA user_version").fetchall() == [(NEWEST,)]
    assert [file.name for file in tmp_path.iterdir()] == ["new.sqlite"]


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = [int(file.name[:4]) for file in versions.migrations(versions.control_folder())]
    assert numbers == list(range(1, NEWEST + 1))


def test_an_older_store_is_migrated_and_a_copy_kept(store: Path, folder: Path) -> None:
    migrate(store, folder)
    version, tables, rows = content(store)
    assert (version, rows) == (3, [("first", "1"), ("last", "2")])
    with closing(sqlite3.connect(":memory:")) as new:
        new.executescript((folder / "schema.sql").read_text())
        assert tables == schema(new)
    [copy] = copies(store)
    assert re.fullmatch(r"springline\.ctl\.sqlite\.version-1\.\d{8}T\d{6}Z", copy.name)
    assert content(copy) == content(store.parent / "as_it_was" / store.name)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_opening_again_migrates_nothing(store: Path, folder: Path) -> None:
    migrate(store, folder)
    migrate(store, folder)
    assert len(copies(store)) == 1


def test_opening_an_up_to_date_store_waits_for_nobody(tmp_path: Path) -> None:
    path = tmp_path / "springline.ctl.sqlite"
    first = Control(path)
    with first.write() as connection:
        connection.execute("INSERT INTO meta VALUES ('a', 'b')")
        second = Control(path)
        assert second.mark("a") is None
    assert second.mark("a") == "b"
    second.close()
    first.close()


def test_a_newer_store_is_refused_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "springline.ctl.sqlite"
    Control(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute(f"PRAGMA user_version = {NEWEST + 1}")
    before = path.read_bytes()
    with pytest.raises(SettingsError) as error:
        Control(path)
    assert error.value.exit_code == 10
    assert f"version {NEWEST + 1}" in error.value.message
    assert f"versions up to {NEWEST}" in error.value.message
    assert "newer release" in error.value.next_step
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_migration_that_fails_changes_nothing(store: Path, folder: Path) -> None:
    (folder / "migrations" / "0003_third.sql").write_text(f"{THIRD}DROP TABLE nowhere;")
    before = content(store)
    with pytest.raises(SettingsError, match="nowhere"):
        migrate(store, folder)
    assert content(store) == before


def test_killed_at_any_statement_it_stays_as_it_was(store: Path, folder: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole" / store.name
    shutil.copytree(store.parent / "as_it_was", whole.parent)
    before = content(store)
    killed = 0
    while True:
        killed += 1
        case = tmp_path / f"killed-{killed}" / store.name
        shutil.copytree(store.parent / "as_it_was", case.parent)
        outcome = exit_code(in_a_fork(lambda: migrate_until(case, folder, statement=killed)))  # noqa: B023 run at once
        if outcome == 0:
            break
        assert outcome == -signal.SIGKILL
        assert content(case) == before, f"killed at statement {killed}"
        migrate(case, folder)
        migrate(whole, folder)
        assert content(case) == content(whole)
        assert {content(copy)[0] for copy in copies(case)} == {0}
        assert not list(case.parent.glob("*.partial*"))
    # Begin, version, tables, each statement of three migrations, the new version, commit; and those of the copying.
    assert killed > 40


def migrate_until(path: Path, folder: Path, *, statement: int) -> None:
    """Migrate a store, and kill this process at a statement, counted over its own and the copy's connection."""
    seen = 0

    def count(_text: str) -> None:
        nonlocal seen
        seen += 1
        if seen == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    def connect(*args: Any, **options: Any) -> sqlite3.Connection:  # noqa: ANN401 as sqlite3 takes them
        connection: sqlite3.Connection = opened(*args, **options)
        connection.set_trace_callback(count)
        return connection

    opened = sqlite3.connect
    with patch("sqlite3.connect", connect):
        migrate(path, folder)


def test_two_processes_at_once_migrate_once(store: Path, folder: Path) -> None:
    children = [in_a_fork(lambda: migrate(store, folder)) for _ in range(4)]
    assert [exit_code(child) for child in children] == [0, 0, 0, 0]
    assert content(store)[0] == 3
    assert len(copies(store)) == 1
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute("SELECT note FROM notes ORDER BY 1").fetchall() == [("first",), ("last",)]


def test_who_saw_a_bank_change_first_is_known_of_older_stores(tmp_path: Path) -> None:
    path = tmp_path / "springline.ctl.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(versions.migrations(versions.control_folder())[0].read_text(encoding="utf-8"))
        connection.executemany(
            "INSERT INTO batches (batch_id, started_at, today, jobs, operator) VALUES (?, ?, '', '', ?)",
            [("b1", "2026-11-02T08:00", "kari"), ("b2", "2026-11-02T09:00", "ola")],
        )
        connection.executemany(
            "INSERT INTO bank_changes (partner_code, seen_at) VALUES (?, ?)",
            [("first", "2026-11-02T08:01"), ("second", "2026-11-02T10:00"), ("nobody's", "2026-11-01T10:00")],
        )
        connection.commit()
    control = Control(path)
    seen = {
        row["partner_code"]: row["seen_by"] for row in control.read("SELECT partner_code, seen_by FROM bank_changes")
    }
    assert seen == {"first": "kari", "second": "ola", "nobody's": None}
    control.close()
