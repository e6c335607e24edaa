"""The control store in a schema of PostgreSQL, with the guarantees of the file; see docs/decisions/0020.

Where SQLite has BEGIN IMMEDIATE, a writer holds an advisory lock until its transaction ends, so that what it reads
inside is what stands. A batch holds another one for as long as it is connected.
"""

# ruff: noqa: S608 - names are checked, and ours

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pipelines.core.errors import BusyError, SettingsError, SpringlineError
from pipelines.core.literals import literal
from pipelines.stores.control import Control
from pipelines.stores.control_schema import control_tables
from pipelines.stores.control_types import ControlConnection, ControlRow, Parameters
from pipelines.stores.copies import BUSY_SECONDS
from pipelines.stores.postgres.connection import PostgresConnection
from pipelines.stores.postgres.faults import lost_batch, shared_session
from pipelines.stores.postgres.statements import FUNCTIONS, ddl_of
from pipelines.stores.versions import MOVED, control_folder, migrations, refuse_version, statements_of

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.core.control_place import PostgresSchema

# The highest number of an event that was ever kept: SQLite remembers it by itself.
_NOTE_ISSUED = (
    "UPDATE issued SET seq = newest.event_no FROM (SELECT MAX(event_no) AS event_no FROM outbox_events) AS newest "
    "WHERE issued.name = 'outbox_events' AND issued.seq < newest.event_no"
)


class NoStoreError(Exception):
    """There is no store where one is only to be read."""


class PostgresControl(Control):
    """One open control store of PostgreSQL."""

    def __init__(
        self,
        place: PostgresSchema,
        *,
        for_reading: bool = False,
        busy_seconds: float | None = None,
        is_moving: bool = False,
    ) -> None:
        """Connect, making the schema with its tables when it is not there; a write waits ``busy_seconds`` at most.

        ``for_reading`` changes nothing, and raises NoStoreError where there is no store. Raises SettingsError where a
        newer release made it, where it cannot be reached, and where it was moved; ``is_moving`` opens that too.
        """
        self.place: PostgresSchema = place
        self._for_reading, self._busy_seconds = for_reading, busy_seconds or BUSY_SECONDS
        self._is_batch, self._is_moving = False, is_moving
        # The number of the session that holds the lock under which this one works.
        self._batch: int | None = None
        self._open = self._connect()

    def _connect(self) -> PostgresConnection:
        opened = PostgresConnection(self.place, for_reading=self._for_reading, lock_seconds=self._busy_seconds)
        try:
            version = version_of(opened, self.place, is_moving=self._is_moving)
            if version != len(migrations(control_folder())):
                self._make(opened, version)
        except BaseException:
            opened.close()
            raise
        return opened

    def _make(self, opened: PostgresConnection, version: int | None) -> None:
        if self._for_reading and version is None:
            raise NoStoreError
        if self._for_reading:
            message = f"The control store {self.place} has the tables of an older release, and is only to be read now."
            raise SettingsError(message, next_step="`springline run` brings it to this release; then do this again.")

        _begin(opened, self.place)
        try:
            # Asked again: another process may have done it while this one waited for the lock.
            make_tables(opened, self.place, version_of(opened, self.place))
            opened.run("COMMIT")
        except BaseException:
            opened.roll_back()
            raise

    @property
    def _session(self) -> PostgresConnection:
        # A batch that has lost its connection has lost the lock that keeps others out, and must not go on.
        if self._open.is_lost and not self._is_batch and self._batch is None:
            self._open = self._connect()
        return self._open

    @contextmanager
    def _transaction(self) -> Iterator[ControlConnection]:
        opened = self._session
        try:
            _begin(opened, self.place)
            self._refuse_without_batch(opened)
            yield opened
            opened.run(_NOTE_ISSUED, "COMMIT")
        # Also for KeyboardInterrupt: the next write on this connection must not find an open transaction.
        except BaseException:
            opened.roll_back()
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Have every read of a block see the store as it stands at one moment; others may write meanwhile."""
        opened = self._session
        opened.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield
        finally:
            opened.roll_back()

    def read(self, statement: str, parameters: Parameters = ()) -> list[ControlRow]:
        """Return the rows of a query; columns by name."""
        return [*self._session.execute(statement, parameters).fetchall()]

    def pages(self, statement: str, parameters: Parameters = (), *, size: int) -> Iterator[list[ControlRow]]:
        """Yield the rows of a query some at a time; nothing may be written in between."""
        for rows in self._session.pages(statement, parameters, size=size):
            yield [*rows]

    def one(self, statement: str, parameters: Parameters = ()) -> Any:  # noqa: ANN401 a scalar of any type
        """Return the first column of the first row, or None."""
        row = self._session.execute(statement, parameters).fetchone()
        return None if row is None else row[0]

    def hold_batch(self) -> None:
        """Keep every other batch out until this store is closed; BusyError when one is at work already."""
        [row] = self._session.run(f"SELECT PG_TRY_ADVISORY_LOCK({lock_of(self.place, 'batch')})")
        if not row[0]:
            message = f"Another batch is at work on the control store {self.place}."
            raise BusyError(message, next_step="wait for it to end, then do it again; nothing was sent.")
        self._is_batch = True

    def beside(self) -> PostgresControl:
        """Return another connection, for another thread; it does nothing more where this one has lost its batch."""
        other = PostgresControl(self.place, busy_seconds=self._busy_seconds)
        other._batch = self._open.process if self._is_batch else None
        return other

    def _refuse_without_batch(self, opened: PostgresConnection) -> None:
        """Raise BusyError where the session that holds the lock of the batch has ended, noticed there or not."""
        if self._batch is None:
            return
        [held] = opened.run(f"SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = {self._batch}")
        if not held[0]:
            raise lost_batch(self.place)

    def data_version(self) -> int:
        """Return a number that differs when another connection has written to the store, or to its database."""
        return int(self._session.run("SELECT PG_SNAPSHOT_XMAX(PG_CURRENT_SNAPSHOT())::TEXT")[0][0])

    def settle(self) -> None:
        """Do nothing: the server looks after its own log."""

    def version(self) -> int:
        """Return the version of the tables, with what is added to that of a store that is moved."""
        return int(self._session.run("SELECT version FROM store_version")[0][0])

    def set_version(self, version: int, *, within: ControlConnection) -> None:
        """Write the version down inside an open ``write()``."""
        within.execute(f"UPDATE store_version SET version = {version}")

    def refuse_writes(self, words: str, *, within: ControlConnection) -> None:
        """Have every further write refused for good, also of who has the store open; inside an open ``write()``."""
        for table in control_tables():
            within.execute(
                f"CREATE TRIGGER {table}_is_moved BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
                f"EXECUTE FUNCTION refuse({literal(words)})"
            )

    def close(self) -> None:
        """End the session; its locks go with it."""
        # Given back by itself, or the next batch could find it before the server has seen that this one has gone.
        if self._is_batch and not self._open.is_lost:
            with suppress(SpringlineError):
                self._open.run("SELECT PG_ADVISORY_UNLOCK_ALL()")
        self._open.close()


def lock_of(place: PostgresSchema, role: str) -> int:
    """Return the number of a lock, which is the database's: of one tenant, and of writers (`write`) or of the batch."""
    return int.from_bytes(sha256(f"springline {role} {place.schema}".encode()).digest()[:8], "big", signed=True)


def _begin(opened: PostgresConnection, place: PostgresSchema) -> None:
    # Read committed: whatever stood when the lock was taken is seen, not what stood when it was asked for.
    locked = f"SELECT PG_ADVISORY_XACT_LOCK({lock_of(place, 'write')}), PG_BACKEND_PID()"
    [row] = opened.run("BEGIN ISOLATION LEVEL READ COMMITTED", locked)
    # Else the lock of a batch is kept by a session that is not ours any more.
    if row[1] != opened.process:
        raise shared_session(place)


def version_of(opened: PostgresConnection, place: PostgresSchema, *, is_moving: bool = False) -> int | None:
    """Return the version of the tables, None where there are none.

    Raises SettingsError for those of a newer release, of another program, and of a store that was moved.
    """
    names = {name for (name,) in opened.run(f"SELECT tablename FROM pg_tables WHERE schemaname = '{place.schema}'")}
    if not names:
        return None
    if not names.issuperset({"outbox_events", "store_version"}):
        message = f"The schema {place.schema} of {place} is no control store of Springline: it has other tables."
        raise SettingsError(message, next_step="name another schema in the setting `control`.")
    version = int(opened.run("SELECT version FROM store_version")[0][0])
    if is_moving:
        version %= MOVED
    refuse_version(opened, place, version, newest=len(migrations(control_folder())))
    return version


def make_tables(opened: PostgresConnection, place: PostgresSchema, version: int | None) -> None:
    """Make the tables of a new store, or migrate an older one, inside the caller's transaction."""
    folder = control_folder()
    steps = migrations(folder)
    if version is None:
        lay_ground(opened, place)
    run_files(opened, (folder / "schema.sql",) if version is None else steps[version:])
    opened.run(f"UPDATE store_version SET version = {len(steps)}")


def lay_ground(opened: PostgresConnection, place: PostgresSchema) -> None:
    """Make the schema unless it is there, and in it what SQLite has by itself: a version, and what was numbered."""
    # Not IF NOT EXISTS, for which PostgreSQL asks the right to make it also where it is there.
    if not opened.run(f"SELECT 1 FROM pg_namespace WHERE nspname = '{place.schema}'"):
        opened.run(f"CREATE SCHEMA {place.schema}")
    opened.run(
        *FUNCTIONS,
        "CREATE TABLE store_version (version BIGINT NOT NULL)",
        "INSERT INTO store_version VALUES (0)",
        'CREATE TABLE issued (name TEXT COLLATE "C" PRIMARY KEY, seq BIGINT NOT NULL)',
        "INSERT INTO issued VALUES ('outbox_events', 0)",
    )


def run_files(opened: PostgresConnection, files: Iterable[Path]) -> None:
    """Run files of SQLite's DDL."""
    for file in files:
        opened.run(*(said for statement in statements_of(file) for said in ddl_of(statement)))
