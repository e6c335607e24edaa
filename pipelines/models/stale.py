"""Which models are stale: those whose own text, or the rows of anything they are made from, have changed."""

# ruff: noqa: S608 - statements are made of quoted names and of hashes, never of data

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from pipelines.core.table_ref import TableRef, quote
from pipelines.models.functions import functions_sql

if TYPE_CHECKING:
    import duckdb

    from pipelines.models.model import Columns, Model

NOTES = TableRef("ctl", "built")
# What says of a row when and by which fetch it was written; a row that has none of these is looked at as a whole.
_STAMPS = ("fetched_at", "fetch_id", "state", "updated_at")


def create_notes(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the table that says from what each model was built."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(NOTES.schema)}")
    connection.execute(f"CREATE TABLE IF NOT EXISTS {NOTES.quoted} (model_name VARCHAR, mark VARCHAR)")


def marks_of(
    connection: duckdb.DuckDBPyConnection, models: Iterable[Model], external: Mapping[TableRef, Columns]
) -> dict[TableRef, str]:
    """Return for each verified model, in the order given, a hash of its text and of all it is made from."""
    listed = [*models]
    # In their order each model finds the marks of what it reads: a change goes through all that stand on it.
    read = {ref for model in listed for ref in model.reads}
    marks = marks_of_rows(connection, {ref: columns for ref, columns in external.items() if ref in read})
    for model in listed:
        # The whole model and not its SQL alone: a column that has another type gives another table.
        digest = hashlib.sha256(msgspec.json.encode(model))
        # The marks of what it reads, not their rows: a change far below reaches every model that stands on it.
        # A function that writes figures in another way changes tables whose own text stays.
        digest.update(functions_sql().encode())
        digest.update(repr([(str(ref), marks.get(ref)) for ref in model.reads]).encode())
        marks[model.ref] = digest.hexdigest()
    return {model.ref: marks[model.ref] for model in listed}


def stale(connection: duckdb.DuckDBPyConnection, marks: Mapping[TableRef, str]) -> frozenset[TableRef]:
    """Return the models that are not there, or were built from something else than ``marks`` say."""
    # A note without its table (dropped by hand, a warehouse built anew) must not count as built.
    noted = noted_marks(connection)
    present = connection.execute(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables"
        " WHERE table_catalog = current_database()"
    ).fetchall()
    built = {name for (name,) in present}
    return frozenset(ref for ref, mark in marks.items() if str(ref) not in built or noted.get(ref) != mark)


def noted_marks(connection: duckdb.DuckDBPyConnection) -> dict[TableRef, str]:
    """Return from what each model was built, as far as it is noted."""
    rows = connection.execute(f"SELECT model_name, mark FROM {NOTES.quoted}").fetchall()
    return {TableRef.parse(name): mark for name, mark in rows}


def forget(connection: duckdb.DuckDBPyConnection, refs: Iterable[TableRef]) -> None:
    """Make models stale that are about to be built."""
    if names := ", ".join(f"'{ref}'" for ref in refs):
        connection.execute(f"DELETE FROM {NOTES.quoted} WHERE model_name IN ({names})")


def note(connection: duckdb.DuckDBPyConnection, marks: Mapping[TableRef, str]) -> None:
    """Note what models were built from, once all of them are."""
    forget(connection, marks)
    if rows := ", ".join(f"('{ref}', '{mark}')" for ref, mark in marks.items()):
        connection.execute(f"INSERT INTO {NOTES.quoted} VALUES {rows}")


def marks_of_rows(connection: duckdb.DuckDBPyConnection, tables: Mapping[TableRef, Columns]) -> dict[TableRef, str]:
    """Return for each table its number of rows and what says when they were written."""
    if not tables:
        return {}
    ordered = sorted(tables)
    queries = (
        # A sum of hashes has no order to depend on, and one query for all tables reads each once.
        f"SELECT {place}, count(*), sum(hash({stamp(tables[ref])})) FROM {ref.quoted} AS whole_row"
        for place, ref in enumerate(ordered)
    )
    rows = connection.execute(" UNION ALL ".join(queries)).fetchall()
    # The types too: a column that has become another one changes what is made of the same rows.
    return {ordered[place]: f"{count} {total} {[*tables[ordered[place]].items()]}" for place, count, total in rows}


def stamp(columns: Collection[str]) -> str:
    """Return the columns of a staged table that tell one writing of a row from another, else the whole row."""
    return ", ".join(name for name in _STAMPS if name in columns) or "whole_row"
