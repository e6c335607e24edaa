"""Writes published/springline.duckdb beside the one that analysts have open, and puts it in place in one move.

The new file begins as a copy of the published one. Only what has changed is replaced in it: tables with other columns
or comments, and rows that differ, looked for in the months or under the keys that have changed. Where there is no file,
or it cannot be trusted, all is written anew.
"""

# ruff: noqa: S608 - statements are made of our own names, never of data

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import structlog

from pipelines.core.errors import ModelError
from pipelines.core.literals import among, literal
from pipelines.core.table_ref import ColumnRef, TableRef, quote
from pipelines.publish.edition.contents import (
    DATABASE,
    MODEL_SCHEMAS,
    VIEWS,
    Edition,
    TableText,
    Texts,
    first_line,
)
from pipelines.publish.edition.history import copy_history, is_of_this_store
from pipelines.publish.edition.known import Known, keep_known, read_known, writer
from pipelines.publish.edition.parts import PublishedTable, Sums, of_parts, sums_of, tables_of
from pipelines.publish.edition.plan import EDITION, EditionPlan, plan_edition
from pipelines.publish.edition.swap import put_file, stage
from pipelines.stores.changes import part_number
from pipelines.stores.warehouse import STORAGE_VERSION, transaction

if TYPE_CHECKING:
    from pipelines.stores.changes import Changed
    from pipelines.stores.control import Control

log = structlog.get_logger(__name__)

# The compression of texts that takes a fifth of the time and saves a third of their size: left out.
SLOW = "fsst"
# How the file that is being written is called beside the warehouse.
NEW = "published_now"
# Rows that were deleted and the room of what was replaced stay in a file: beyond this share of it, it is written anew.
MOST_LOOSE = 0.5
# What stands beside the columns of a table while its rows are compared: no column has such a name.
_PART, _HASH, _ROW = '"its part"', '"its hash"', '"its row"'
# The same rows have the same hash, and may stand there more often.
_DIFFERING = f"""
CREATE OR REPLACE TEMPORARY TABLE differing AS
SELECT {_HASH}
FROM (SELECT {_HASH}, count(*) AS row_count FROM wanted GROUP BY {_HASH}) AS wanted
FULL JOIN (SELECT {_HASH}, count(*) AS row_count FROM present GROUP BY {_HASH}) AS present USING ({_HASH})
WHERE wanted.row_count IS DISTINCT FROM present.row_count
"""
# By part: how many rows come, how many go, and by how much the sum of hashes grows.
_CHANGES = f"""
SELECT {_PART}, sum(comes), sum(goes), sum((comes - goes) * CAST({_HASH} AS HUGEINT))
FROM (
    SELECT {_PART}, {_HASH}, 1 AS comes, 0 AS goes FROM wanted
    UNION ALL
    SELECT {_PART}, {_HASH}, 0 AS comes, 1 AS goes FROM present
) AS moved
WHERE {_HASH} IN (SELECT {_HASH} FROM differing)
GROUP BY {_PART}
"""
# What an analyst may have added to a file that was published.
_FOREIGN = ("functions", "sequences", "types", "indexes", "constraints")
# Tables that are copied before they are written out: the memory of all of them would be tens of megabytes more.
WRITTEN_AT_ONCE = 10


def write_database(
    warehouse: duckdb.DuckDBPyConnection, control: Control, folder: Path, *, texts: Texts, edition: Edition
) -> Path:
    """Publish the models and the control store into ``folder``; return the file.

    ``texts`` names the tables to publish, as far as the warehouse has them, and gives their comments. A kill at any
    moment leaves the file that was there. ModelError when it could not be written.
    """
    place = folder / DATABASE
    try:
        with stage(folder) as aside, _quickly(warehouse):
            plan = plan_edition(warehouse, control, texts=texts, edition=edition)
            known = read_known(warehouse, place, today=edition.today)
            sums = _brought_up(plan, place, aside / DATABASE, known) if place.exists() else None
            if sums is None:
                with _attached(warehouse, aside / DATABASE):
                    sums = _fill(plan, before={}, known=Known())
            # Only now does a reader see anything of it; whoever has the old file open keeps that.
            put_file(aside / DATABASE, place)
            keep_known(warehouse, place, sums, before=known, tables=plan.stored, today=edition.today)
    except (duckdb.Error, OSError) as error:
        raise ModelError(
            f"{place} could not be written: {first_line(error)}",
            next_step="see that its disk has room and that this user may write there; the file before is still there.",
        ) from error
    return place


def _brought_up(plan: EditionPlan, place: Path, made: Path, known: Known) -> Mapping[TableRef, Sums] | None:
    """Bring a copy of the published file up to date; return None, and leave no copy, where it cannot be used."""
    try:
        shutil.copyfile(place, made)
        with _attached(plan.connection, made):
            before = {table.ref: table for table in tables_of(plan.connection, NEW)}
            reason = _why_anew(plan, before)
            if reason is None:
                return _fill(plan, before=before, known=known)
    # A file that is damaged, or that somebody is writing to, is no reason to publish nothing.
    except (duckdb.Error, OSError) as error:
        reason = first_line(error)
    log.info("published file is written anew", reason=reason)
    for path in (made, made.with_name(f"{made.name}.wal")):
        path.unlink(missing_ok=True)
    return None


def _why_anew(plan: EditionPlan, before: Mapping[TableRef, PublishedTable]) -> str | None:
    """Return why a file cannot be updated; None where it can."""
    connection = plan.connection
    if connection.execute(f"SELECT writer FROM {NEW}.ctl.published").fetchall() != [(writer(),)]:
        return "another version of the program wrote it"
    if not is_of_this_store(connection, plan.control, NEW):
        return "it is of another control store"
    if _columns(before.values()) - _columns(plan.tables.values()) or _has_foreign(connection, plan.views):
        return "it has what is not published"
    # What went must not be in the file at all, not even in room that is free.
    size = connection.execute(
        f"SELECT free_blocks, total_blocks FROM pragma_database_size() WHERE database_name = '{NEW}'"
    )
    free, total = size.fetchone() or (0, 0)
    return "half of it is free room" if free > total * MOST_LOOSE else None


def _columns(tables: Iterable[PublishedTable]) -> set[ColumnRef]:
    return {ColumnRef(table.ref, column) for table in tables for column in table.columns}


def _has_foreign(connection: duckdb.DuckDBPyConnection, views: Collection[TableRef]) -> bool:
    """Tell whether somebody has added something of their own to a file."""
    present = connection.execute(
        "SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = ? AND NOT internal", (NEW,)
    ).fetchall()
    if {TableRef(*names) for names in present} - {*views}:
        return True
    counts = " UNION ALL ".join(
        f"SELECT 1 FROM duckdb_{kind}() WHERE database_name = '{NEW}'"
        + (" AND NOT internal" if kind in {"functions", "types"} else "")
        for kind in _FOREIGN
    )
    return connection.execute(counts).fetchone() is not None


@contextmanager
def _quickly(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Leave the slow compression out while a block runs."""
    before = connection.execute("SELECT current_setting('disabled_compression_methods')").fetchone()
    connection.execute(f"SET disabled_compression_methods = {literal(SLOW)}")
    try:
        yield
    finally:
        connection.execute(f"SET disabled_compression_methods = {literal(before[0] if before else '')}")


@contextmanager
def _attached(connection: duckdb.DuckDBPyConnection, made: Path) -> Iterator[None]:
    """Attach the file to write; run a block in a transaction on it."""
    connection.execute(f"ATTACH {literal(made)} AS {NEW} (STORAGE_VERSION '{STORAGE_VERSION}')")
    try:
        with transaction(connection):
            yield
    finally:
        # To detach is to write all that is still in the log into the file.
        connection.execute(f"DETACH {NEW}")


def _fill(plan: EditionPlan, *, before: Mapping[TableRef, PublishedTable], known: Known) -> Mapping[TableRef, Sums]:
    """Create the tables that are new or changed, then bring all rows up to date; return what is in them.

    Comments are written while a table is empty: on a full one, each would cost as much as the table.
    """
    connection, edition = plan.connection, plan.edition
    # Also those without a table yet: a saved question names them.
    for schema in (*MODEL_SCHEMAS, VIEWS, "ctl"):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {NEW}.{schema}")
    # The same columns, types and comments: then rows are all that can differ.
    kept = {ref for ref, table in plan.tables.items() if before.get(ref) == table and plan.keeps_rows(ref)}
    for ref, table in plan.tables.items():
        if ref not in kept:
            _create(connection, table)
    _create_views(connection, plan.views)
    sums, filled, room = {}, 0, _rows_in_room(connection)
    for ref, rows in plan.rows.items():
        table, most = plan.tables[ref], room.get(ref, 0)
        exchanged = _bring_up(connection, table, rows, known=known, room=most) if ref in kept else None
        sums[ref] = _copy(connection, table, rows) if exchanged is None else exchanged
        filled += exchanged is None
        # Not behind a few exchanged rows: to write out takes as long as to compare a table.
        if exchanged is None and filled % WRITTEN_AT_ONCE == 0:
            _write_out(connection)
    histories = {ref.name for ref in kept if ref.schema == "ctl"}
    copy_history(connection, plan.control, target=NEW, kept=histories, is_read=not known.sums)
    values = [*(_utc(getattr(edition, name)) for name in EDITION if name != "writer"), writer()]
    connection.execute(f"INSERT INTO {NEW}.ctl.published VALUES ({', '.join(map(literal, values))})")
    return sums


def _write_out(connection: duckdb.DuckDBPyConnection) -> None:
    """Write what was copied so far into the file, which no reader sees yet: until then it is in memory."""
    connection.commit()
    connection.execute(f"CHECKPOINT {NEW}")
    connection.begin()


def _create(connection: duckdb.DuckDBPyConnection, table: PublishedTable) -> None:
    place, texts = f"{NEW}.{table.ref.quoted}", json.loads(table.texts)
    columns = ", ".join(f"{quote(name)} {kind}" for name, kind in table.columns.items())
    statements = [
        f"CREATE OR REPLACE TABLE {place} ({columns})",
        f"COMMENT ON TABLE {place} IS {literal(texts['about'])}",
        *_comments(place, texts["columns"]),
    ]
    connection.execute(";\n".join(statements))


def _create_views(connection: duckdb.DuckDBPyConnection, views: Texts) -> None:
    """Make every view anew, also in a file that has them: a view fails when a table under it has got other types.

    A view is its SELECT and costs a millisecond; the tables it names are there, empty where nothing is built yet.
    """
    inside = connection.execute("SELECT current_database()").fetchone() or ("",)
    # What a view names is looked for in the database that is used: the warehouse has tables of the same names.
    connection.execute(f"USE {NEW}")
    try:
        connection.execute(
            ";\n".join(statement for ref, text in views.items() for statement in statements_of_view(ref, text))
        )
    finally:
        connection.execute(f"USE {quote(inside[0])}")


def statements_of_view(ref: TableRef, text: TableText) -> list[str]:
    """Return what makes a view and its comment, then what comments its columns."""
    return [
        # A line of its own: the SELECT may end in a comment.
        f"CREATE OR REPLACE VIEW {ref.quoted} AS\n{text.query}\n",
        f"COMMENT ON VIEW {ref.quoted} IS {literal(text.about)}",
        *_comments(ref.quoted, text.columns),
    ]


def _comments(place: str, columns: Mapping[str, str | None]) -> Iterator[str]:
    for name, words in columns.items():
        if words is not None:
            yield f"COMMENT ON COLUMN {place}.{quote(name)} IS {literal(words)}"


def _copy(connection: duckdb.DuckDBPyConnection, table: PublishedTable, rows: str) -> Sums:
    """Copy all rows of a table or view into its published table, which is empty; return what is in it then."""
    place = f"{NEW}.{table.ref.quoted}"
    connection.execute(f"INSERT INTO {place} SELECT * FROM {rows}")
    return sums_of(connection, table, place)


def _bring_up(
    connection: duckdb.DuckDBPyConnection, table: PublishedTable, rows: str, *, known: Known, room: int
) -> Sums | None:
    """Bring a published table to the rows of a table or view; return what is in it then.

    ``room`` is how many rows take room in it; deleted ones do as well. None where it must be filled anew: it is empty
    then.
    """
    there = known.sums.get(table.ref)
    if there is None:
        # Every row is read: damage in the file is found now, and not when an analyst asks.
        there = sums_of(connection, table, f"{NEW}.{table.ref.quoted}")
    scope = known.scope(table.ref)
    where = None if scope is None else _where(connection, table, rows, scope=scope, there=there)
    if where is None:
        return there
    sums = _exchange(connection, table, rows, where=where, there=there, room=room)
    if sums is None:
        # Deleted rows leave their room behind: where most of a table would be such room, it is made anew.
        _create(connection, table)
    return sums


def _where(
    connection: duckdb.DuckDBPyConnection, table: PublishedTable, rows: str, *, scope: Changed, there: Sums
) -> str | None:
    """Return the condition of the rows among which any may differ from what is there; None where none do."""
    if scope.column in table.columns:
        part = part_number(scope.column, table.columns[scope.column])
        return f"({among(part, sorted(scope.keys))} OR {quote(scope.column)} IS NULL)"
    # Parts that one side alone has, and parts whose count or sum of hashes is another.
    changed = {part for part, _ in sums_of(connection, table, rows).items() ^ there.items()}
    return of_parts(table, changed) if changed else None


def _exchange(
    connection: duckdb.DuckDBPyConnection, table: PublishedTable, rows: str, *, where: str, there: Sums, room: int
) -> Sums | None:
    """Put rows in place of those that differ, row by row; return what is in the table then.

    None, and nothing is done, where deleted rows would take most of its room.
    """
    place = f"{NEW}.{table.ref.quoted}"
    hashed = f"{table.part} AS {_PART}, {table.row_hash} AS {_HASH}"
    # Hashes and no rows: all of a table may differ, and be more than fits into memory.
    connection.execute(f"CREATE OR REPLACE TEMPORARY TABLE wanted AS SELECT {hashed} FROM {rows} WHERE {where}")
    connection.execute(
        f"CREATE OR REPLACE TEMPORARY TABLE present AS SELECT rowid AS {_ROW}, {hashed} FROM {place} WHERE {where}"
    )
    connection.execute(_DIFFERING)
    changes = connection.execute(_CHANGES).fetchall()
    staying = sum(count for count, _ in there.values()) - sum(deleted for _, _, deleted, _ in changes)
    if staying < room * MOST_LOOSE:
        return None
    if changes:
        differ = f"IN (SELECT {_HASH} FROM differing)"
        connection.execute(f"DELETE FROM {place} WHERE rowid IN (SELECT {_ROW} FROM present WHERE {_HASH} {differ})")
        connection.execute(f"INSERT INTO {place} SELECT * FROM {rows} WHERE {where} AND {table.row_hash} {differ}")
    sums = dict(there)
    for part, count, deleted, total in changes:
        count_before, total_before = sums.get(part, (0, 0))
        sums[part] = (count_before + count - deleted, total_before + total)
    return {part: (count, total) for part, (count, total) in sums.items() if count}


def _rows_in_room(connection: duckdb.DuckDBPyConnection) -> Mapping[TableRef, int]:
    """Return how many rows take room in each published table; deleted ones do as well."""
    # Once for all tables: to ask for one takes as long.
    rows = connection.execute(
        "SELECT schema_name, table_name, estimated_size FROM duckdb_tables() WHERE database_name = ?", (NEW,)
    )
    return {TableRef(schema, name): size for schema, name, size in rows.fetchall()}


def _utc(value: datetime | str | None) -> datetime | str | None:
    """Write a time as the other tables have it: UTC, without a zone."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value
