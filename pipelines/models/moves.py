"""Models that follow the outbox (``-- moves: document_key``): of them only what its copy has moved is looked at.

Of a model that is replaced, each row follows from rows of its own document in the copy, and is made anew when they have
moved. Of one that keeps rows of before, whether a row stays is said by rows of its own document there; it is asked of
those that have moved, and of those that the last build gave and may have withdrawn. Nobody but the copying writes these
tables, so that neither they nor the model's own table are looked through.
"""

# ruff: noqa: S608 - statements are made of quoted names, of hashes and of whole numbers

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import duckdb
import msgspec

from pipelines.core.table_ref import TableRef, quote
from pipelines.models.functions import functions_sql
from pipelines.models.noted import MOST_PARTS, Keys, Stream, note_moved
from pipelines.stores.moves import create_moves, forget_moves, last_copy, moved_since
from pipelines.stores.rows import number_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.models.looks import Looking
    from pipelines.models.model import Columns, Model

# Up to which copy each model has followed, as what; and of one that keeps rows, whose rows the last build gave.
FOLLOWED, GIVEN = TableRef("ctl", "followed"), TableRef("ctl", "given")
_MAKE_GIVEN = f"CREATE TABLE IF NOT EXISTS {GIVEN.quoted} (model_name VARCHAR, part BIGINT)"


def create_follow_notes(connection: duckdb.DuckDBPyConnection) -> None:
    """Create what is noted of models that follow the outbox."""
    create_moves(connection)
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {FOLLOWED.quoted} (model_name VARCHAR, frame VARCHAR, copy_no BIGINT)"
    )
    connection.execute(_MAKE_GIVEN)


def moved_parts(connection: duckdb.DuckDBPyConnection, model: Model) -> Keys | None:
    """Return the documents whose rows may be others than when a model was built last; None: it is built whole."""
    followed = connection.execute(
        f"SELECT copy_no FROM {FOLLOWED.quoted} WHERE {_of(model)} AND frame = '{_frame(connection, model)}'"
    ).fetchone()
    moved = moved_since(connection, followed[0], most=MOST_PARTS) if followed else None
    if moved is None:
        return None
    listed = ", ".join(f"'{ref}'" for ref in (model.ref, *model.reads))
    rows = connection.execute(
        f"SELECT DISTINCT part FROM {GIVEN.quoted} WHERE model_name IN ({listed}) LIMIT {MOST_PARTS + 1}"
    ).fetchall()
    keys = moved.union(part for (part,) in rows)
    return None if len(keys) > MOST_PARTS or None in keys else keys


def note_given(connection: duckdb.DuckDBPyConnection, model: Model, new_rows: str) -> None:
    """Note whose rows a build gives, in the transaction that it builds in."""
    # Not there where one model is built by itself, as a test does.
    connection.execute(_MAKE_GIVEN)
    connection.execute(f"DELETE FROM {GIVEN.quoted} WHERE {_of(model)}")
    connection.execute(
        f"INSERT INTO {GIVEN.quoted} SELECT DISTINCT '{model.ref}', {quote(model.moves)} FROM {new_rows}"
    )


def given_parts(connection: duckdb.DuckDBPyConnection, model: Model) -> Keys:
    """Return whose rows the last build of a model that keeps rows gave."""
    return frozenset(
        part for (part,) in connection.execute(f"SELECT part FROM {GIVEN.quoted} WHERE {_of(model)}").fetchall()
    )


def note_followed(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Note that a model is as all copies have it that there are, in the transaction that it was built in."""
    if not model.keep:
        # What it reads gives these now, and may have withdrawn them by the next build.
        listed = ", ".join(f"'{ref}'" for ref in model.reads)
        connection.execute(f"DELETE FROM {GIVEN.quoted} WHERE {_of(model)}")
        connection.execute(
            f"INSERT INTO {GIVEN.quoted} "
            f"SELECT DISTINCT '{model.ref}', part FROM {GIVEN.quoted} WHERE model_name IN ({listed})"
        )
    connection.execute(f"DELETE FROM {FOLLOWED.quoted} WHERE {_of(model)}")
    connection.execute(
        f"INSERT INTO {FOLLOWED.quoted} VALUES ('{model.ref}', '{_frame(connection, model)}', {last_copy(connection)})"
    )


def look_copied(looking: Looking, stream: Stream, columns: Columns) -> None:
    """Find out from its moves what has changed in a table of the copy, and note it as of this build.

    The copying notes the documents of what it moves; rates and master data belong to none, and are few.
    """
    connection, reader = looking.connection, f"{stream.table} by {stream.column}"
    row = connection.execute(f"SELECT copy_no FROM {FOLLOWED.quoted} WHERE model_name = '{reader}'").fetchone()
    moved = moved_since(connection, row[0], most=MOST_PARTS) if row else None
    looking.look(stream, columns, where="document_key IS NULL")
    note_moved(connection, stream, moved if stream.column or not moved else None, build_no=looking.build_no)
    connection.execute(f"DELETE FROM {FOLLOWED.quoted} WHERE model_name = '{reader}'")
    connection.execute(f"INSERT INTO {FOLLOWED.quoted} VALUES ('{reader}', '', {last_copy(connection)})")


def forget_followed(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget the moves that every model has followed."""
    forget_moves(connection, until=number_of(connection.execute(f"SELECT min(copy_no) FROM {FOLLOWED.quoted}")))


def shapes(connection: duckdb.DuckDBPyConnection, refs: Iterable[TableRef]) -> dict[TableRef, Columns]:
    """Return the columns of tables, none of one that is not there."""
    return {ref: _columns(connection, ref) for ref in refs}


def _columns(connection: duckdb.DuckDBPyConnection, ref: TableRef) -> Columns:
    # To ask for one table takes a fraction of a list of all columns.
    try:
        return {name: data_type for name, data_type, *_ in connection.execute(f"DESCRIBE {ref.quoted}").fetchall()}
    except duckdb.CatalogException:
        return {}


def _frame(connection: duckdb.DuckDBPyConnection, model: Model) -> str:
    """Hash what a model, and those that it follows, are made by: another one is built whole."""
    digest = hashlib.sha256(msgspec.json.encode(model))
    digest.update(functions_sql().encode())
    read = ", ".join(f"'{ref}'" for ref in model.reads)
    frames = f"SELECT model_name, frame FROM {FOLLOWED.quoted} WHERE model_name IN ({read}) ORDER BY ALL"
    digest.update(repr(connection.execute(frames).fetchall()).encode())
    known = shapes(connection, sorted({model.ref, *model.reads}))
    digest.update(repr([(str(ref), [*columns.items()]) for ref, columns in known.items()]).encode())
    return digest.hexdigest()


def _of(model: Model) -> str:
    return f"model_name = '{model.ref}'"
