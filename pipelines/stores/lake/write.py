"""Writes what has changed into an attached lake: one transaction and one snapshot, with the number of the batch."""

# ruff: noqa: S608 - statements are made of quoted names, never of data

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipelines.core.errors import ModelError
from pipelines.core.literals import literal
from pipelines.core.table_ref import TableRef, quote
from pipelines.stores.lake.attach import LAKE
from pipelines.stores.lake.held import (
    LARGE,
    LakeTable,
    Noted,
    contents,
    hashes,
    note_tables,
    noted_batch,
    noted_tables,
    rows_of,
)
from pipelines.stores.rows import number_of
from pipelines.stores.warehouse import columns_of, transaction

if TYPE_CHECKING:
    import duckdb

# Which batch a lake holds the tables of: a row that every write changes, so that of two at once one fails.
BATCH = f"{LAKE}.main.written"
# Of more rows than this share the whole table is written: deletions are read again by whoever reads it.
MOST_ROWS = 0.25
AGAIN = "run again; the next batch goes on from what the lake holds."
_CHANGED = "temp.main.changed_rows"


@dataclass(slots=True)
class _Write:
    """One write: from which database into which lake, what was noted, and what is to be noted."""

    connection: duckdb.DuckDBPyConnection
    lake: str
    database: str
    before: Mapping[TableRef, Noted]
    present: set[str]
    inside: str
    noted: dict[TableRef, Noted] = field(default_factory=dict)
    large: dict[TableRef, str] = field(default_factory=dict)

    def place(self, table: LakeTable) -> str:
        """Where the rows of a table come from."""
        return f"{quote(self.database)}.{table.ref.quoted}"


def write_lake(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[TableRef, LakeTable],
    *,
    lake: str,
    batch_id: str,
    database: str,
    views: Mapping[TableRef, Sequence[str]] | None = None,
) -> int:
    """Bring the attached lake to what the tables of ``database`` hold; return how many of them were written.

    What only the lake has is dropped. ``views`` have the statements that make each. Killed at any moment, the
    lake holds the batch before or this one. Where it is not the one that was noted, all of it is written anew.
    """
    there = written_batch(connection)
    known = noted_tables(connection, lake) if there == noted_batch(connection, lake) else {}
    stale = [table for ref, table in tables.items() if not _is_marked(table, known.get(ref))]
    rows = contents(connection, stale, database=database)
    with transaction(connection):
        # Once more, inside: whoever writes it from now on changes the same row, and one of the two fails.
        if written_batch(connection) != there:
            raise ModelError("Another batch has written the lake meanwhile.", next_step=AGAIN)
        write = _Write(connection, lake, database, known, _tables_of_lake(connection), database_of(connection))
        for schema in sorted({ref.schema for ref in (*tables, *(views or ()))}):
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {LAKE}.{quote(schema)}")
        written = sum(_write(write, table, rows.get(ref)) for ref, table in tables.items())
        for place in write.present - {table.ref.quoted for table in tables.values()}:
            connection.execute(f"DROP TABLE {LAKE}.{place}")
        _make_views(write, views or {})
        connection.execute(f"CREATE TABLE IF NOT EXISTS {BATCH} (batch_id VARCHAR)")
        connection.execute(f"DELETE FROM {BATCH}; INSERT INTO {BATCH} VALUES ({literal(batch_id)})")
        connection.execute(
            f"CALL {LAKE}.set_commit_message('springline', {literal(f'batch {batch_id}')}, "
            f"extra_info => {literal(batch_id)})"
        )
    note_tables(connection, lake, batch_id=batch_id, noted=write.noted, large=write.large)
    return written


def database_of(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the name of the database that was opened."""
    row = connection.execute("SELECT current_database()").fetchone()
    return str(row[0] if row else "")


def written_batch(connection: duckdb.DuckDBPyConnection) -> str | None:
    """Return the batch of which the attached lake holds the tables, None where nothing was written yet."""
    if not columns_of(connection, BATCH):
        return None
    row = connection.execute(f"SELECT batch_id FROM {BATCH}").fetchone()
    return None if row is None else str(row[0])


def _is_marked(table: LakeTable, before: Noted | None) -> bool:
    return before is not None and bool(table.mark) and (before.shape, before.mark) == (table.shape, table.mark)


def _tables_of_lake(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        f"SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = '{LAKE}' AND schema_name <> 'main'"
    ).fetchall()
    return {TableRef(*names).quoted for names in rows}


def _write(write: _Write, table: LakeTable, rows: str | None) -> bool:
    """Write a table where it has changed; return whether it had. ``rows`` are None where its mark says it has not."""
    before = write.before.get(table.ref)
    if rows is None and before is not None:
        write.noted[table.ref] = before
        return False
    now = Noted(table.shape, table.mark, rows or "")
    write.noted[table.ref] = now
    if before is not None and before == replace(now, mark=before.mark):
        return False
    place = f"{LAKE}.{table.ref.quoted}"
    is_there = table.ref.quoted in write.present
    if before is None or before.shape != now.shape or not is_there:
        if is_there:
            write.connection.execute(f"DROP TABLE {place}")
        _create(write.connection, table, place)
        _fill(write, table, place, now)
    elif not _is_written_by_rows(write, table, place, now, before):
        write.connection.execute(f"DELETE FROM {place}")
        _fill(write, table, place, now)
    return True


def _create(connection: duckdb.DuckDBPyConnection, table: LakeTable, place: str) -> None:
    columns = ", ".join(f"{quote(name)} {kind}" for name, kind in table.columns.items())
    connection.execute(f"CREATE TABLE {place} ({columns})")
    for column, words in table.comments:
        target = f"COLUMN {place}.{quote(column)}" if column else f"TABLE {place}"
        connection.execute(f"COMMENT ON {target} IS {literal(words)}")


def _fill(write: _Write, table: LakeTable, place: str, now: Noted) -> None:
    write.connection.execute(f"INSERT INTO {place} SELECT {table.listed} FROM {write.place(table)}")
    if is_large(now):
        write.large[table.ref] = hashes(table, write.place(table))


def is_large(noted: Noted) -> bool:
    """Tell whether each row of a table is noted."""
    return noted.count >= LARGE


def _is_written_by_rows(write: _Write, table: LakeTable, place: str, now: Noted, before: Noted) -> bool:
    """Delete and insert the rows that differ; False where all are to be written."""
    if not (is_large(now) and is_large(before)):
        return False
    connection = write.connection
    write.large[table.ref] = hashes(table, write.place(table))
    connection.execute(
        f"CREATE OR REPLACE TEMPORARY TABLE changed_rows AS SELECT row_hash, noted.row_count AS before "
        f"FROM ({write.large[table.ref]}) AS now FULL JOIN {rows_of(write.lake, table.ref)} AS noted USING (row_hash) "
        "WHERE now.row_count IS DISTINCT FROM noted.row_count"
    )
    changed = number_of(connection.execute(f"SELECT count(*) FROM {_CHANGED}"))
    gone = number_of(connection.execute(f"SELECT count(before) FROM {_CHANGED}"))
    if changed > MOST_ROWS * now.count:
        return False
    if gone:
        these = f"SELECT row_hash FROM {_CHANGED} WHERE before IS NOT NULL"
        connection.execute(f"DELETE FROM {place} WHERE hash({table.listed}) IN ({these})")
    connection.execute(
        f"INSERT INTO {place} SELECT {table.listed} FROM {write.place(table)} "
        f"WHERE hash({table.listed}) IN (SELECT row_hash FROM {_CHANGED})"
    )
    return True


def _make_views(write: _Write, views: Mapping[TableRef, Sequence[str]]) -> None:
    """Make the views that are new or others than before, after the tables that they name."""
    connection = write.connection
    there = connection.execute(
        f"SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = '{LAKE}' AND NOT internal"
    ).fetchall()
    for ref in {TableRef(*names) for names in there} - views.keys():
        connection.execute(f"DROP VIEW {LAKE}.{ref.quoted}")
    write.noted |= {ref: Noted(repr(statements), "", "view") for ref, statements in views.items()}
    changed = [statements for ref, statements in views.items() if write.before.get(ref) != write.noted[ref]]
    # What a view names is looked for in the database that is used.
    connection.execute(f"USE {LAKE}")
    try:
        for statement in (statement for statements in changed for statement in statements):
            connection.execute(statement)
    finally:
        connection.execute(f"USE {quote(write.inside)}")
