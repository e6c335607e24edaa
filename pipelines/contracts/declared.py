"""Every table the models stand on, as declared: staging contracts, seeds, settings and the control store's copies."""

from __future__ import annotations

from pipelines.contracts import ledger as ledger_contracts
from pipelines.contracts import vms as vms_contracts
from pipelines.contracts.shape import child_columns, parent_columns
from pipelines.core.table_ref import TableRef
from pipelines.stores.control_schema import warehouse_columns
from pipelines.stores.seeds import SEEDS
from pipelines.stores.settings_tables import MONTHS_COLUMNS, SETTINGS_TABLES


def declared_tables() -> dict[TableRef, dict[str, str]]:
    """Return column names and DuckDB types by table."""
    tables: dict[TableRef, dict[str, str]] = {}
    for schema, contracts in (("stg_vms", vms_contracts.ALL), ("stg_ledger", ledger_contracts.ALL)):
        for contract in contracts:
            tables[TableRef(schema, contract.table)] = dict(parent_columns(contract))
            for children in contract.children:
                tables[TableRef(schema, children.table)] = dict(child_columns(contract, children))
    for table, listed in {**SETTINGS_TABLES, "months": MONTHS_COLUMNS}.items():
        tables[TableRef("seed", table)] = dict(_split(column) for column in listed.split(", "))
    for table, columns in warehouse_columns().items():
        tables[TableRef("ctl", table)] = dict(columns)
    for table, types in SEEDS.items():
        tables[TableRef("seed", table)] = dict(types)
    return tables


def _split(column: str) -> tuple[str, str]:
    name, _, data_type = column.partition(" ")
    return name, data_type
