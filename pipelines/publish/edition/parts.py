"""A published table, and a way to compare two of them: sums of the hashes of their rows, month by month."""

# ruff: noqa: S608 - statements are made of our own names, never of data

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pipelines.core.literals import among
from pipelines.core.table_ref import TableRef, quote
from pipelines.publish.edition.contents import PERIODS, YEARS_AND_MONTHS, column_list

if TYPE_CHECKING:
    import duckdb

# How the parts are called in file names that are all of a table, and the rows without a month.
WHOLE, UNKNOWN = "all", "unknown"
# How many parts a table has that is not parted by month: by the hashes of its rows, so that a change is in two of them.
BUCKETS = 32

# The month of rows, None where they have none; or one of the BUCKETS.
Part = date | int | None
# How many rows a part has, and the sum of their hashes.
Sums = Mapping[Part, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """One published table: its name, its columns with their types, and its comments as JSON."""

    ref: TableRef
    columns: Mapping[str, str]
    texts: str

    @property
    def month(self) -> str | None:
        """The SQL that gives the month of a row; None when the table is kept in one piece."""
        if column := PERIODS.get(str(self.ref)):
            return f"CAST(date_trunc('month', {quote(column)}) AS DATE)"
        if pair := YEARS_AND_MONTHS.get(str(self.ref)):
            year, month = map(quote, pair)
            # What another system calls a year or a month may be any number.
            are_of_a_calendar = f"{year} BETWEEN 1 AND 9999 AND {month} BETWEEN 1 AND 12"
            return f"CASE WHEN {are_of_a_calendar} THEN make_date({year}, {month}, 1) END"
        return None

    @property
    def row_hash(self) -> str:
        """The SQL of the hash of a row."""
        return f"hash({column_list(self.columns)})"

    @property
    def part(self) -> str:
        """The SQL of the part that a row belongs to."""
        return self.month or f"CAST({self.row_hash} % {BUCKETS} AS INTEGER)"


def texts_of(about: str | None, columns: Mapping[str, str | None]) -> str:
    """Return the comments of a table and of its columns, in their order, as JSON."""
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
        f"SELECT {table.part}, count(*), sum({table.row_hash}) FROM {rows} GROUP BY 1"
    ).fetchall()
    return {part: (count, total) for part, count, total in found}


def part_name(part: Part) -> str:
    """Name a part of a table.

    >>> part_name(date(2026, 10, 1)), part_name(date(206, 11, 1)), part_name(None), part_name(7)
    ('2026-10', '0206-11', 'unknown', '7')
    """
    # Not strftime: its %Y writes the year 206 with three digits.
    return UNKNOWN if part is None else part.isoformat()[: len("2026-10")] if isinstance(part, date) else str(part)


def part_of(name: str) -> Part:
    """Return the part of that name.

    >>> part_of("0206-11"), part_of("unknown"), part_of("7")
    (datetime.date(206, 11, 1), None, 7)
    """
    return None if name == UNKNOWN else int(name) if name.isdecimal() else date.fromisoformat(f"{name}-01")


def of_parts(table: PublishedTable, parts: Collection[Part]) -> str:
    """Return the condition of rows of some parts, as SQL."""
    if table.month is None:
        return f"({among(table.part, sorted(part for part in parts if isinstance(part, int)))})"
    condition = among(table.month, sorted(month for month in parts if isinstance(month, date)))
    return f"({condition} OR {table.month} IS NULL)" if None in parts else f"({condition})"
