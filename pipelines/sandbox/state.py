"""The sandbox's one SQLite file: how it is opened, how a unit of work is written, and its small settings."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# A side that writes much at once (a seed) may hold the file for seconds.
_BUSY_SECONDS = 30.0


class StateTable(NamedTuple):
    """One table of the admin page; what a side shows of itself is a list of these."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def open_state(path: Path) -> sqlite3.Connection:
    """Open (and create) the state file, in autocommit mode, usable from every thread under the caller's own lock.

    Each side opens its own connection, so that one side's transaction never holds the other's rows. WAL with
    synchronous NORMAL keeps every committed row when the process is killed.
    """
    db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("CREATE TABLE IF NOT EXISTS sandbox_settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Write a unit of work: all of it is committed at the end, none of it when the block raises.

    Within another one of the same connection it is a part of that, and committed with it.
    """
    if db.in_transaction:
        yield db
        return
    # Three connections write this file. A plain BEGIN takes the lock at its first write only, and is refused at once
    # and without waiting where another connection has written since its first read.
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
    # An interrupt from the keyboard must not leave half of it behind either.
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def read_setting(db: sqlite3.Connection, name: str, *, default: Any = None) -> Any:  # noqa: ANN401 (any JSON value)
    """Read a stored JSON value, ``default`` when it was never written."""
    row = db.execute("SELECT value FROM sandbox_settings WHERE name = ?", (name,)).fetchone()
    return default if row is None else msgspec.json.decode(row[0])


def write_setting(db: sqlite3.Connection, name: str, *, value: Any) -> None:  # noqa: ANN401 (any JSON value)
    """Store a JSON value under its name, at once or with the transaction that is open."""
    db.execute(
        "INSERT OR REPLACE INTO sandbox_settings (name, value) VALUES (?, ?)",
        (name, msgspec.json.encode(value).decode()),
    )
