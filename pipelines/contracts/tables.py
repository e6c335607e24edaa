"""The staging tables: creates them empty, and widens them when a contract has grown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pipelines.contracts import ledger as ledger_contracts
from pipelines.contracts import vms as vms_contracts
from pipelines.contracts.shape import tables_of
from pipelines.stores.warehouse import columns_of

if TYPE_CHECKING:
    import duckdb

    from pipelines.contracts.contract import Contract

SCHEMAS: Mapping[str, str] = {"vms": "stg_vms", "ledger": "stg_ledger"}
CONTRACTS: Mapping[str, Sequence[Contract]] = {"vms": vms_contracts.ALL, "ledger": ledger_contracts.ALL}

# What fits already, by connection: each step of a batch asks for all forty again, and nobody else changes them.
_fitting: WeakKeyDictionary[duckdb.DuckDBPyConnection, set[str]] = WeakKeyDictionary()


def forget_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Look at all of them again: others have taken their places."""
    _fitting.pop(connection, None)


def create_staging_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create whatever is missing of stg_vms and stg_ledger, so that models find every table before anything landed."""
    for side, contracts in CONTRACTS.items():
        for contract in contracts:
            create_tables(connection, contract, side=side)


def create_tables(connection: duckdb.DuckDBPyConnection, contract: Contract, *, side: str) -> None:
    """Create the tables of one contract, or add the columns it has gained; a table that fits is left alone."""
    fitting = _fitting.setdefault(connection, set())
    for name, columns in tables_of(contract).items():
        table = f"{SCHEMAS[side]}.{name}"
        if table in fitting:
            continue
        present = columns_of(connection, table)
        if not present:
            listed = ", ".join(f"{column} {sql_type}" for column, sql_type in columns)
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMAS[side]}")
            connection.execute(f"CREATE TABLE {table} ({listed})")
        # Only added: a column a contract no longer has stays, with what it had, and nothing reads it.
        for column, sql_type in columns if present else ():
            if column not in present:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {sql_type}")
        fitting.add(table)
