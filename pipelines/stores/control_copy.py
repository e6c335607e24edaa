"""The warehouse's copy of the control store, in schema ctl: only what has moved since the last batch is copied."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines.core.table_ref import TableRef
from pipelines.stores.changes import create_changes, note_table
from pipelines.stores.control_schema import COPIED, column_list, warehouse_columns
from pipelines.stores.moves import MOVED_BY_DOCUMENT, create_moves, last_copy, note_all_moved, note_moved
from pipelines.stores.seals import SEALED_ENTRIES, sealed_files, sealed_mark
from pipelines.stores.sent_objects import MOVED, PAYLOAD, SENT_TABLES, read_corrections, sent_rows
from pipelines.stores.warehouse import (
    columns_of,
    digest_of,
    insert_rows,
    keep_digest,
    replace_rows,
    replace_when_changed,
    transaction,
)

if TYPE_CHECKING:
    import duckdb

    from pipelines.stores.control import Control

# Small tables, compared row by row. Not the outbox, which follows its events, and not the cursors, which every batch
# moves: they are copied only where both sides are compared.
_WHOLE = (*(table for table in COPIED if table not in {"outbox", "cursors"}), "first_day")
# What follows the outbox's events, and the mark in ctl.contents that says up to which of them.
_MOVING = ("outbox", *SENT_TABLES)
_LAST_EVENT = "moved"
# Intents that are copied at a time: what they hold in memory is a few dozen megabytes.
COPIED_AT_ONCE = 20_000


def copy_control(connection: duckdb.DuckDBPyConnection, control: Control) -> None:
    """Bring the warehouse's copy of the control tables up to date; of the outbox only what has moved since.

    The chain of its events tells what that is, and whether this is the outbox that was copied before.
    """
    replace_when_changed(
        connection,
        {f"ctl.{table}": (_columns(table), _control_rows(control, table)) for table in _WHOLE},
    )
    _copy_sealed(connection, control)
    # Made here, so that the models find it; filled by copy_cursors.
    connection.execute(f"CREATE TABLE IF NOT EXISTS ctl.cursors ({_columns('cursors')})")
    _copy_outbox(connection, control)


def copy_cursors(connection: duckdb.DuckDBPyConnection, control: Control) -> None:
    """Copy how far each source has been read, and when."""
    replace_rows(connection, "ctl.cursors", _columns("cursors"), _control_rows(control, "cursors"))


def _copy_sealed(connection: duckdb.DuckDBPyConnection, control: Control) -> None:
    """Copy what sealed periods consisted of, all anew when another one was sealed."""
    mark, columns = sealed_mark(control), warehouse_columns()[SEALED_ENTRIES]
    if digest_of(connection, SEALED_ENTRIES) == mark:
        return
    connection.execute(f"CREATE OR REPLACE TABLE ctl.{SEALED_ENTRIES} ({column_list(columns)})")
    for content in sealed_files(control):
        from pyarrow import BufferReader, parquet  # noqa: PLC0415 an idle run copies nothing

        connection.register("sealed_file", parquet.read_table(BufferReader(content)))
        # By name: a period sealed by an older release may have its columns in another order.
        connection.execute(f"INSERT INTO ctl.{SEALED_ENTRIES} SELECT {', '.join(columns)} FROM sealed_file")  # noqa: S608 our own names
        connection.unregister("sealed_file")
    keep_digest(connection, SEALED_ENTRIES, mark)


def _copy_outbox(connection: duckdb.DuckDBPyConnection, control: Control) -> None:
    # An older release made some of them with other columns: what they hold is copied anew.
    lacking = [table for table in _MOVING if columns_of(connection, f"ctl.{table}") != list(warehouse_columns()[table])]
    is_complete = not lacking
    for table in lacking:
        connection.execute(f"CREATE OR REPLACE TABLE ctl.{table} ({_columns(table)})")
    # Number and hash: after a restore the same number may belong to another event.
    last, copied = _event(control, "ORDER BY event_no DESC"), digest_of(connection, _LAST_EVENT)
    if is_complete and copied == last:
        return
    since = _last_copied(control, copied) if is_complete and copied else 0
    # One transaction: killed in between, the copy and the number of its last event still belong together.
    create_changes(connection)
    with transaction(connection):
        create_moves(connection)
        if not since:
            note_all_moved(connection)
        for table in () if since else _MOVING:
            connection.execute(f"DELETE FROM ctl.{table}")  # noqa: S608 our own names
        note_table(connection, [TableRef("ctl", table) for table in _MOVING])
        _copy_moved(connection, control, since=since)
        keep_digest(connection, _LAST_EVENT, last)


def _event(control: Control, which: str) -> str:
    """Return the number and the hash of an event of the outbox, an empty text when there is none."""
    return str(control.one(f"SELECT event_no || ' ' || hash FROM outbox_events {which} LIMIT 1") or "")  # noqa: S608 our own words


def _last_copied(control: Control, copied: str) -> int:
    """Return the number of the last event that was copied; 0 when the control store does not have that very event.

    Then the store is another one than was copied, such as one put back from a backup, and all of it is copied anew.
    """
    number = copied.partition(" ")[0]
    is_there = number.isdecimal() and _event(control, f"WHERE event_no = {number}") == copied
    return int(number) if is_there else 0


def _copy_moved(connection: duckdb.DuckDBPyConnection, control: Control, *, since: int) -> None:
    """Copy the intents that have moved since an event, and what they stand for, some at a time; all of them when 0."""
    names = list(warehouse_columns()["outbox"])
    statement = f"SELECT {', '.join(names)}, {PAYLOAD} FROM outbox WHERE {MOVED if since else 'TRUE'}"  # noqa: S608 our own names
    corrections, copy_no = read_corrections(control), last_copy(connection) + 1
    for intents in control.pages(statement, {"since": since}, size=COPIED_AT_ONCE):
        replace_rows(connection, "ctl.moved", "id VARCHAR", [(intent["id"],) for intent in intents])
        moved: dict[str, Sequence[Sequence[object]]] = {
            "outbox": [tuple(intent)[: len(names)] for intent in intents],
            **sent_rows(intents, corrections),
        }
        keys = {intent["document_key"] for intent in intents}
        for table, rows in moved.items():
            for where in _where(table, keys) if since else ():
                connection.execute(f"DELETE FROM ctl.{table} WHERE {where} AND id IN (SELECT id FROM ctl.moved)")  # noqa: S608 our names
            insert_rows(connection, f"ctl.{table}", rows)
        if since:
            note_moved(connection, keys, copy_no=copy_no)
    connection.execute("DROP TABLE IF EXISTS ctl.moved")


def _where(table: str, keys: Collection[int | None]) -> Iterator[str]:
    """Yield where rows of intents stand, by their documents: rows came in that order, and all others are not read."""
    if TableRef("ctl", table) not in MOVED_BY_DOCUMENT:
        yield "TRUE"
        return
    if None in keys:
        yield "document_key IS NULL"
    if known := [key for key in keys if key is not None]:
        yield f"document_key BETWEEN {min(known)} AND {max(known)}"


def _columns(table: str) -> str:
    return column_list(warehouse_columns()[table])


def _control_rows(control: Control, table: str) -> list[tuple[object, ...]]:
    rows = control.read(f"SELECT {', '.join(warehouse_columns()[table])} FROM {table}")  # noqa: S608 our own names
    return [tuple(row) for row in rows]
