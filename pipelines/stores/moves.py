"""Which documents have moved in the warehouse's copy of the outbox, copy by copy.

A model that stands on that copy alone looks at these and not at all that was sent (``pipelines/models/moves.py``).
"""

# ruff: noqa: S608 - statements are made of our own names and of whole numbers

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipelines.core.table_ref import TableRef
from pipelines.stores.rows import number_of
from pipelines.stores.warehouse import insert_rows

if TYPE_CHECKING:
    import duckdb

# Copies are counted from 1; a row without a document stands for all of them.
MOVES = TableRef("ctl", "moves")
# The tables whose rows belong to a document, and that nobody but the copying writes.
MOVED_BY_DOCUMENT = frozenset(TableRef("ctl", name) for name in ("outbox", "payments", "sent_lines", "sent_vouchers"))


def create_moves(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the table that says what each copy has moved."""
    connection.execute(f"CREATE TABLE IF NOT EXISTS {MOVES.quoted} (copy_no BIGINT, document_key BIGINT)")


def last_copy(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of the last copy that has moved anything, 0 when none has."""
    return number_of(connection.execute(f"SELECT max(copy_no) FROM {MOVES.quoted}"))


def note_all_moved(connection: duckdb.DuckDBPyConnection) -> None:
    """Note that everything was copied anew: what each reader saw before says nothing any more."""
    copy_no = last_copy(connection) + 1
    connection.execute(f"DELETE FROM {MOVES.quoted}")
    connection.execute(f"INSERT INTO {MOVES.quoted} VALUES ({copy_no}, NULL)")


def note_moved(connection: duckdb.DuckDBPyConnection, keys: Iterable[int | None], *, copy_no: int) -> None:
    """Note the documents of intents that a copy has moved; rates and master data belong to none."""
    insert_rows(connection, str(MOVES), [(copy_no, key) for key in sorted({key for key in keys if key is not None})])


def moved_since(connection: duckdb.DuckDBPyConnection, copy_no: int, *, most: int) -> frozenset[int] | None:
    """Return the documents that copies after this one have moved; None: all, or more of them than ``most``."""
    rows = connection.execute(
        f"SELECT DISTINCT document_key FROM {MOVES.quoted} WHERE copy_no > {copy_no} LIMIT {most + 1}"
    ).fetchall()
    keys = frozenset(key for (key,) in rows)
    return None if len(keys) > most or None in keys else keys


def forget_moves(connection: duckdb.DuckDBPyConnection, *, until: int) -> None:
    """Forget what every reader has seen."""
    # The last one stays: by its number the next is counted.
    connection.execute(f"DELETE FROM {MOVES.quoted} WHERE copy_no <= {min(until, last_copy(connection) - 1)}")
