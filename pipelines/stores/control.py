"""The control store: what was decided, sent and answered, shared by several processes at once.

It is a SQLite file, which is what `Control` opens; where the settings name a schema of PostgreSQL, it is that
(`PostgresControl`, pipelines/stores/postgres). Nobody else knows which of the two it is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.core.control_place import Place
from pipelines.core.errors import SettingsError
from pipelines.core.literals import literal
from pipelines.core.resources import sql_folder
from pipelines.stores import versions
from pipelines.stores.control_schema import control_tables
from pipelines.stores.control_types import ControlConnection, ControlRow, Parameters
from pipelines.stores.copies import BUSY_SECONDS, named, open_for_reading

_KEEP_MARK = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


class Control:
    """One open control store.

    Every write happens in ``write()``, which takes the write lock at once: with a deferred transaction SQLite answers
    `database is locked` to the second writer whatever the timeout.
    """

    place: Place

    def __init__(
        self,
        path: Path,
        *,
        for_reading: bool = False,
        busy_seconds: float | None = None,
        is_moving: bool = False,
    ) -> None:
        """Open the file, creating it with its tables when it is not there, and migrating one of an older release.

        A write waits for others ``busy_seconds`` at most, or half a minute; then sqlite3.OperationalError is raised.

        ``for_reading`` leaves everything on disk as it is, so that it works in a folder that cannot be written: a
        store that is missing is empty, and one of an older release is migrated in memory alone. Raises SettingsError
        when a newer release wrote it, when it cannot be migrated, and when it was moved; ``is_moving`` opens that too.
        """
        self._is_moving = is_moving
        self.path = self.place = path
        if path.exists() and not path.is_file():
            raise SettingsError(
                f"The control store {path} is no file but a folder or a device.",
                next_step="name a file in the setting `control`.",
            )
        with named(path):
            self._connection = _reading(path) if for_reading else self._writing(busy_seconds or BUSY_SECONDS)
        self._connection.row_factory = sqlite3.Row

    def _writing(self, busy_seconds: float) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Autocommit, so that `write()` alone decides where a transaction begins; several threads use the connection.
        self._connection = sqlite3.connect(
            self.path, timeout=busy_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            self._set_up()
        except BaseException:
            self._connection.close()
            raise
        return self._connection

    def _set_up(self) -> None:
        # First of all the version: nothing may be changed in the store of a newer release, not even a setting.
        is_up_to_date = versions.is_up_to_date(self._connection, self.path, is_moving=self._is_moving)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # FULL: a note that a call begins must survive a power cut, or the call would be made a second time.
        self._connection.execute("PRAGMA synchronous = FULL")
        if not is_up_to_date:
            versions.bring_up_to_date(self._connection, self.path)
        # Last: a migration that rebuilds a table could not drop the old one while others refer to it.
        self._connection.execute("PRAGMA foreign_keys = ON")

    @contextmanager
    def write(self, within: ControlConnection | None = None) -> Iterator[ControlConnection]:
        """Run a block in one transaction, alone among all writers: all of it is on disk afterwards, or none.

        Pass as ``within`` what an open block gave, when this must be kept with the rest of it or not at all.
        """
        if within is not None:
            yield within
            return
        with self._transaction() as connection:
            yield connection

    @contextmanager
    def _transaction(self) -> Iterator[ControlConnection]:
        with named(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            with named(self.path):
                yield self._connection
                self._connection.execute("COMMIT")
        # Also for KeyboardInterrupt: the next write on this connection must not find an open transaction.
        except BaseException:
            # On a full disk SQLite has rolled back by itself.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Have every read of a block see the store as it stands at one moment; others may write meanwhile."""
        with named(self.path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("ROLLBACK")

    def read(self, statement: str, parameters: Parameters = ()) -> list[ControlRow]:
        """Return the rows of a query; columns by name."""
        with named(self.path):
            return self._connection.execute(statement, parameters).fetchall()

    def pages(self, statement: str, parameters: Parameters = (), *, size: int) -> Iterator[list[ControlRow]]:
        """Yield the rows of a query some at a time; nothing may be written in between."""
        with named(self.path):
            cursor = self._connection.execute(statement, parameters)
            while rows := cursor.fetchmany(size):
                yield rows

    def one(self, statement: str, parameters: Parameters = ()) -> Any:  # noqa: ANN401 a scalar of any type
        """Return the first column of the first row, or None."""
        with named(self.path):
            row = self._connection.execute(statement, parameters).fetchone()
        return None if row is None else row[0]

    def hold_batch(self) -> None:
        """Keep every other batch out until this store is closed.

        Nothing to do for a file: it has the warehouse beside it, whose own lock does the same.
        """

    def beside(self) -> Control:
        """Return another connection, for another thread; it does nothing more where this one has lost its batch."""
        return Control(self.path)

    def data_version(self) -> int:
        """Return a number that differs when another connection has written to the store."""
        return int(self.one("PRAGMA data_version"))

    def settle(self) -> None:
        """Take over what stands in the log beside the file.

        Left to itself it grows to megabytes before it is used anew.
        """
        self.one("PRAGMA wal_checkpoint(PASSIVE)")

    def mark(self, name: str) -> str | None:
        """Return what ``keep_mark`` kept under a name, None when nothing was kept yet."""
        value: str | None = self.one("SELECT value FROM meta WHERE name = ?", (name,))
        return value

    def keep_mark(self, name: str, value: str, *, within: ControlConnection | None = None) -> None:
        """Keep one value under a name for the next run, in place of the one before; ``within`` as for ``write()``."""
        with self.write(within) as connection:
            connection.execute(_KEEP_MARK, (name, value))

    def version(self) -> int:
        """Return the version of the tables, with what is added to that of a store that is moved."""
        return versions.version_of(self._connection)

    def set_version(self, version: int, *, within: ControlConnection) -> None:
        """Write the version down inside an open ``write()``."""
        within.execute(f"PRAGMA user_version = {version}")

    def refuse_writes(self, words: str, *, within: ControlConnection) -> None:
        """Have every further write refused for good, also of who has the store open; inside an open ``write()``."""
        for table in control_tables():
            for event in ("INSERT", "UPDATE", "DELETE"):
                within.execute(
                    f"CREATE TRIGGER {table}_is_moved_{event.lower()} BEFORE {event} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, {literal(words)}); END"
                )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _reading(path: Path) -> sqlite3.Connection:
    """Open a store of this release on disk, any other one as a copy in memory."""
    memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        if path.exists():
            store = open_for_reading(path)
            if versions.is_up_to_date(store, path):
                memory.close()
                return store
            store.backup(memory)
            store.close()
        versions.bring_up_to_date(memory, path, is_copied=False)
        memory.execute("PRAGMA query_only = ON")
    except BaseException:
        memory.close()
        raise
    return memory


@cache
def named_statements(file: str, *, folder: str = "control") -> Mapping[str, str]:
    """Read sql/<folder>/<file>.sql, where each statement follows a line ``-- name: <its name>``."""
    _, *blocks = (sql_folder() / folder / f"{file}.sql").read_text(encoding="utf-8").split("-- name: ")
    return {name.strip(): statement.strip() for name, _, statement in (block.partition("\n") for block in blocks)}


def utc_text(moment: datetime) -> str:
    """Write an aware time as the control store keeps it: UTC, ISO 8601, microseconds.

    >>> utc_text(datetime(2026, 11, 2, 8, 0, tzinfo=UTC))
    '2026-11-02T08:00:00.000000+00:00'
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
