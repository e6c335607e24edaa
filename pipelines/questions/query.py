"""One question to the published file: read only, with nothing outside it in reach, and every decimal exact."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.core.errors import UsageError
from pipelines.core.literals import literal
from pipelines.publish.edition.contents import DATABASE, first_line

if TYPE_CHECKING:
    import pyarrow as pa

PAGE = 10_000
NEAR = 3
TABLES_NEXT_STEP = (
    'springline query "SELECT schema_name, table_name, comment FROM duckdb_tables() ORDER BY ALL" lists what there is.'
)
# What only reads; everything else is refused before it is run.
READS = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN})
_PLACE = re.compile(r"^LINE (?P<line>\d+): (?P<text>.*)\n(?P<blanks> *)\^", re.MULTILINE)
# DuckDB's own guess does not know the schemas.
_GUESS = re.compile(r"Did you mean .*\?")
_NO_TABLE = re.compile(r"Table with name (?P<name>\S+) does not exist")

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Age:
    """When the published file was written (naive UTC) and by which batch, and when each side was last read."""

    published_at: datetime
    batch_id: str
    as_of_vms: datetime | None
    as_of_ledger: datetime | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an answer and its type in DuckDB's words."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a question while the file is open: its columns, then its rows, page by page or as Arrow batches."""

    columns: tuple[Column, ...]
    age: Age
    _cursor: duckdb.DuckDBPyConnection

    def pages(self) -> Iterator[list[Row]]:
        """Yield the rows, some thousands at a time."""
        while rows := self.first(PAGE):
            yield rows

    def first(self, count: int) -> list[Row]:
        """Return the next rows, at most ``count``."""
        with _told(self._cursor):
            return self._cursor.fetchmany(count)

    def batches(self) -> pa.RecordBatchReader:
        """Return the rows as Arrow batches, decimals as decimals."""
        return self._cursor.to_arrow_reader(PAGE)


@contextmanager
def ask(folder: Path, sql: str) -> Iterator[Answer]:
    """Run one SELECT on the published file in ``folder`` and yield its answer.

    UsageError when nothing is published, when the statement does anything but read, and when it is no SQL.
    """
    # What does not fit into memory goes there, and a folder for that is one that a question may read.
    with TemporaryDirectory(prefix="springline-query-") as spill:
        connection = _open(folder / DATABASE, spill)
        try:
            _check(connection, sql)
            age = _age(connection)
            with _told(connection):
                connection.execute(sql)
            yield Answer(tuple(_columns(connection)), age, connection)
        finally:
            connection.close()


def _open(path: Path, spill: str) -> duckdb.DuckDBPyConnection:
    if not path.exists():
        raise UsageError(f"Nothing is published yet: there is no {path}.", next_step="springline run publish.")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise UsageError(
            f"{path} cannot be read: {first_line(error)}", next_step="remove it and run springline run publish."
        ) from error
    # In this order: nothing else can be set once the last of them is.
    for setting in (
        f"temp_directory = {literal(spill)}",
        "TimeZone = 'UTC'",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")
    return connection


def _check(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Refuse what is no single statement that reads."""
    with _told(connection):
        statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise UsageError(f"One statement at a time; these are {len(statements)}.", next_step="ask one SELECT.")
    if statements[0].type not in READS:
        raise UsageError(
            f"{statements[0].type.name} is refused: the published file is for reading.",
            next_step="ask a SELECT; --output FILE writes its answer to a file.",
        )


def _age(connection: duckdb.DuckDBPyConnection) -> Age:
    try:
        row = connection.execute("SELECT published_at, batch_id, as_of_vms, as_of_ledger FROM ctl.published").fetchone()
    except duckdb.CatalogException:
        row = None
    if row is None:
        raise UsageError("This file was not published by Springline.", next_step="springline run publish writes one.")
    return Age(*row)


def _columns(connection: duckdb.DuckDBPyConnection) -> Iterator[Column]:
    """Yield the columns of an answer; names that stand twice get a number, since a reader would lose one of them."""
    seen: dict[str, int] = {}
    for name, kind, *_ in connection.description or ():
        seen[name] = seen.get(name, 0) + 1
        yield Column(name if seen[name] == 1 else f"{name}_{seen[name]}", str(kind))


@contextmanager
def _told(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Turn DuckDB's error into one that says in which line it is, and which names are near."""
    try:
        yield
    except duckdb.PermissionException as error:
        raise UsageError(
            f"{first_line(error)}", next_step="a question reaches the published file alone, no other file or address."
        ) from error
    except duckdb.Error as error:
        raise UsageError(_words(error), next_step=_next_step(connection, error)) from error


def _words(error: duckdb.Error) -> str:
    """Return the line with a mark below the place, where there is one, and what is wrong there."""
    text = str(error)
    message = " ".join(_GUESS.sub("", _PLACE.split(text, maxsplit=1)[0]).split())
    found = _PLACE.search(text)
    if found is None:
        return message
    mark = " " * (len(found["blanks"]) - len("LINE") + len("line")) + "^"
    return f"line {found['line']}: {found['text']}\n{mark}\n{message}"


def _next_step(connection: duckdb.DuckDBPyConnection, error: duckdb.Error) -> str:
    missing = _NO_TABLE.search(str(error))
    if missing is None:
        return "correct the SQL."
    near = _near(connection, missing["name"].strip('"'))
    return f"did you mean {' or '.join(near)}? {TABLES_NEXT_STEP}" if near else TABLES_NEXT_STEP


def _near(connection: duckdb.DuckDBPyConnection, name: str) -> Sequence[str]:
    """Return the published tables whose name, with or without the schema, is near."""
    rows = connection.execute("SELECT schema_name || '.' || table_name, table_name FROM duckdb_tables()").fetchall()
    bare = name.lower().rpartition(".")[2]
    close = get_close_matches(bare, {table for _, table in rows}, cutoff=0.7)
    return [full for table in close for full, other in rows if other == table][:NEAR]
