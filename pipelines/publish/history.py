"""Copies the control store into the published file: what only grows is taken from the file published before."""

# ruff: noqa: S608 - statements are made of our own names, never of data

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import duckdb

from pipelines.publish.contents import (
    GROWING,
    LEFT_OUT,
    NOT_PUBLISHED,
    control_type,
    expression,
    literal,
    quote,
)

if TYPE_CHECKING:
    from pipelines.control import Control

# More at a time is slower: the rows fall out of the processor's cache.
PAGE = 10_000

Columns = Mapping[str, str]


def control_columns(control: Control) -> dict[str, dict[str, str]]:
    """Return the published columns of each published table of the control store, with their types."""
    names = control.read("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1")
    return {
        name: {
            row["name"]: control_type(row["name"], row["type"])
            for row in control.read(f"PRAGMA table_info({name})")
            if row["name"] not in LEFT_OUT.get(name, ())
        }
        for (name,) in names
        if name not in NOT_PUBLISHED
    }


def copy_history(connection: duckdb.DuckDBPyConnection, control: Control, *, target: str, before: str) -> None:
    """Fill the tables of schema ctl in the database ``target`` from the control store.

    ``before`` names the database published before, where there is one.
    """
    known = before if _is_of_this_store(connection, control, before) else None
    for table, types in control_columns(control).items():
        place = f"{target}.ctl.{quote(table)}"
        since = _take_over(connection, table, types, place=place, before=known) if known else None
        _insert(connection, control, table, list(types), place=place, since=since)


def _is_of_this_store(connection: duckdb.DuckDBPyConnection, control: Control, before: str) -> bool:
    """Tell whether the last event published is one of this store's, which may have been restored or replaced."""
    try:
        last = connection.execute(f"SELECT max(event_no), max_by(hash, event_no) FROM {before}.ctl.outbox_events")
        event_no, event_hash = last.fetchone() or (None, None)
    except duckdb.Error:
        return False
    return event_no is not None and event_hash == control.one(
        "SELECT hash FROM outbox_events WHERE event_no = ?", (event_no,)
    )


def _take_over(connection: duckdb.DuckDBPyConnection, table: str, types: Columns, *, place: str, before: str) -> object:
    """Copy all but the last of what was published before; return from where on the control store is to be read."""
    key = GROWING.get(table)
    found = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        f"WHERE database_name = '{before}' AND schema_name = 'ctl' AND table_name = '{table}' ORDER BY column_index"
    ).fetchall()
    if key is None or dict(found) != dict(types):
        return None
    source = f"{before}.ctl.{quote(table)}"
    last = connection.execute(f"SELECT max({quote(key)}) FROM {source}").fetchone()
    since: object = last[0] if last else None
    if since is not None:
        connection.execute(f"INSERT INTO {place} SELECT * FROM {source} WHERE {quote(key)} < {literal(since)}")
    return since


def _insert(
    connection: duckdb.DuckDBPyConnection,
    control: Control,
    table: str,
    columns: Sequence[str],
    *,
    place: str,
    since: object,
) -> None:
    """Copy the rows of a table from a value of its key on.

    SQLite writes each row as JSON and Arrow reads it: half the time that a Python object a value takes.
    """
    import pyarrow as pa  # noqa: PLC0415 an idle run publishes nothing
    from pyarrow import json as arrow_json  # noqa: PLC0415 ditto

    value = str(since) if isinstance(since, int) else literal(since)
    condition = f"WHERE {GROWING[table]} >= {value}" if since is not None else ""
    members = ", ".join(f"{literal(name)}, {quote(name)}" for name in columns)
    statement = f"SELECT json_object({members}) FROM {quote(table)} {condition} ORDER BY rowid"
    kinds = {row["name"]: row["type"] for row in control.read(f"PRAGMA table_info({table})")}
    schema = pa.schema([(name, pa.int64() if kinds[name] == "INTEGER" else pa.string()) for name in columns])
    options = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    pages = ("\n".join(text for (text,) in rows).encode() for rows in control.pages(statement, size=PAGE))
    batches = (
        batch
        for page in pages
        for batch in arrow_json.read_json(pa.BufferReader(page), parse_options=options).to_batches()
    )
    connection.register("control_rows", pa.RecordBatchReader.from_batches(schema, batches))
    told = ", ".join(expression(column, is_control=True) for column in columns)
    connection.execute(f"INSERT INTO {place} SELECT {told} FROM control_rows")
    connection.unregister("control_rows")
