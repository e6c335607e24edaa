"""The tables that the workbook and the report read, with exactly the columns others rely on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipelines.stores.warehouse import insert_rows

if TYPE_CHECKING:
    import duckdb

Row = Mapping[str, object]
World = Mapping[str, Sequence[Row]]

COMMON = (
    "state VARCHAR, reason VARCHAR, next_step VARCHAR, is_break BOOLEAN, as_of_vms TIMESTAMP, as_of_ledger TIMESTAMP, "
    "age_days INTEGER"
)
MONEY, RATE = "DECIMAL(38,4)", "DECIMAL(38,18)"

TABLES: Mapping[str, str] = {
    "rec.documents": "subject VARCHAR, document_key BIGINT, document_no VARCHAR, document_type VARCHAR, "
    "company_code VARCHAR, owner_code INTEGER, partner_code VARCHAR, partner_name VARCHAR, document_date DATE, "
    "period_month DATE, currency_code VARCHAR, company_currency_code VARCHAR, status_vms VARCHAR, outbox_state VARCHAR, "
    "voucher_no_ledger BIGINT, header_db_id BIGINT, posted_date_ledger DATE, import_state_ledger VARCHAR, "
    f"import_error_ledger VARCHAR, amount_vms {MONEY}, amount_ledger {MONEY}, amount_difference {MONEY}, "
    f"company_amount_vms {MONEY}, company_amount_ledger {MONEY}, company_amount_difference {MONEY}, drift VARCHAR, "
    + COMMON
    + ", side VARCHAR",
    "rec.payments": "subject VARCHAR, document_key BIGINT, document_no VARCHAR, document_type VARCHAR, "
    "company_code VARCHAR, owner_code INTEGER, side VARCHAR, partner_code VARCHAR, partner_name VARCHAR, "
    f"invoice_no VARCHAR, currency_code VARCHAR, document_date DATE, due_date DATE, amount_vms {MONEY}, "
    f"paid_vms {MONEY}, open_vms {MONEY}, amount_ledger {MONEY}, paid_ledger {MONEY}, netted_ledger {MONEY}, "
    f"open_ledger {MONEY}, paid_difference {MONEY}, last_payment_date DATE, days_overdue INTEGER, "
    + COMMON
    + ", overdue_bucket VARCHAR",
    "rec.open_items": "document_key BIGINT, item_no INTEGER, owner_code INTEGER, side VARCHAR, is_booked BOOLEAN, "
    f"due_date DATE, currency_code VARCHAR, open_amount {MONEY}, company_currency_code VARCHAR, "
    f"open_company_amount {MONEY}, days_overdue INTEGER, overdue_bucket VARCHAR",
    "rec.company_names": "owner_code INTEGER, company_code VARCHAR, company_name VARCHAR, company_currency_code VARCHAR",
    "rec.account_names": "owner_code INTEGER, account VARCHAR, account_name VARCHAR, is_balance_sheet BOOLEAN",
    "map.wanted_projects": "code VARCHAR, description VARCHAR, vessel_code VARCHAR",
    "analysis.ageing_by_partner": "owner_code INTEGER, company_code VARCHAR, company_name VARCHAR, side VARCHAR, "
    "partner_code VARCHAR, partner_name VARCHAR, currency_code VARCHAR, item_count INTEGER, "
    f"not_due {MONEY}, overdue_1_to_30 {MONEY}, overdue_31_to_60 {MONEY}, overdue_61_to_90 {MONEY}, "
    f"overdue_over_90 {MONEY}, without_due_date {MONEY}, open_in_all {MONEY}, company_currency_code VARCHAR, "
    f"company_open_in_all {MONEY}, company_overdue {MONEY}, longest_days_overdue INTEGER",
    "analysis.voyage_results": "owner_code INTEGER, company_code VARCHAR, company_name VARCHAR, voyage_no VARCHAR, "
    "voyage_name VARCHAR, vessel_code VARCHAR, vessel_name VARCHAR, company_currency_code VARCHAR, "
    f"revenue_booked {MONEY}, cost_booked {MONEY}, result_booked {MONEY}, result_accrued {MONEY}, "
    f"revenue_not_booked {MONEY}, cost_not_booked {MONEY}, result_with_not_booked {MONEY}",
    "rec.exchange_rates": "rate_date DATE, from_currency_code VARCHAR, to_currency_code VARCHAR, "
    f"rate_ledger {RATE}, rate_vms {RATE}, relative_difference {RATE}, " + COMMON,
    "rec.partners": "side VARCHAR, owner_code INTEGER, partner_code VARCHAR, name_vms VARCHAR, name_ledger VARCHAR, "
    "bank_account_tail_vms VARCHAR, bank_account_tail_ledger VARCHAR, differing_fields VARCHAR, " + COMMON,
    "rec.voyages": "kind VARCHAR, owner_code INTEGER, code VARCHAR, description_vms VARCHAR, "
    "description_ledger VARCHAR, from_date_vms DATE, from_date_ledger DATE, to_date_vms DATE, to_date_ledger DATE, "
    "vessel_code_vms VARCHAR, vessel_code_ledger VARCHAR, differing_fields VARCHAR, " + COMMON,
    "rec.control_totals": "document_date DATE, company_code VARCHAR, document_type VARCHAR, count_vms INTEGER, "
    f"count_ledger INTEGER, company_amount_vms {MONEY}, company_amount_ledger {MONEY}, count_difference INTEGER, "
    f"company_amount_difference {MONEY}, company_currency_code VARCHAR, " + COMMON,
    "rec.control_accounts": "owner_code INTEGER, control_account VARCHAR, currency_code VARCHAR, period_month DATE, "
    f"open_vms {MONEY}, balance_ledger {MONEY}, ledger_only {MONEY}, in_transit {MONEY}, difference {MONEY}, "
    f"revaluation_company {MONEY}, balance_company_ledger {MONEY}, gl_balance_company {MONEY}, company_code VARCHAR, "
    "company_currency_code VARCHAR, " + COMMON,
    "rec.breaks": "kind VARCHAR, subject VARCHAR, company_code VARCHAR, document_key BIGINT, document_no VARCHAR, "
    f"period_month DATE, currency_code VARCHAR, amount {MONEY}, message VARCHAR, next_step VARCHAR, figures VARCHAR",
    "close.accrual_rollforward": "family VARCHAR, company_code VARCHAR, voyage_no VARCHAR, account VARCHAR, "
    f"period_month DATE, company_currency_code VARCHAR, opening {MONEY}, posted {MONEY}, reversed {MONEY}, closing {MONEY}, "
    f"unreversed_amount {MONEY}, state VARCHAR, reason VARCHAR, next_step VARCHAR",
    "close.accruals_vs_actuals": "company_code VARCHAR, voyage_no VARCHAR, account VARCHAR, period_month DATE, "
    f"company_currency_code VARCHAR, estimate_to_date {MONEY}, actual_to_date {MONEY}, accrual_posted {MONEY}, "
    f"capitalised {MONEY}, accrual_recomputed {MONEY}, difference {MONEY}, earlier_accrued {MONEY}, confirmed_amount {MONEY}, "
    "hit_rate DECIMAL(18,9), state VARCHAR, reason VARCHAR",
    "close.breaks": "period_month DATE, kind VARCHAR, subject VARCHAR, company_code VARCHAR, document_key BIGINT, "
    "document_no VARCHAR, voyage_no VARCHAR, account VARCHAR, partner_code VARCHAR, partner_name VARCHAR, "
    f"amount {MONEY}, currency_code VARCHAR, company_amount {MONEY}, company_currency_code VARCHAR, reason VARCHAR, "
    "next_step VARCHAR, since TIMESTAMP, age_days INTEGER, is_accepted BOOLEAN, accepted_by VARCHAR, "
    "accepted_at TIMESTAMP, accepted_reason VARCHAR, break_id BIGINT, rank_no INTEGER",
    "ctl.batches": "batch_id VARCHAR, started_at VARCHAR, ended_at VARCHAR, today VARCHAR, jobs VARCHAR, "
    "operator VARCHAR, exit_code INTEGER, summary VARCHAR",
    "ctl.outbox": "id VARCHAR, kind VARCHAR, natural_key VARCHAR, target VARCHAR, company_code VARCHAR, "
    "owner_code INTEGER, document_key BIGINT, document_no VARCHAR, state VARCHAR, attempts INTEGER, "
    "last_error VARCHAR, batch_id VARCHAR, created_at VARCHAR, updated_at VARCHAR, sent_at VARCHAR",
    "ctl.holds": "hold_id BIGINT, company VARCHAR, document_key BIGINT, document_no VARCHAR, rule VARCHAR, "
    "severity VARCHAR, message VARCHAR, since VARCHAR, until VARCHAR, batch_id VARCHAR",
    "ctl.rejected": "rejected_id BIGINT, side VARCHAR, entity VARCHAR, object_key VARCHAR, document_no VARCHAR, "
    "member VARCHAR, message VARCHAR, since VARCHAR, until VARCHAR, batch_id VARCHAR",
    "ctl.breaks": "break_id BIGINT, kind VARCHAR, subject VARCHAR, company VARCHAR, document_key BIGINT, "
    "document_no VARCHAR, message VARCHAR, next_step VARCHAR, figures_hash VARCHAR, since VARCHAR, until VARCHAR, "
    "accepted_by VARCHAR, accepted_at VARCHAR, accepted_hash VARCHAR, comment VARCHAR, batch_id VARCHAR, "
    "accepted_reason VARCHAR",
    "ctl.closes": "period VARCHAR, state VARCHAR, version BIGINT",
    "ctl.seals": "period VARCHAR, version BIGINT, sealed_at TIMESTAMP, sealed_by VARCHAR",
    "ctl.close_events": 'period VARCHAR, version BIGINT, "at" TIMESTAMP, operator VARCHAR, action VARCHAR, reason VARCHAR',
}


def lay(connection: duckdb.DuckDBPyConnection, world: World) -> None:
    """Create every table and fill it; what a row does not name is NULL. Raises KeyError for a column nobody has."""
    for schema in dict.fromkeys(table.partition(".")[0] for table in TABLES):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    for table, columns in TABLES.items():
        connection.execute(f"CREATE OR REPLACE TABLE {table} ({columns})")
        names = column_names(columns)
        rows = world.get(table, ())
        if unknown := {name for row in rows for name in row} - set(names):
            raise KeyError(f"{table}: {sorted(unknown)}")
        insert_rows(connection, table, [tuple(row.get(name) for name in names) for row in rows])


def column_names(columns: str) -> list[str]:
    """Return the names of a column list; the comma inside DECIMAL(38,4) has no blank behind it."""
    return [column.split(" ", 1)[0].strip('"') for column in columns.split(", ")]
