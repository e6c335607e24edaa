"""Every table the models stand on, as declared: staging contracts, seeds, settings and the control store's copies."""

from __future__ import annotations

from pipelines.contracts.shape import tables_of
from pipelines.contracts.tables import CONTRACTS, SCHEMAS
from pipelines.core.table_ref import TableRef
from pipelines.stores.control_copy import CONTROL_TABLES, CURSORS_COLUMNS
from pipelines.stores.seals import SEALED_TABLES
from pipelines.stores.seeds import SEEDS
from pipelines.stores.sent_objects import SENT_TABLES
from pipelines.stores.settings_tables import MONTHS_COLUMNS, SETTINGS_TABLES


def declared_tables() -> dict[TableRef, dict[str, str]]:
    """Return column names and DuckDB types by table."""
    tables: dict[TableRef, dict[str, str]] = {}
    for side, contracts in CONTRACTS.items():
        for contract in contracts:
            for table, columns in tables_of(contract).items():
                tables[TableRef(SCHEMAS[side], table)] = dict(columns)
    # These rooms declare their columns as text, "name TYPE, name TYPE".
    listed = {
        **{("seed", table): columns for table, columns in SETTINGS_TABLES.items()},
        ("seed", "months"): MONTHS_COLUMNS,
        ("ctl", "cursors"): CURSORS_COLUMNS,
        **{("ctl", table): columns for table, columns in CONTROL_TABLES.items()},
        **{("ctl", table): columns for table, columns in SENT_TABLES.items()},
        **{("ctl", table): columns for table, columns in SEALED_TABLES.items()},
    }
    for (schema, table), listing in listed.items():
        tables[TableRef(schema, table)] = dict(_split(column) for column in listing.split(", "))
    for table, types in SEEDS.items():
        tables[TableRef("seed", table)] = dict(types)
    return tables


def _split(column: str) -> tuple[str, str]:
    name, _, data_type = column.partition(" ")
    return name, data_type
