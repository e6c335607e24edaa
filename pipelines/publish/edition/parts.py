"""A published table, and what is in it: by the sums of its rows' hashes, month by month, two are compared."""

# ruff: noqa: S608 - statements are made of our own names, never of data

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pipelines.core.literals import among, literal
from pipelines.core.table_ref import TableRef, quote
from pipelines.publish.edition.contents import PERIODS, column_list

if TYPE_CHECKING:
    import duckdb

WHOLE = "all"

# The month of rows, None where they have none, or WHOLE for a table that is kept in one piece.
Part = date | str | None
# How many rows a part has, and the sum of their hashes.
Sums = Mapping[Part, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """One published table: its columns with their types, and all that is said of it, as JSON."""

    ref: TableRef
    columns: Mapping[str, str]
    texts: str

    @property
    def month(self) -> str | None:
        """What gives the month of a row, as SQL; None when the table is kept in one piece."""
        column = PERIODS.get(str(self.ref))
        return f"CAST(date_trunc('month', {quote(column)}) AS DATE)" if column else None


def texts_of(about: str | None, columns: Mapping[str, str | None]) -> str:
    """Return what is said of a table and of its columns, in their order, as JSON."""
    return json.dumps({"about": about, "columns": columns}, ensure_ascii=False)


def tables_of(connection: duckdb.DuckDBPyConnection, database: str | None = None) -> Iterator[PublishedTable]:
    """Yield the tables of an attached database, or of the one that was opened, in order."""
    rows = connection.execute(
        """
        SELECT
            columns.schema_name, columns.table_name, first(tables.comment),
            list(columns.column_name ORDER BY column_index), list(data_type ORDER BY column_index),
            list(columns.comment ORDER BY column_index)
        FROM duckdb_columns() AS columns
        INNER JOIN duckdb_tables() AS tables USING (database_name, schema_name, table_name)
        WHERE database_name = coalesce(?, current_database())
        GROUP BY ALL ORDER BY ALL
        """,
        (database,),
    ).fetchall()
    for schema, name, about, columns, types, words in rows:
        texts = texts_of(about, dict(zip(columns, words, strict=True)))
        yield PublishedTable(TableRef(schema, name), dict(zip(columns, types, strict=True)), texts)


def sums_of(connection: duckdb.DuckDBPyConnection, table: PublishedTable, rows: str) -> Sums:
    """Return what is in each part of a table; ``rows`` is where its rows stand, as SQL.

    A sum of hashes is the same in whatever order rows come; unlike an exclusive or, it finds a row that stands twice.
    """
    found = connection.execute(
        f"SELECT {table.month or literal(WHOLE)}, count(*), sum(hash({column_list(table.columns)})) "
        f"FROM {rows} GROUP BY 1"
    ).fetchall()
    return {part: (count, total) for part, count, total in found}


def of_months(table: PublishedTable, months: Collection[Part]) -> str:
    """Return the condition of rows of some months, as SQL."""
    condition = among(str(table.month), sorted(month for month in months if isinstance(month, date)))
    return f"({condition} OR {table.month} IS NULL)" if None in months else f"({condition})"
