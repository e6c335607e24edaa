"""One connection to a control store in PostgreSQL, which takes and gives what SQLite takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.adapt import Loader

from pipelines.stores.postgres.faults import shared_session, told, unreachable
from pipelines.stores.postgres.statements import statement_of

if TYPE_CHECKING:
    from psycopg.abc import Buffer

    from pipelines.core.control_place import PostgresSchema

# Until a server that does not answer counts as not there, and until one that has gone is noticed; in seconds, where the
# address says nothing else.
_OURS = {"connect_timeout": "10", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}
# A session whose machine has gone holds its locks no longer than a minute.
_SESSION = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "client_min_messages": "error",
}
# A note that a call begins must survive a power cut, or the call would be made a second time.
_FORCED = (
    "SET_CONFIG('synchronous_commit', CASE CURRENT_SETTING('synchronous_commit') "
    "WHEN 'off' THEN 'on' ELSE CURRENT_SETTING('synchronous_commit') END, FALSE)"
)


class Record:
    """One row, as sqlite3.Row is one: values by name and by place."""

    __slots__ = ("_places", "_values")

    def __init__(self, places: dict[str, int], values: Sequence[Any]) -> None:
        """``places`` are the names of the columns, each with its place."""
        self._places, self._values = places, values

    def __getitem__(self, key: str | int) -> Any:  # noqa: ANN401 a value of any type
        return self._values[self._places[key] if isinstance(key, str) else key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def keys(self) -> list[str]:
        """Return the names of the columns."""
        return list(self._places)


def records(cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], Record]:
    """Make rows of what a cursor reads."""
    places = {column.name: place for place, column in enumerate(cursor.description or ())}
    return lambda values: Record(places, values)


class _Whole(Loader):
    """Read a sum, which is of type numeric, and a truth, as the whole numbers they are in SQLite."""

    def load(self, data: Buffer) -> int:
        text = bytes(data)
        return {b"t": 1, b"f": 0}[text] if text in {b"t", b"f"} else int(text)


class _Text(Loader):
    """Read JSON as the text it is."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode()


class PostgresConnection:
    """A session of PostgreSQL; outside a transaction each statement is one of its own."""

    def __init__(self, place: PostgresSchema, *, for_reading: bool, lock_seconds: float) -> None:
        """Connect; raises SettingsError when the server cannot be reached, does not let us in, or shares sessions."""
        self._place = place
        settings = {
            **_SESSION,
            "search_path": place.schema,
            "lock_timeout": str(int(lock_seconds * 1000)),
            "default_transaction_read_only": "on" if for_reading else "off",
        }
        self._session = _connected(place)
        # Not as options of the connection, which a pool refuses, or leaves out without a word.
        chosen = [f"SET_CONFIG('{name}', '{value}', FALSE)" for name, value in settings.items()]
        try:
            self.process = self._set_up(f"SELECT PG_BACKEND_PID(), {', '.join((*chosen, _FORCED))}")
        except BaseException:
            self.close()
            raise
        for kind in ("numeric", "bool"):
            self._session.adapters.register_loader(kind, _Whole)
        self._session.adapters.register_loader("json", _Text)

    def _set_up(self, statement: str) -> int:
        """Run what sets the session up, and return the number of its process on the server."""
        # Where there is a pool between us and the server, the number that it has told us is its own.
        rows = self.run(f"{statement} WHERE PG_BACKEND_PID() = {self._session.info.backend_pid}")
        if not rows:
            self._refuse_shared()
            rows = self.run(statement)
        return int(rows[0][0])

    def _refuse_shared(self) -> None:
        """Raise SettingsError where the pool gives our session on to another client while nothing of ours is open."""
        ask = b"SELECT PG_BACKEND_PID()"
        with told(self._place), _connected(self._place) as other:
            [ours] = self._session.execute(ask).fetchone() or [0]
            try:
                other.execute(b"BEGIN")
            except psycopg.errors.ProtocolViolation:
                # One that gives each statement another session lets nobody begin.
                raise shared_session(self._place) from None
            [theirs] = other.execute(ask).fetchone() or [0]
            # Theirs is kept by what they have open: one that was shared is theirs now, and ours is another.
            [again] = self._session.execute(ask).fetchone() or [0]
            other.rollback()
        if theirs == ours or again != ours:
            raise shared_session(self._place)

    @property
    def is_lost(self) -> bool:
        """Tell whether the session has ended."""
        return self._session.closed

    def execute(self, statement: str, parameters: Any = (), /) -> psycopg.Cursor[Record]:  # noqa: ANN401 Parameters
        """Run one statement of SQLite's."""
        with told(self._place):
            return self._session.execute(statement_of(statement), parameters)

    def executemany(self, statement: str, rows: Any, /) -> psycopg.Cursor[Record]:  # noqa: ANN401 of Parameters
        """Run one statement of SQLite's with each of many parameters."""
        with told(self._place):
            cursor = self._session.cursor()
            cursor.executemany(statement_of(statement), rows)
            return cursor

    def pages(self, statement: str, parameters: Any, *, size: int) -> Iterator[list[Record]]:  # noqa: ANN401 Parameters
        """Yield the rows of a query some at a time; the server keeps the rest."""
        with told(self._place), self._session.cursor("pages", withhold=True) as cursor:
            cursor.execute(statement_of(statement), parameters)
            while rows := cursor.fetchmany(size):
                yield rows

    def run(self, *statements: str) -> list[Record]:
        """Run statements of PostgreSQL's own, as one message; return the rows of the last."""
        with told(self._place):
            cursor = self._session.execute("; ".join(statements).encode())
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def roll_back(self) -> None:
        """Take back what an open transaction has done; nothing where none is open, or the session has ended."""
        idle, active = psycopg.pq.TransactionStatus.IDLE, psycopg.pq.TransactionStatus.ACTIVE
        status = self._session.info.transaction_status
        if self._session.closed or status == idle:
            return
        if status == active:
            # Stopped in the middle of a statement: the server rolls back what its client has left.
            self._session.close()
            return
        try:
            self._session.execute(b"ROLLBACK")
        except psycopg.Error:
            self._session.close()

    def close(self) -> None:
        """End the session."""
        self._session.close()


def _connected(place: PostgresSchema) -> psycopg.Connection[Record]:
    """Connect to a server; raises SettingsError when that cannot be done."""
    known = {**_OURS, **dict(place.connection)}
    if place.password is not None:
        known["password"] = place.password
    try:
        return psycopg.connect(
            **known,  # type: ignore[arg-type] # as libpq calls them
            application_name="springline",
            client_encoding="utf8",
            autocommit=True,
            row_factory=records,
        )
    except psycopg.Error as error:
        raise unreachable(error, place) from None
