"""Every table the models stand on, as declared: staging contracts, seeds, settings and the control store's copies."""

from __future__ import annotations

from pipelines.contracts.shape import tables_of
from pipelines.contracts.tables import CONTRACTS, SCHEMAS
from pipelines.core.table_ref import TableRef
from pipelines.stores.control_schema import seed_tables, warehouse_columns
from pipelines.stores.settings_tables import MONTHS_COLUMNS, SETTINGS_TABLES


def declared_tables() -> dict[TableRef, dict[str, str]]:
    """Return column names and DuckDB types by table."""
    tables: dict[TableRef, dict[str, str]] = {}
    for side, contracts in CONTRACTS.items():
        for contract in contracts:
            for table, columns in tables_of(contract).items():
                tables[TableRef(SCHEMAS[side], table)] = dict(columns)
    # Settings are declared as text, "name TYPE, name TYPE".
    for table, listed in {**SETTINGS_TABLES, "months": MONTHS_COLUMNS}.items():
        tables[TableRef("seed", table)] = dict(column.split(" ", 1) for column in listed.split(", "))
    for table, listing in warehouse_columns().items():
        tables[TableRef("ctl", table)] = dict(listing)
    for table, declared in seed_tables().items():
        tables[TableRef("seed", table)] = dict(declared.types)
    return tables
