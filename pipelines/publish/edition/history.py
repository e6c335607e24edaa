"""Copies the control store into the published file; of tables that only grow, the new rows alone."""

# ruff: noqa: S608 - statements are made of our own names, never of data

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from pipelines.core.literals import literal
from pipelines.core.table_ref import quote
from pipelines.publish.edition.contents import (
    GROWING,
    LEFT_OUT,
    NOT_PUBLISHED,
    column_list,
    control_type,
    expression,
)
from pipelines.stores.control_schema import control_tables

if TYPE_CHECKING:
    import duckdb

    from pipelines.stores.control import Control

# More at a time is slower: the rows fall out of the processor's cache.
PAGE = 10_000


def control_columns() -> dict[str, dict[str, str]]:
    """Return the published columns of each published table of the control store, with their types."""
    return {
        name: {
            column: control_type(column, kind)
            for column, kind in table.types.items()
            if column not in LEFT_OUT.get(name, ())
        }
        for name, table in sorted(control_tables().items())
        if name not in NOT_PUBLISHED
    }


def is_of_this_store(connection: duckdb.DuckDBPyConnection, control: Control, database: str) -> bool:
    """Tell whether the last published event is in this control store: it may have been restored, or replaced."""
    last = connection.execute(f"SELECT max(event_no), max_by(hash, event_no) FROM {database}.ctl.outbox_events")
    event_no, event_hash = last.fetchone() or (None, None)
    return event_no is not None and event_hash == control.one(
        "SELECT hash FROM outbox_events WHERE event_no = ?", (event_no,)
    )


def copy_history(
    connection: duckdb.DuckDBPyConnection,
    control: Control,
    *,
    target: str,
    kept: Collection[str] = (),
    is_read: bool = True,
) -> None:
    """Fill the tables of schema ctl in the database ``target`` from the control store.

    ``kept`` names the tables that have the rows published before: of these the last batch is copied again. The others
    are empty. ``is_read`` tells whether all that is kept is read on the way: damage in the file is found now, and not
    when an analyst asks.
    """
    for table, types in control_columns().items():
        place = f"{target}.ctl.{quote(table)}"
        if table in kept and is_read:
            connection.execute(f"SELECT sum(hash({column_list(types)})) FROM {place}").fetchone()
        since = _cut(connection, control, table, place=place) if table in kept else None
        _insert(connection, control, table, list(types), place=place, since=since)


def _cut(connection: duckdb.DuckDBPyConnection, control: Control, table: str, *, place: str) -> int | str | None:
    """Delete the last batch of what was published before; return the key from which to copy on."""
    key = quote(GROWING[table])
    last = connection.execute(f"SELECT max({key}) FROM {place}").fetchone()
    since: int | str | None = last[0] if last else None
    # Nothing was published of it before.
    if since is None:
        return None
    # As many rows before the cut on both sides: otherwise the store was restored, and all is copied anew.
    before = connection.execute(f"SELECT count(*) FROM {place} WHERE {key} < {literal(since)}").fetchone()
    if before == (control.one(f"SELECT count(*) FROM {quote(table)} WHERE {key} < {literal(since)}"),):
        connection.execute(f"DELETE FROM {place} WHERE {key} >= {literal(since)}")
        return since
    connection.execute(f"DELETE FROM {place}")
    return None


def _insert(
    connection: duckdb.DuckDBPyConnection,
    control: Control,
    table: str,
    columns: Sequence[str],
    *,
    place: str,
    since: int | str | None,
) -> None:
    """Copy the rows of a table, from a value of its key on.

    The store writes each row as JSON and Arrow reads it: twice as fast as one Python object a value.
    """
    import pyarrow as pa  # noqa: PLC0415 an idle run publishes nothing
    from pyarrow import json as arrow_json  # noqa: PLC0415 ditto

    # From the last key on and not after it: a batch that was running has rows that changed.
    condition = f"WHERE {GROWING[table]} >= {literal(since)}" if since is not None else ""
    members = ", ".join(f"{literal(name)}, {quote(name)}" for name in columns)
    statement = f"SELECT json_object({members}) FROM {quote(table)} {condition} ORDER BY rowid"
    kinds = control_tables()[table].types
    schema = pa.schema([(name, pa.int64() if kinds[name] == "INTEGER" else pa.string()) for name in columns])
    options = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    pages = ("\n".join(text for (text,) in rows).encode() for rows in control.pages(statement, size=PAGE))
    batches = (
        batch
        for page in pages
        for batch in arrow_json.read_json(pa.BufferReader(page), parse_options=options).to_batches()
    )
    # DuckDB reads the batches as they come: no table is in memory as a whole.
    connection.register("control_rows", pa.RecordBatchReader.from_batches(schema, batches))
    published = ", ".join(expression(column, has_words=True) for column in columns)
    connection.execute(f"INSERT INTO {place} SELECT {published} FROM control_rows")
    connection.unregister("control_rows")
