"""The tables the models stand on and do not write: read from a connection, or made empty on one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from pipelines.core.table_ref import TableRef, quote
from pipelines.models.model import Columns

if TYPE_CHECKING:
    import duckdb

SCHEMAS = ("stg_vms", "stg_ledger", "seed", "ctl")


def read_external(
    connection: duckdb.DuckDBPyConnection, *, schemas: Collection[str] = SCHEMAS
) -> dict[TableRef, dict[str, str]]:
    """Return the columns of every table of these schemas with their DuckDB types, in the tables' order."""
    rows = connection.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns()"
        # Of this database alone: another file may be attached beside it while the tables are read.
        " WHERE database_name = current_database() ORDER BY schema_name, table_name, column_index"
    ).fetchall()
    found: dict[TableRef, dict[str, str]] = {}
    for schema, table, column, data_type in rows:
        if schema in schemas:
            found.setdefault(TableRef(schema, table), {})[column] = data_type
    return found


def create_tables(connection: duckdb.DuckDBPyConnection, declared: Mapping[TableRef, Columns]) -> None:
    """Create every declared table that is not there yet, empty."""
    for schema in sorted({ref.schema for ref in declared}):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")
    for ref, columns in declared.items():
        listed = ", ".join(f"{quote(name)} {data_type}" for name, data_type in columns.items())
        connection.execute(f"CREATE TABLE IF NOT EXISTS {ref.quoted} ({listed})")
