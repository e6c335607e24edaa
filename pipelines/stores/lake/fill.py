"""Fills the working database from the attached lake: on another machine, or where the file was lost."""

# ruff: noqa: S608 - statements are made of quoted names, never of data

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from pipelines.core.table_ref import TableRef, quote
from pipelines.stores.lake.attach import LAKE, WORKING
from pipelines.stores.lake.held import LakeTable, Noted, contents, hashes, note_tables
from pipelines.stores.lake.write import database_of, is_large, written_batch
from pipelines.stores.warehouse import SCHEMAS, transaction

if TYPE_CHECKING:
    import duckdb

# What dlt keeps for itself, and makes anew.
_OF_DLT = "_dlt_"
# Which batch had a working database last is said by whoever fills it; which readings it knows, and what stands in the
# file that was published on its machine, by itself alone.
_OWN = frozenset(TableRef("ctl", name) for name in ("last_batch", "published_file", "published_parts", "readings"))


def tables_of(
    connection: duckdb.DuckDBPyConnection, *, database: str, schemas: Collection[str] = SCHEMAS
) -> dict[TableRef, LakeTable]:
    """Return the tables of a working database, or of the lake, that the other one has as well."""
    rows = connection.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
        f"WHERE database_name = '{database}' ORDER BY schema_name, table_name, column_index"
    ).fetchall()
    found: dict[TableRef, dict[str, str]] = {}
    for schema, table, column, kind in rows:
        ref = TableRef(schema, table)
        if schema in schemas and not table.startswith(_OF_DLT) and ref not in _OWN:
            found.setdefault(ref, {})[column] = kind
    return {ref: LakeTable(ref, columns) for ref, columns in found.items()}


def fill_from_lake(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the working database hold what the attached lake holds: all of it, or, killed before the end, as before."""
    database = database_of(connection)
    tables = tables_of(connection, database=LAKE)
    with transaction(connection):
        for ref in tables_of(connection, database=database):
            connection.execute(f"DROP TABLE {ref.quoted}")
        for ref in _OWN:
            connection.execute(f"DROP TABLE IF EXISTS {ref.quoted}")
        for table in tables.values():
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(table.ref.schema)}")
            connection.execute(f"CREATE TABLE {table.ref.quoted} AS SELECT * FROM {LAKE}.{table.ref.quoted}")
    rows = contents(connection, tables.values(), database=database)
    noted = {ref: Noted(table.shape, "", rows[ref]) for ref, table in tables.items()}
    large = {ref: hashes(tables[ref], ref.quoted) for ref, now in noted.items() if is_large(now)}
    note_tables(connection, WORKING, batch_id=written_batch(connection) or "", noted=noted, large=large)
