"""The warehouse's copy of the control store: only what has moved since the last batch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipelines.stores.seals import SEALED_TABLES, sealed_files, sealed_mark
from pipelines.stores.sent_objects import MOVED, PAYLOAD, SENT_TABLES, read_corrections, sent_rows

if TYPE_CHECKING:
    import duckdb

    from pipelines.stores.control import Control

from pipelines.stores.warehouse import insert_rows, replace_rows, replace_when_changed

# What the models read of the control store: table -> columns, copied under the same names. Payloads stay there.
CONTROL_TABLES: Mapping[str, str] = {
    "outbox": "id VARCHAR, kind VARCHAR, natural_key VARCHAR, target VARCHAR, company_code VARCHAR, "
    "owner_code INTEGER, document_key BIGINT, document_no VARCHAR, state VARCHAR, attempts INTEGER, "
    "payload_hash VARCHAR, source_hash VARCHAR, look_up VARCHAR, remote_ids VARCHAR, error_code VARCHAR, "
    "last_error VARCHAR, batch_id VARCHAR, created_at VARCHAR, updated_at VARCHAR, sent_at VARCHAR",
    "ignored": "company VARCHAR, document_key BIGINT, document_no VARCHAR, reason VARCHAR, operator VARCHAR, "
    "since VARCHAR, until VARCHAR",
    "holds": "hold_id BIGINT, company VARCHAR, document_key BIGINT, document_no VARCHAR, rule VARCHAR, "
    "severity VARCHAR, message VARCHAR, since VARCHAR, until VARCHAR, batch_id VARCHAR",
    "bank_changes": "change_id BIGINT, partner_code VARCHAR, old_account VARCHAR, new_account VARCHAR, "
    "seen_at VARCHAR, decided_at VARCHAR, decided_by VARCHAR, decision VARCHAR, reason VARCHAR",
    "rejected": "rejected_id BIGINT, side VARCHAR, entity VARCHAR, object_key VARCHAR, document_no VARCHAR, "
    "member VARCHAR, message VARCHAR, since VARCHAR, until VARCHAR, batch_id VARCHAR",
    "first_day": "today DATE",
    "breaks": "break_id BIGINT, kind VARCHAR, subject VARCHAR, company VARCHAR, document_key BIGINT, "
    "document_no VARCHAR, message VARCHAR, next_step VARCHAR, figures_hash VARCHAR, since VARCHAR, until VARCHAR, "
    "accepted_by VARCHAR, accepted_at VARCHAR, accepted_hash VARCHAR, comment VARCHAR, batch_id VARCHAR",
    "closes": "period VARCHAR, state VARCHAR, opened_at VARCHAR, sealed_at VARCHAR, sealed_by VARCHAR, "
    "pack_hash VARCHAR, figures VARCHAR, batch_id VARCHAR, updated_at VARCHAR",
}


# How far each source has been read: copied where both sides are compared, since every batch moves some of it.
CURSORS_COLUMNS = "source VARCHAR, value VARCHAR, batch_id VARCHAR, moved_at VARCHAR"


# Intents that are copied at a time: what they hold in memory is a few dozen megabytes.
COPIED_AT_ONCE = 20_000


def copy_control(connection: duckdb.DuckDBPyConnection, control: Control) -> None:
    """Bring the warehouse's copy of the control tables up to date; of the outbox only what has moved since.

    The chain of its events tells what that is, and whether this is the outbox that was copied before.
    """
    replace_when_changed(
        connection,
        {
            f"ctl.{table}": (columns, _control_rows(control, table, columns))
            for table, columns in CONTROL_TABLES.items()
            if table != "outbox"
        },
    )
    _copy_sealed(connection, control)
    connection.execute(f"CREATE TABLE IF NOT EXISTS ctl.cursors ({CURSORS_COLUMNS})")
    copied = {"outbox": CONTROL_TABLES["outbox"], **SENT_TABLES}
    present = connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'ctl'").fetchall()
    is_complete = copied.keys() <= {name for (name,) in present}
    for table, columns in copied.items():
        connection.execute(f"CREATE TABLE IF NOT EXISTS ctl.{table} ({columns})")
    last = _event(control, "ORDER BY event_no DESC")
    known = connection.execute("SELECT digest FROM ctl.contents WHERE table_name = 'moved'").fetchone()
    if is_complete and known == (last,):
        return
    since = _last_copied(control, known[0]) if is_complete and known else 0
    connection.execute("BEGIN")
    for table in () if since else copied:
        connection.execute(f"DELETE FROM ctl.{table}")  # noqa: S608 our own names
    _copy_moved(connection, control, copied, since=since)
    connection.execute("DELETE FROM ctl.contents WHERE table_name = 'moved'")
    connection.execute(f"INSERT INTO ctl.contents VALUES ('moved', '{last}')")  # noqa: S608 a number and a hash
    connection.execute("COMMIT")


def _copy_sealed(connection: duckdb.DuckDBPyConnection, control: Control) -> None:
    """Copy what sealed periods consisted of, all anew when another one was sealed."""
    [(table, columns)] = SEALED_TABLES.items()
    mark = sealed_mark(control)
    known = connection.execute(f"SELECT digest FROM ctl.contents WHERE table_name = '{table}'").fetchone()  # noqa: S608 our own names
    if known == (mark,):
        return
    connection.execute(f"CREATE OR REPLACE TABLE ctl.{table} ({columns})")
    for content in sealed_files(control):
        from pyarrow import BufferReader, parquet  # noqa: PLC0415 an idle run copies nothing

        connection.register("sealed_file", parquet.read_table(BufferReader(content)))
        names = ", ".join(_names(columns))
        connection.execute(f"INSERT INTO ctl.{table} SELECT {names} FROM sealed_file")  # noqa: S608 our own names
        connection.unregister("sealed_file")
    connection.execute(f"DELETE FROM ctl.contents WHERE table_name = '{table}'")  # noqa: S608 our own names
    connection.execute(f"INSERT INTO ctl.contents VALUES ('{table}', '{mark}')")  # noqa: S608 a hash


def copy_cursors(connection: duckdb.DuckDBPyConnection, control: Control) -> None:
    """Copy how far each source has been read, and when."""
    replace_rows(connection, "ctl.cursors", CURSORS_COLUMNS, _control_rows(control, "cursors", CURSORS_COLUMNS))


def _event(control: Control, which: str) -> str:
    """Return the number and the hash of an event of the outbox, nothing when there is none."""
    found = control.one(f"SELECT event_no || ' ' || hash FROM outbox_events {which} LIMIT 1")  # noqa: S608 our own words
    return str(found or "")


def _last_copied(control: Control, copied: str) -> int:
    """Return the number of the last event that was copied; 0 when the control store has no such event (any more)."""
    number = copied.partition(" ")[0]
    is_there = number.isdecimal() and _event(control, f"WHERE event_no = {number}") == copied
    return int(number) if is_there else 0


def _copy_moved(
    connection: duckdb.DuckDBPyConnection, control: Control, copied: Mapping[str, str], *, since: int
) -> None:
    """Copy the intents that have moved since an event, and what they stand for, some at a time; all of them when 0."""
    names = _names(copied["outbox"])
    moved_since = MOVED if since else "TRUE"
    statement = f"SELECT {', '.join(names)}, {PAYLOAD} FROM outbox WHERE {moved_since}"  # noqa: S608 our own names
    corrections = read_corrections(control)
    for intents in control.pages(statement, {"since": since}, size=COPIED_AT_ONCE):
        replace_rows(connection, "ctl.moved", "id VARCHAR", [(intent["id"],) for intent in intents])
        moved: dict[str, Sequence[Sequence[object]]] = {
            "outbox": [tuple(intent)[: len(names)] for intent in intents],
            **sent_rows(intents, corrections),
        }
        for table, rows in moved.items():
            if since:
                connection.execute(f"DELETE FROM ctl.{table} WHERE id IN (SELECT id FROM ctl.moved)")  # noqa: S608 our names
            insert_rows(connection, f"ctl.{table}", rows)
    connection.execute("DROP TABLE IF EXISTS ctl.moved")


def _names(columns: str) -> list[str]:
    return re.findall(r"(?:^|, )(\w+) ", columns)


def _control_rows(
    control: Control, table: str, columns: str, *, where: str = "TRUE", values: Sequence[str] = ()
) -> list[tuple[object, ...]]:
    rows = control.read(f"SELECT {', '.join(_names(columns))} FROM {table} WHERE {where}", values)  # noqa: S608 our own names
    return [tuple(row) for row in rows]
