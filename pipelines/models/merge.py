"""Builds a model that keeps rows of before: new rows replace those of their key, others stay while ``keep`` holds."""

# ruff: noqa: S608 - statements are made of quoted names and of the files of sql/, never of data

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from pipelines.core.errors import ModelError
from pipelines.core.table_ref import quote
from pipelines.models.duck import create_statement, plain_words
from pipelines.models.external import read_external
from pipelines.models.moves import note_given
from pipelines.models.noted import Keys, of_parts
from pipelines.models.parts import among_views
from pipelines.stores.rows import number_of

if TYPE_CHECKING:
    from pipelines.models.model import Columns, Model

_NEW = '"temp"."main"."new_rows"'


def merge(
    connection: duckdb.DuckDBPyConnection, model: Model, keys: Keys | None = None, *, lane: int = 0
) -> tuple[int, int, str]:
    """Merge a model into its table; return its rows, how many of them are kept, and what was migrated.

    Only what changes is written. ``keys`` are the parts that may keep rows no more, shown on this lane
    (``show_parts``): where they are known, a history of years is not even looked through. A table of another shape is
    migrated by the names of its columns first; ModelError when a column's values do not fit its new type.
    """
    existing = read_external(connection, schemas=[model.ref.schema]).get(model.ref, {})
    if not existing:  # the first build: there is nothing to keep
        added = number_of(connection.execute(create_statement(model)))
        if model.moves:
            note_given(connection, model, model.ref.quoted)
        return added, 0, ""
    connection.execute(f"CREATE OR REPLACE TEMPORARY TABLE new_rows AS\n{model.sql}\n")
    # The new rows as DuckDB types them, not as the catalog says: the table must take exactly these.
    wanted = dict(connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE {_NEW})").fetchall())
    note = _migrate(connection, model, existing, wanted) if list(wanted.items()) != list(existing.items()) else ""
    _delete_replaced(connection, model)
    _delete_unkept(connection, model, keys, lane=lane)
    kept = number_of(connection.execute(f"SELECT COUNT(*) FROM {model.ref.quoted}"))
    added = number_of(connection.execute(f"INSERT INTO {model.ref.quoted} SELECT * FROM {_NEW}"))
    if model.moves:
        note_given(connection, model, _NEW)
    connection.execute(f"DROP TABLE {_NEW}")
    return kept + added, kept, note


def _delete_replaced(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    # A key may hold nulls, and a null is equal to nothing: with = such a row would never be replaced.
    same_key = " AND ".join(
        f"new_rows.{quote(name)} IS NOT DISTINCT FROM {model.ref.quoted}.{quote(name)}" for name in model.grain
    )
    where = f"EXISTS (SELECT 1 FROM {_NEW} AS new_rows WHERE {same_key})"
    if model.moves:
        lowest, highest = (f"(SELECT {which}({quote(model.moves)}) FROM {_NEW})" for which in ("min", "max"))
        where = f"{quote(model.moves)} BETWEEN {lowest} AND {highest} AND {where}"
    connection.execute(f"DELETE FROM {model.ref.quoted} WHERE {where}")


def _delete_unkept(connection: duckdb.DuckDBPyConnection, model: Model, keys: Keys | None, *, lane: int) -> None:
    # A condition that is null keeps nothing: a row stays only when the model says so.
    where = f"NOT COALESCE((\n{model.keep}\n), FALSE)"
    if keys is None:
        connection.execute(f"DELETE FROM {model.ref.quoted} WHERE {where}")
    elif keys:
        with among_views(connection, lane) as warehouse:
            these = of_parts(model.moves, keys)
            connection.execute(f"DELETE FROM {warehouse}.{model.ref.quoted} WHERE {these} AND {where}")


def _migrate(connection: duckdb.DuckDBPyConnection, model: Model, existing: Columns, wanted: Columns) -> str:
    """Give the table the model's columns before new rows come in; return in words what has changed.

    The rows kept are the only copy of what was sent, so they are never dropped to make a new shape fit. They move by
    the name of the column: a new column is null in them, a removed one is lost with its values, a renamed one is both.
    """
    # The order counts too: INSERT ... SELECT * goes by position.
    listed = ", ".join(
        f"CAST({quote(name) if name in existing else 'NULL'} AS {data_type}) AS {quote(name)}"
        for name, data_type in wanted.items()
    )
    try:
        connection.execute(f"CREATE OR REPLACE TABLE {model.ref.quoted} AS SELECT {listed} FROM {model.ref.quoted}")
    except duckdb.ConversionException as error:
        # A value that cannot be read in its new type stops the build: to keep it as null would forget what was sent.
        raise ModelError(
            f"{model.ref} has another shape now, and the rows it keeps do not fit: {plain_words(error)}",
            next_step=f"give the column another name in {model.path}: what the table keeps must not be lost.",
        ) from error
    changes = [
        ("new", [name for name in wanted if name not in existing]),
        ("gone", [name for name in existing if name not in wanted]),
        ("of another type", [name for name in wanted if name in existing and existing[name] != wanted[name]]),
    ]
    told = [f"{', '.join(names)} {what}" for what, names in changes if names]
    return f"the rows kept were migrated by name: {'; '.join(told) or 'columns in another order'}"
