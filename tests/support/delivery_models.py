"""The models of master-data changes as tables, filled by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.load.ledger.master_data import STAGES

if TYPE_CHECKING:
    import duckdb

# What the ledger shows of it again.
SHOWN = (
    "description VARCHAR, company_number VARCHAR, tax_number VARCHAR, street_address VARCHAR, zip_code VARCHAR, "
    "place VARCHAR, country_code VARCHAR, email VARCHAR, bank_account VARCHAR"
)
PARTNER = f"{SHOWN}, swift VARCHAR"
HEAD = "natural_key VARCHAR, action VARCHAR, ledger_db_id BIGINT, owner_code INTEGER, code VARCHAR"
MODELS = {
    "post.company_changes": "description VARCHAR, company_number VARCHAR, tax_number VARCHAR, email VARCHAR, "
    "country_code VARCHAR",
    "post.supplier_changes": f"{PARTNER}, bank_routing VARCHAR",
    "post.customer_changes": f"company_db_id BIGINT, {PARTNER}",
    "post.cost_centre_changes": "description VARCHAR, definition_db_id BIGINT",
    "post.project_changes": "description VARCHAR, from_date DATE, to_date DATE, vessel_code VARCHAR",
}


def create_models(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Create the models of every stage, and what is landed of the rows they compare with."""
    for stage in STAGES:
        warehouse.execute(f"CREATE TABLE {stage.model} ({HEAD}, {MODELS[stage.model]})")
        warehouse.execute(f"CREATE TABLE {stage.staging} ({stage.db_id} BIGINT, content_hash VARCHAR)")
    warehouse.execute(f"CREATE TABLE map.ledger_partners (side VARCHAR, db_id BIGINT, {SHOWN})")


def change(
    warehouse: duckdb.DuckDBPyConnection,
    model: str,
    code: str,
    *,
    action: str = "add",
    db_id: int | None = None,
    owner: int = 28600,
    **columns: object,
) -> None:
    """Let a model want something."""
    key = f"{owner}:{code}"
    head = {"natural_key": key, "action": action, "ledger_db_id": db_id, "owner_code": owner, "code": code}
    row = {**head, **columns}
    warehouse.execute(f"INSERT INTO {model} BY NAME SELECT UNNEST(?)", [row])
