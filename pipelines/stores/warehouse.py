"""The warehouse: the DuckDB file of staging tables and models; everything in it can be rebuilt."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import duckdb

from pipelines.core.disk import disk_fault
from pipelines.core.errors import BusyError, ModelError, SpringlineError
from pipelines.stores.memory import fit, rest, spill_beside
from pipelines.stores.spoiled import is_spoiled, set_aside
from pipelines.stores.unopened import unopened_step

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.stores.control import Control

SCHEMAS = ("stg_vms", "stg_ledger", "seed", "map", "post", "rec", "close", "ctl")
# The format that every DuckDB since 1.0 reads: who opens the published file may have an older one.
STORAGE_VERSION = "v1.0.0"

# Counted up by a release that cannot go on with the tables of those before: not for a new table or column, which are
# made when they lack. Release 0.1.0 and 0.2.0 wrote no number: theirs is the first.
LAYOUT = 1
# What says how far a warehouse has come must be as this release keeps it.
_BOOKKEEPING = {"layout": ["number"], "contents": ["table_name", "digest"], "last_batch": ["batch_id"]}

# Which batch had the warehouse last, as the control store knows it.
WAREHOUSE_BATCH = "warehouse.last_batch"


class _OtherReleaseError(Exception):
    """A warehouse has tables that this release cannot go on with."""


def open_warehouse(path: Path, *, tell: Callable[[str], None] = lambda _message: None) -> duckdb.DuckDBPyConnection:
    """Open the warehouse file for writing and create its schemas.

    One that is damaged, or that a newer DuckDB or a release with other tables wrote, is set aside, ``tell`` hears of
    it, and a new one is begun: all that was in it is read again. Raises BusyError when another process has it open,
    ModelError when it cannot be opened for another reason.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _opened(path)
    except _OtherReleaseError:
        what, why = "is of another release", ""
    except (duckdb.Error, OSError) as error:
        if not is_spoiled(error, path):
            raise _unopened(path, error) from error
        what, why = "was damaged", f" It could not be read ({_first_line(error)})."
    try:
        tell(f"{set_aside(path, what=what)}{why}")
        return _opened(path)
    except (duckdb.Error, OSError) as error:
        raise _unopened(path, error) from error


class KeptWarehouse:
    """The warehouse of a process that runs batch after batch: open from the first on, until it is let go.

    To close it writes into the file all that has changed, which takes longer than to send a document. While it is open
    no other process can read it.
    """

    def __init__(self, path: Path) -> None:
        """Begin closed."""
        self._path = path
        self._connection: duckdb.DuckDBPyConnection | None = None

    def open(self, *, tell: Callable[[str], None] = lambda _message: None) -> duckdb.DuckDBPyConnection:
        """Return the open warehouse; see ``open_warehouse``."""
        self._connection = self._connection or open_warehouse(self._path, tell=tell)
        return self._connection

    def close(self) -> None:
        """Let it go, whatever is written into it at that moment."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _opened(path: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(path))
    try:
        fit(connection, spill=spill_beside(path))
        rest(connection)
        for schema in SCHEMAS:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        _require_layout(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _require_layout(connection: duckdb.DuckDBPyConnection) -> None:
    if any(columns_of(connection, f"ctl.{table}") not in ([], columns) for table, columns in _BOOKKEEPING.items()):
        raise _OtherReleaseError
    connection.execute(f"CREATE TABLE IF NOT EXISTS ctl.layout AS SELECT CAST({LAYOUT} AS INTEGER) AS number")
    if connection.execute("SELECT number FROM ctl.layout").fetchall() != [(LAYOUT,)]:
        raise _OtherReleaseError


def is_of_this_layout(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Tell whether a table of another database names the layout of this release's tables."""
    is_there = bool(columns_of(connection, table))
    return is_there and connection.execute(f"SELECT number FROM {table}").fetchall() == [(LAYOUT,)]  # noqa: S608 ours


def columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Return the columns of a table in their order, none where there is no such table.

    To ask for one table takes a fraction of a list of all columns, of which a warehouse has thousands.
    """
    try:
        return [name for name, *_ in connection.execute(f"DESCRIBE {table}").fetchall()]
    except duckdb.CatalogException:
        return []


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]


def _unopened(path: Path, error: duckdb.Error | OSError) -> SpringlineError:
    if "lock" in str(error).lower():
        message = f"Another batch holds the warehouse {path}."
        return BusyError(message, next_step="wait for it to end, or look at `springline status`.")
    # A disk that is full, or may not be written, says nothing against the file.
    if told := disk_fault(error):
        return told
    message = f"The warehouse {path} cannot be opened: {error}"
    return ModelError(message, next_step=unopened_step(error, anew="the next run rebuilds it from both systems"))


def names_batch(connection: duckdb.DuckDBPyConnection, batch_id: str) -> bool:
    """Tell whether a batch was the last one that had this warehouse."""
    try:
        return connection.execute("SELECT batch_id FROM ctl.last_batch").fetchall() == [(batch_id,)]
    except duckdb.CatalogException:
        # Deleted meanwhile, and begun anew.
        return False


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Run a block in one transaction: all of it is there afterwards, or none."""
    connection.begin()
    try:
        yield
        connection.commit()
    # Also for KeyboardInterrupt: a transaction left open would swallow what is written next.
    except BaseException:
        # What could not be committed is rolled back already, and its own error is the one to tell.
        with suppress(duckdb.TransactionException):
            connection.rollback()
        raise


def replace_rows(
    connection: duckdb.DuckDBPyConnection, table: str, columns: str, rows: Iterable[Sequence[object]]
) -> None:
    """Make ``table`` hold just ``rows``; ``columns`` is its column list as in CREATE TABLE."""
    connection.execute(f"CREATE OR REPLACE TABLE {table} ({columns})")
    insert_rows(connection, table, rows)


def replace_when_changed(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, tuple[str, Sequence[Sequence[object]]]]
) -> None:
    """Make each table hold just its rows (table -> columns and rows), leaving alone those that hold them already.

    Nothing is bound to a statement where nothing has changed: a bound value makes DuckDB import pandas.
    """
    kept = _digests(connection)
    for table, (columns, rows) in tables.items():
        digest = hashlib.sha256(f"{columns}\0{list(rows)!r}".encode()).hexdigest()
        if kept.get(table) != digest:
            replace_rows(connection, table, columns, rows)
            keep_digest(connection, table, digest)


def digest_of(connection: duckdb.DuckDBPyConnection, name: str) -> str | None:
    """Return what ``keep_digest`` kept of a table's content, None when nothing was."""
    return _digests(connection).get(name)


def _digests(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    connection.execute("CREATE TABLE IF NOT EXISTS ctl.contents (table_name VARCHAR, digest VARCHAR)")
    return dict(connection.execute("SELECT table_name, digest FROM ctl.contents").fetchall())


def keep_digest(connection: duckdb.DuckDBPyConnection, name: str, digest: str) -> None:
    """Keep a digest of a table's content, to see in the next batch whether it has changed."""
    connection.execute(f"DELETE FROM ctl.contents WHERE table_name = '{name}'")  # noqa: S608 our own names
    connection.execute(f"INSERT INTO ctl.contents VALUES ('{name}', '{digest}')")  # noqa: S608 our own names


def insert_rows(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Sequence[object]]) -> None:
    """Add rows to a table in one statement; values are cast to the table's types, amounts must be Decimal or text."""
    columns = list(zip(*rows, strict=True))
    # Without rows there are no columns either, and an Arrow table of none cannot be inserted.
    if not columns:
        return
    import pyarrow as pa  # noqa: PLC0415 an idle run has no rows to add

    connection.register("rows_to_insert", pa.table({f"c{i}": list(column) for i, column in enumerate(columns)}))
    connection.execute(f"INSERT INTO {table} SELECT * FROM rows_to_insert")  # noqa: S608 table names are ours
    connection.unregister("rows_to_insert")


def take_over(connection: duckdb.DuckDBPyConnection, control: Control, *, batch_id: str) -> None:
    """Begin a batch on this warehouse, and forget how far both systems were read unless the batch before had it too.

    The cursors are in the control store and outlive a warehouse that is deleted, or put back from an older copy: what
    they say was read would be missing in it. To be killed between the two writes costs one full reading.
    """
    row = _last_batch(connection)
    # Both stores must name the same batch: one of them alone may have been put back from a copy.
    is_known = row is not None and row[0] == control.mark(WAREHOUSE_BATCH)
    # The control store first: a warehouse that names a batch beside a store without any is one that lost its store.
    with control.write() as store:
        if not is_known:
            store.execute("DELETE FROM cursors")
        control.keep_mark(WAREHOUSE_BATCH, batch_id, within=store)
    name_batch(connection, batch_id)


def name_batch(connection: duckdb.DuckDBPyConnection, batch_id: str) -> None:
    """Note which batch has this warehouse."""
    is_there = _last_batch(connection) is not None
    statement = "UPDATE ctl.last_batch SET batch_id =" if is_there else "INSERT INTO ctl.last_batch SELECT"
    connection.execute(f"{statement} '{batch_id}'")


def _last_batch(connection: duckdb.DuckDBPyConnection) -> tuple[str] | None:
    connection.execute("CREATE TABLE IF NOT EXISTS ctl.last_batch (batch_id VARCHAR)")
    return connection.execute("SELECT batch_id FROM ctl.last_batch").fetchone()
