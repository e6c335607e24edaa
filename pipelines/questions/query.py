"""Asks the published file one question in SQL: read-only, with no other file or address in reach, decimals exact."""

from __future__ import annotations

import os
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
from pipelines.questions.shortcuts import as_sql
from pipelines.stores.memory import fit
from pipelines.stores.unopened import unopened_step

if TYPE_CHECKING:
    import pyarrow as pa

PAGE = 10_000
NEAR = 3
TABLES_NEXT_STEP = "springline query lists what there is."
# Statements that only read; any other is refused before it is run.
READS = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN})
_PLACE = re.compile(r"^LINE (?P<line>\d+): (?P<text>.*)\n(?P<blanks> *)\^", re.MULTILINE)
# DuckDB's own guess is cut out of its message: it leaves out the schema, without which no table is found here.
_GUESS = re.compile(r"Did you mean .*\?")
_NO_TABLE = re.compile(r"Table with name (?P<name>\S+) does not exist")

# How the names of DuckDB's number types begin; U are the unsigned ones.
NUMBERS = ("BIGINT", "DECIMAL", "DOUBLE", "FLOAT", "HUGEINT", "INTEGER", "SMALLINT", "TINYINT", "U")

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class PublishedAge:
    """When the published file was written (naive UTC) and by which batch, and when each side was last read.

    ``whose`` says of which tenant, where several were asked.
    """

    published_at: datetime
    batch_id: str
    as_of_vms: datetime | None
    as_of_ledger: datetime | None
    whose: str = ""


@dataclass(frozen=True, slots=True)
class AnswerColumn:
    """One column of an answer and its type in DuckDB's words."""

    name: str
    type: str

    @property
    def is_number(self) -> bool:
        """Tell whether it holds numbers, which stand on the right."""
        return self.type.startswith(NUMBERS)


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """The answer to a question while the file is open: its columns, then its rows, page by page or as Arrow batches.

    ``sql`` is what was asked, ``remark`` a sentence for whoever asked in fewer words than SQL (see ``shortcuts``).
    """

    sql: str
    remark: str
    columns: tuple[AnswerColumn, ...]
    age: PublishedAge
    _cursor: duckdb.DuckDBPyConnection

    def pages(self) -> Iterator[list[Row]]:
        """Yield the rows, some thousands at a time."""
        while rows := self.first(PAGE):
            yield rows

    def first(self, count: int) -> list[Row]:
        """Return the next rows, at most ``count``."""
        with _errors_explained(self._cursor):
            return self._cursor.fetchmany(count)

    def batches(self) -> pa.RecordBatchReader:
        """Return the rows as Arrow batches, decimals as decimals."""
        return self._cursor.to_arrow_reader(PAGE)


@contextmanager
def ask(folder: Path, text: str | None) -> Iterator[QueryAnswer]:
    """Run one SELECT, or what ``shortcuts`` makes one of, on the published file in ``folder`` and yield its answer.

    UsageError when nothing is published, when the statement does anything but read, and when it is no SQL.
    """
    # DuckDB spills to disk what does not fit into memory, and lets a question read that folder: so it is a fresh one.
    with TemporaryDirectory(prefix="springline-query-") as spill:
        connection = _open(folder / DATABASE, spill)
        try:
            yield answer(connection, text, _age(connection))
        finally:
            connection.close()


def answer(connection: duckdb.DuckDBPyConnection, text: str | None, age: PublishedAge) -> QueryAnswer:
    """Run a question on a locked connection; raises UsageError as ``ask`` does."""
    asked = as_sql(connection, text)
    # Before it runs: a statement that writes must not get as far as an error of DuckDB's.
    _check(connection, asked.sql)
    with _errors_explained(connection):
        connection.execute(asked.sql)
    return QueryAnswer(asked.sql, asked.remark, tuple(_columns(connection)), age, connection)


def _open(path: Path, spill: str) -> duckdb.DuckDBPyConnection:
    # Not `Path.exists`: of a name that is too long it ends with an error.
    if not os.path.exists(path):  # noqa: PTH110
        raise UsageError(
            f"Nothing is published yet: there is no {path}.",
            next_step="springline run publish; when it is in another folder, name that: --published FOLDER.",
        )
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise UsageError(
            f"{path} cannot be read: {first_line(error)}",
            next_step=unopened_step(error, anew="`springline run publish` writes it anew"),
        ) from error
    lock(connection, spill=spill)
    return connection


def lock(connection: duckdb.DuckDBPyConnection, *, spill: str, folders: Sequence[str] = ()) -> None:
    """Let a connection reach nothing but what it has open, and these folders or buckets."""
    fit(connection, spill=Path(spill))
    # In this order: after lock_configuration nothing can be set any more, not even by the question itself.
    for setting in (
        "TimeZone = 'UTC'",
        f"allowed_directories = [{', '.join(map(literal, folders))}]",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")


def _check(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raise UsageError unless the SQL is one statement that only reads."""
    with _errors_explained(connection):
        statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise UsageError(f"One statement at a time; these are {len(statements)}.", next_step="ask one SELECT.")
    if statements[0].type not in READS:
        raise UsageError(
            f"{statements[0].type.name} is refused: the published file is for reading.",
            next_step="ask a SELECT; --output FILE writes its answer to a file.",
        )


def _age(connection: duckdb.DuckDBPyConnection) -> PublishedAge:
    try:
        row = connection.execute("SELECT published_at, batch_id, as_of_vms, as_of_ledger FROM ctl.published").fetchone()
    except duckdb.CatalogException:
        row = None
    if row is None:
        raise UsageError("This file was not published by Springline.", next_step="springline run publish writes one.")
    return PublishedAge(*row)


def _columns(connection: duckdb.DuckDBPyConnection) -> Iterator[AnswerColumn]:
    """Yield the columns of an answer; a name that comes twice gets a number, or JSON would keep one of the two only."""
    seen: dict[str, int] = {}
    for name, kind, *_ in connection.description or ():
        seen[name] = seen.get(name, 0) + 1
        yield AnswerColumn(name if seen[name] == 1 else f"{name}_{seen[name]}", str(kind))


@contextmanager
def _errors_explained(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Turn an error of DuckDB into a UsageError with the line it is in and the names of tables that were meant."""
    try:
        yield
    except duckdb.PermissionException as error:
        raise UsageError(
            first_line(error), next_step="a question reaches the published file alone, no other file or address."
        ) from error
    except duckdb.Error as error:
        raise UsageError(_message(error), next_step=_next_step(connection, error)) from error


def _message(error: duckdb.Error) -> str:
    """Return what is wrong, below the line with a mark at the place where DuckDB names one."""
    text = str(error)
    message = " ".join(_GUESS.sub("", _PLACE.split(text, maxsplit=1)[0]).split())
    found = _PLACE.search(text)
    if found is None:
        return message
    # DuckDB writes "LINE 1:", we write "line 1:" with the same width, so its blanks before the mark still fit.
    mark = " " * len(found["blanks"]) + "^"
    return f"line {found['line']}: {found['text']}\n{mark}\n{message}"


def _next_step(connection: duckdb.DuckDBPyConnection, error: duckdb.Error) -> str:
    missing = _NO_TABLE.search(str(error))
    if missing is None:
        return "correct the SQL."
    near = _near(connection, missing["name"].strip('"'))
    return f"did you mean {' or '.join(near)}? {TABLES_NEXT_STEP}" if near else TABLES_NEXT_STEP


def _near(connection: duckdb.DuckDBPyConnection, name: str) -> Sequence[str]:
    """Return the published tables, with their schema, whose names are nearest to this one."""
    rows = connection.execute(
        "SELECT schema_name || '.' || table_name, table_name FROM duckdb_tables() UNION "
        "SELECT schema_name || '.' || view_name, view_name FROM duckdb_views() WHERE NOT internal"
    ).fetchall()
    bare = name.lower().rpartition(".")[2]
    # 0.7: a typing error of a letter or two is found, a table that only sounds alike is not.
    close = get_close_matches(bare, {table for _, table in rows}, cutoff=0.7)
    return [full for table in close for full, other in rows if other == table][:NEAR]
