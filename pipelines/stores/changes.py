"""Notes of what has changed in the warehouse since its tables were published: who writes a table notes it with it.

A table of which nothing is noted may have been written by anybody: only where a note was found once does it mean
anything that there is none (see publish/edition/known.py, which reads and forgets the notes).
"""

# ruff: noqa: S608 - statements are made of quoted names and of whole numbers

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.core.table_ref import TableRef, quote

if TYPE_CHECKING:
    import duckdb

NOTES = TableRef("ctl", "unpublished")
# Of more keys it is no longer quicker to look for each than to read the table.
MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Changed:
    """The rows of a table that may have changed: those with these keys in a column, and those without any.

    ``column`` is empty where it may be any of them.
    """

    column: str = ""
    keys: frozenset[int] = frozenset()


def part_number(column: str, kind: str) -> str:
    """Write the number of the part that a row belongs to by a column, as SQL: an id, or a number made of a text.

    Two texts may share a number: then both are looked at where one has changed.

    >>> part_number("document_key", "BIGINT"), part_number("voyage_no", "VARCHAR")
    ('"document_key"', 'CASE WHEN "voyage_no" IS NOT NULL THEN CAST(hash("voyage_no") >> 1 AS BIGINT) END')
    """
    name = quote(column)
    return name if kind != "VARCHAR" else f"CASE WHEN {name} IS NOT NULL THEN CAST(hash({name}) >> 1 AS BIGINT) END"


def create_changes(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the table of notes."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {NOTES.schema}")
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {NOTES.quoted} (table_name VARCHAR, key_column VARCHAR, key_value BIGINT)"
    )


def note_table(connection: duckdb.DuckDBPyConnection, refs: Iterable[TableRef]) -> None:
    """Note that any row of these tables may be another; in the transaction that writes them."""
    rows = ", ".join(f"('{ref}', '', NULL)" for ref in refs)
    connection.execute(f"INSERT INTO {NOTES.quoted} VALUES {rows}")


def note_rows(connection: duckdb.DuckDBPyConnection, ref: TableRef, column: str, keys: Collection[int]) -> None:
    """Note that rows with these keys, and rows without a key, may be others; in the transaction that writes them."""
    rows = ", ".join(f"('{ref}', '{column}', {key})" for key in sorted(keys))
    if rows:
        connection.execute(f"INSERT INTO {NOTES.quoted} VALUES {rows}")


def noted_changes(connection: duckdb.DuckDBPyConnection) -> Mapping[TableRef, Changed]:
    """Return what is noted of each table; nothing where nothing is."""
    listed = f"list(DISTINCT key_value) FILTER (key_value IS NOT NULL)[:{MOST_KEYS + 1}]"
    rows = connection.execute(
        f"SELECT table_name, min(key_column), max(key_column), {listed} FROM {NOTES.quoted} GROUP BY table_name"
    ).fetchall()
    return {TableRef.parse(name): _changed(least, most, keys or []) for name, least, most, keys in rows}


def _changed(least: str, most: str, keys: Collection[int]) -> Changed:
    # By two columns, or as a whole at any time: then any row may be another.
    is_by_key = least == most and least and len(keys) <= MOST_KEYS
    return Changed(least, frozenset(keys)) if is_by_key else Changed()


def forget_changes(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget the notes: all that they tell of is published."""
    connection.execute(f"DELETE FROM {NOTES.quoted}")
