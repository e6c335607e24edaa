"""A published table, and what is in it: by the sums of its rows' hashes, month by month, two are compared."""

# ruff: noqa: S608 - statements are made of our own names, never of data

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pipelines.publish.edition.contents import PERIODS, listed, literal, quote

if TYPE_CHECKING:
    import duckdb

WHOLE = "all"

# The month of rows, None where they have none, or WHOLE for a table that is kept in one piece.
Part = date | str | None
# How many rows a part has, and the sum of their hashes.
Sums = Mapping[Part, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Table:
    """One published table: its columns with their types, and all that is said of it, as JSON."""

    schema: str
    name: str
    columns: Mapping[str, str]
    texts: str

    def __str__(self) -> str:
        """``schema.name``, as people write it."""
        return f"{self.schema}.{self.name}"

    @property
    def place(self) -> str:
        """The name for a statement."""
        return f"{quote(self.schema)}.{quote(self.name)}"

    @property
    def month(self) -> str | None:
        """What gives the month of a row, as SQL; None when the table is kept in one piece."""
        column = PERIODS.get(str(self))
        return f"CAST(date_trunc('month', {quote(column)}) AS DATE)" if column else None


def texts_of(about: str | None, columns: Mapping[str, str | None]) -> str:
    """Return what is said of a table and of its columns, in their order, as JSON."""
    return json.dumps({"about": about, "columns": columns}, ensure_ascii=False)


def tables_of(connection: duckdb.DuckDBPyConnection, database: str | None = None) -> Iterator[Table]:
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
        yield Table(schema, name, dict(zip(columns, types, strict=True)), texts)


def sums_of(connection: duckdb.DuckDBPyConnection, table: Table, rows: str) -> Sums:
    """Return what is in each part of a table, whatever the order of its rows, which stand in ``rows``, as SQL."""
    found = connection.execute(
        f"SELECT {table.month or literal(WHOLE)}, count(*), sum(hash({listed(list(table.columns))})) "
        f"FROM {rows} GROUP BY 1"
    ).fetchall()
    return {part: (count, total) for part, count, total in found}


def of_months(table: Table, months: Collection[Part]) -> str:
    """Return the condition of rows of some months, as SQL."""
    dates = ", ".join(f"DATE '{month}'" for month in sorted(month for month in months if isinstance(month, date)))
    conditions = [f"{table.month} IN ({dates})"] if dates else []
    conditions += [f"{table.month} IS NULL"] if None in months else []
    return f"({' OR '.join(conditions)})"
