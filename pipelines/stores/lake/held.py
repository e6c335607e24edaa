"""What the working database notes of its lake: which tables it holds, of which batch, with which rows.

By these notes the next write finds what has changed without reading the lake. They are good only while the lake holds
the batch that they name.
"""

# ruff: noqa: S608 - statements are made of quoted names and of hashes, never of data

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.core.literals import literal
from pipelines.core.table_ref import TableRef, quote
from pipelines.stores.warehouse import transaction

if TYPE_CHECKING:
    import duckdb

SCHEMA = "held"
_LAKES, _TABLES = f"{SCHEMA}.lakes", f"{SCHEMA}.tables"
# Of a table with more rows, each is noted, so that few that have changed are written alone.
LARGE = 20_000
# Queries that are planned at a time: all at once they take longer.
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class LakeTable:
    """A table as it goes to a lake: its columns with their types, its comments as pairs of column (or ``""``) and text.

    ``mark`` says cheaply that its rows are those of before; empty where only they themselves say so.
    """

    ref: TableRef
    columns: Mapping[str, str]
    comments: Sequence[tuple[str, str]] = ()
    mark: str = ""

    @property
    def listed(self) -> str:
        """The columns for a statement."""
        return ", ".join(map(quote, self.columns))

    @property
    def shape(self) -> str:
        """What makes it another table."""
        return repr((list(self.columns.items()), list(self.comments)))


@dataclass(frozen=True, slots=True)
class Noted:
    """What was noted of a table: its shape, its mark, and the number and the sum of its rows' hashes."""

    shape: str
    mark: str
    rows: str

    @property
    def count(self) -> int:
        """How many rows it has."""
        number = self.rows.partition(" ")[0]
        return int(number) if number.isdecimal() else 0


def noted_batch(connection: duckdb.DuckDBPyConnection, lake: str) -> str | None:
    """Return the batch of which a lake held the tables when they were noted, None where nothing was."""
    _create(connection)
    row = connection.execute(f"SELECT batch_id FROM {_LAKES} WHERE lake = {literal(lake)}").fetchone()
    return None if row is None else str(row[0])


def noted_tables(connection: duckdb.DuckDBPyConnection, lake: str) -> dict[TableRef, Noted]:
    """Return what was noted of each table."""
    _create(connection)
    rows = connection.execute(
        f"SELECT table_name, shape, mark, rows FROM {_TABLES} WHERE lake = {literal(lake)}"
    ).fetchall()
    return {TableRef.parse(name): Noted(shape, mark, content) for name, shape, mark, content in rows}


def note_tables(
    connection: duckdb.DuckDBPyConnection,
    lake: str,
    *,
    batch_id: str,
    noted: Mapping[TableRef, Noted],
    large: Mapping[TableRef, str],
) -> None:
    """Note what a lake holds now; ``large`` has the query of rows' hashes of each large table that has changed."""
    before = noted_tables(connection, lake)
    with transaction(connection):
        for ref in sorted(before.keys() - noted.keys()):
            connection.execute(f"DROP TABLE IF EXISTS {rows_of(lake, ref)}")
        for ref, query in large.items():
            connection.execute(f"CREATE OR REPLACE TABLE {rows_of(lake, ref)} AS {query}")
        changed = {ref: now for ref, now in noted.items() if before.get(ref) != now}
        gone = ", ".join(literal(str(ref)) for ref in {*changed, *(before.keys() - noted.keys())})
        if gone:
            connection.execute(f"DELETE FROM {_TABLES} WHERE lake = {literal(lake)} AND table_name IN ({gone})")
        rows = ", ".join(
            f"({literal(lake)}, {literal(str(ref))}, {literal(now.shape)}, {literal(now.mark)}, {literal(now.rows)})"
            for ref, now in changed.items()
        )
        if rows:
            connection.execute(f"INSERT INTO {_TABLES} VALUES {rows}")
        connection.execute(f"DELETE FROM {_LAKES} WHERE lake = {literal(lake)}")
        connection.execute(f"INSERT INTO {_LAKES} VALUES ({literal(lake)}, {literal(batch_id)})")


def rows_of(lake: str, ref: TableRef) -> str:
    """Return where the hashes of a large table's rows are noted."""
    return f"{SCHEMA}.{quote(f'{lake} {ref}')}"


def hashes(table: LakeTable, place: str) -> str:
    """Return the query of a table's rows as hashes, each with how many rows have it."""
    return f"SELECT hash({table.listed}) AS row_hash, count(*) AS row_count FROM {place} GROUP BY ALL"


def contents(
    connection: duckdb.DuckDBPyConnection, tables: Collection[LakeTable], *, database: str
) -> dict[TableRef, str]:
    """Return the number of rows of each table and the sum of their hashes, which has no order to depend on."""
    found: dict[TableRef, str] = {}
    for some in _some(sorted(tables, key=lambda table: table.ref)):
        queries = (
            f"SELECT {place}, count(*), sum(hash({table.listed})) FROM {quote(database)}.{table.ref.quoted}"
            for place, table in enumerate(some)
        )
        rows = connection.execute(" UNION ALL ".join(queries)).fetchall()
        found |= {some[place].ref: f"{count} {total}" for place, count, total in rows}
    return found


def _some(tables: Sequence[LakeTable]) -> Iterator[Sequence[LakeTable]]:
    yield from (tables[place : place + _AT_ONCE] for place in range(0, len(tables), _AT_ONCE))


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}; CREATE TABLE IF NOT EXISTS {_LAKES} (lake VARCHAR, batch_id VARCHAR); "
        f"CREATE TABLE IF NOT EXISTS {_TABLES} "
        "(lake VARCHAR, table_name VARCHAR, shape VARCHAR, mark VARCHAR, rows VARCHAR)"
    )
