"""Writes published/springline.duckdb beside the one that analysts have open, and puts it in place in one move."""

# ruff: noqa: S608 - statements are made of our own names, never of data

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from pipelines.errors import ModelError
from pipelines.publish.contents import (
    DATABASE,
    MODEL_SCHEMAS,
    NOT_BUILT,
    SENT,
    Edition,
    Texts,
    comment,
    control_type,
    expression,
    first_line,
    literal,
    quote,
)
from pipelines.publish.history import copy_history
from pipelines.publish.swap import put_file, stage
from pipelines.warehouse import STORAGE_VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.control import Control

NEW, BEFORE = "published_now", "published_before"
EDITION = {
    "published_at": "when this file was written, UTC",
    "batch_id": "the batch that wrote it",
    "today": "the accounting day of that batch, Europe/Oslo",
    "version": "the version of Springline that wrote it",
    "as_of_vms": "when the VMS was last read, UTC",
    "as_of_ledger": "when the ledger was last read, UTC",
}
ABOUT_EDITION = "When and by which batch this file was written, and when both sides were last read; one row."

Table = tuple[str, str]


def write_database(
    warehouse: duckdb.DuckDBPyConnection, control: Control, folder: Path, *, texts: Texts, edition: Edition
) -> Path:
    """Publish the models and the control store into ``folder``; return the file.

    ``texts`` names the tables to publish, as far as the warehouse has them, and gives their comments. A kill at any
    moment leaves the file that was there. ModelError when it could not be written.
    """
    place = folder / DATABASE
    try:
        with stage(folder) as aside:
            with _attached(warehouse, aside / DATABASE, place):
                _fill(warehouse, control, texts=texts, edition=edition)
            put_file(aside / DATABASE, place)
    except (duckdb.Error, OSError) as error:
        raise ModelError(
            f"{place} could not be written: {first_line(error)}",
            next_step="see that its disk has room and that this user may write there; the file before is still there.",
        ) from error
    return place


@contextmanager
def _attached(connection: duckdb.DuckDBPyConnection, made: Path, place: Path) -> Iterator[None]:
    """Attach the file to write and the one published before; run a block in one transaction on the former."""
    connection.execute(f"ATTACH {literal(made)} AS {NEW} (STORAGE_VERSION '{STORAGE_VERSION}')")
    try:
        with _read_only(connection, place):
            connection.begin()
            try:
                yield
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
    finally:
        # To detach is to write all that is still in the log into the file.
        connection.execute(f"DETACH {NEW}")


@contextmanager
def _read_only(connection: duckdb.DuckDBPyConnection, place: Path) -> Iterator[None]:
    """Have the file published before at hand; one that is not there or cannot be read is as good as none."""
    if place.exists():
        with suppress(duckdb.Error):
            connection.execute(f"ATTACH {literal(place)} AS {BEFORE} (READ_ONLY)")
    try:
        yield
    finally:
        connection.execute(f"DETACH DATABASE IF EXISTS {BEFORE}")


def _fill(connection: duckdb.DuckDBPyConnection, control: Control, *, texts: Texts, edition: Edition) -> None:
    for schema in (*MODEL_SCHEMAS, "ctl"):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {NEW}.{schema}")
    present = _present(connection)
    for (schema, table), text in texts.items():
        if columns := present.get((schema, table)):
            _copy(connection, schema, table, columns)
        elif text.types:
            listed = ", ".join(f"{quote(name)} {kind}" for name, kind in text.types.items())
            connection.execute(f"CREATE TABLE {NEW}.{quote(schema)}.{quote(table)} ({listed})")
    copy_history(connection, control, target=NEW, before=BEFORE)
    _sign(connection, edition)
    connection.execute("\n".join(_comments(connection, texts, present=present)))


def _present(connection: duckdb.DuckDBPyConnection) -> dict[Table, dict[str, str]]:
    """Return the columns of every table and view of the warehouse that is for publication."""
    rows = connection.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() ORDER BY schema_name, table_name, column_index"
    ).fetchall()
    found: dict[Table, dict[str, str]] = {}
    for schema, table, column, kind in rows:
        if schema in MODEL_SCHEMAS or (schema == "ctl" and table in SENT):
            found.setdefault((schema, table), {})[column] = kind
    return found


def _copy(connection: duckdb.DuckDBPyConnection, schema: str, table: str, columns: Mapping[str, str]) -> None:
    """Copy a table, or a view as a table; what the control store keeps as text becomes a time."""
    is_control = schema == "ctl"
    told = ", ".join(
        f"CAST({expression(name, is_control=is_control)} AS {control_type(name, kind) if is_control else kind}) "
        f"AS {quote(name)}"
        for name, kind in columns.items()
    )
    place = f"{quote(schema)}.{quote(table)}"
    connection.execute(f"CREATE TABLE {NEW}.{place} AS SELECT {told} FROM {place}")


def _sign(connection: duckdb.DuckDBPyConnection, edition: Edition) -> None:
    values = {name: getattr(edition, name) for name in EDITION}
    told = ", ".join(
        f"CAST({literal(_naive(value))} AS {_edition_type(name)}) AS {name}" for name, value in values.items()
    )
    connection.execute(f"CREATE TABLE {NEW}.ctl.published AS SELECT {told}")


def _edition_type(name: str) -> str:
    if name.endswith("_at") or name.startswith("as_of"):
        return "TIMESTAMP"
    return "DATE" if name == "today" else "VARCHAR"


def _naive(value: object) -> object:
    """Write a time as the other tables have it: UTC, without a zone."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def _comments(connection: duckdb.DuckDBPyConnection, texts: Texts, *, present: Collection[Table]) -> Iterator[str]:
    """Yield one statement a comment: tables are copied without theirs."""
    rows = connection.execute(
        "SELECT schema_name, table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() "
        f"WHERE database_name = '{NEW}' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    for schema, table, columns in rows:
        place = f"{NEW}.{quote(schema)}.{quote(table)}"
        text = texts.get((schema, table))
        about, words = (text.about, text.columns) if text else (ABOUT_EDITION, EDITION)
        if text and text.types and (schema, table) not in present:
            about = NOT_BUILT + about
        yield f"COMMENT ON TABLE {place} IS {literal(about)};"
        for column in columns:
            if column in words:
                yield f"COMMENT ON COLUMN {place}.{quote(column)} IS {literal(comment(column, words[column]))};"
