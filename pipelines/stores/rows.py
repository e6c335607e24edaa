"""Rows of a query by column name: the one shape in which Python takes rows out of the warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

# DuckDB gives a DECIMAL as Decimal, a DATE as date, a TIMESTAMP as datetime.
Row = dict[str, Any]


def rows_of(cursor: duckdb.DuckDBPyConnection) -> list[Row]:
    """Return all rows of what was just executed, each by column name.

    >>> import duckdb
    >>> rows_of(duckdb.execute("SELECT 1 AS part_no, CAST(95.5 AS DECIMAL(38,2)) AS amount"))
    [{'part_no': 1, 'amount': Decimal('95.50')}]
    """
    return list(iterate_rows(cursor))


def number_of(cursor: duckdb.DuckDBPyConnection) -> int:
    """Return the one number that was just asked for, or how many rows were just written; 0 where there is none.

    >>> import duckdb
    >>> number_of(duckdb.execute("SELECT count(*) FROM range(3)"))
    3
    """
    row = cursor.fetchone()
    return int(row[0] or 0) if row else 0


def iterate_rows(cursor: duckdb.DuckDBPyConnection, *, size: int = 10_000) -> Iterator[Row]:
    """Yield the rows one by one, fetched ``size`` at a time, so that a large result needs little memory.

    A DuckDB connection has one result: execute nothing else on it before the last row is read.
    """
    names = [column[0] for column in cursor.description or ()]
    while rows := cursor.fetchmany(size):
        yield from (dict(zip(names, row, strict=True)) for row in rows)
