"""What the models read of the settings, written into schema seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    import duckdb

    from pipelines.core.mapping_files import Mappings
    from pipelines.core.settings import Settings

from pipelines.core.mapping_files import read_mappings, seed_rows
from pipelines.stores.warehouse import replace_when_changed

# What the models read of the settings: table -> columns.
SETTINGS_TABLES: Mapping[str, str] = {
    "settings": "today DATE, xgl VARCHAR, closed_period VARCHAR, acknowledge VARCHAR, rate_days INTEGER, "
    "rate_owner INTEGER, rate_type VARCHAR, rate_overwrite BOOLEAN, confirm_bank_changes BOOLEAN, is_dry_run BOOLEAN, "
    "line_currency VARCHAR, rate_tolerance INTEGER, companies_others VARCHAR, "
    "project_dates VARCHAR, months_before INTEGER, months_after INTEGER, first_year INTEGER",
    "companies": "company_code VARCHAR, owner_code INTEGER, link_code INTEGER, payables_account VARCHAR, "
    "receivables_account VARCHAR",
    "vat_accounts": "account VARCHAR",
    "reverse_charge": "vat_code VARCHAR",
    # The mapping files, row by row; a company of NULL is every company without a row of its own.
    "tax_rules": "vat_code VARCHAR, tax_rule VARCHAR, line_no INTEGER, rule_text VARCHAR",
    "account_mapping": "company_code VARCHAR, vms_account VARCHAR, ledger_account VARCHAR, "
    "line_no INTEGER, rule_text VARCHAR",
    "dimension_mapping": "company_code VARCHAR, dimension VARCHAR, source VARCHAR, value VARCHAR, "
    "line_no INTEGER, rule_text VARCHAR",
    "partner_mapping": "vms_partner VARCHAR, ledger_partner VARCHAR, line_no INTEGER, rule_text VARCHAR",
    "accrual_control": "company_code VARCHAR, document_type VARCHAR, account VARCHAR",
    "gl_sign": "company_code VARCHAR, gl_sign VARCHAR",
    "supplier_types": "partner_type_code VARCHAR",
    "customer_types": "partner_type_code VARCHAR",
    "charterer_types": "partner_type_code VARCHAR",
    "broker_types": "partner_type_code VARCHAR",
}


MONTHS_COLUMNS = "month_start DATE, month_end DATE, calendar_year INTEGER, calendar_month INTEGER"


def write_settings(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    *,
    today: date,
    is_dry_run: bool = False,
    mappings: Mappings | None = None,
) -> None:
    """Write what the models need of the settings into schema ``seed``.

    ``mappings`` stand in the place of what the mapping files hold now. Raises SettingsError with all that is wrong in
    the files.
    """
    posting, partners = settings.posting, settings.partners
    rows: dict[str, Sequence[tuple[object, ...]]] = {
        "settings": [_settings_row(settings, today=today, is_dry_run=is_dry_run)],
        "companies": [(c.code, c.owner, c.link, c.payables_account, c.receivables_account) for c in settings.companies],
        "vat_accounts": [(account,) for account in posting.vat_accounts],
        "reverse_charge": [(code,) for code in posting.reverse_charge],
        **dict(seed_rows(read_mappings(settings) if mappings is None else mappings)),
        "accrual_control": [
            (company, document_type, account)
            for company, accounts in sorted(posting.accrual_control.items())
            for document_type, account in sorted(accounts.items())
        ],
        "gl_sign": [(company, str(sign)) for company, sign in sorted(posting.gl_sign.items())],
        "supplier_types": [(code,) for code in partners.supplier_types],
        "customer_types": [(code,) for code in partners.customer_types],
        "charterer_types": [(code,) for code in partners.charterer_types],
        "broker_types": [(code,) for code in partners.broker_types],
    }
    replace_when_changed(
        connection, {f"seed.{table}": (columns, rows[table]) for table, columns in SETTINGS_TABLES.items()}
    )
    connection.execute(
        """
        CREATE TABLE IF NOT EXISTS seed.months AS
        SELECT
            CAST(day AS DATE) AS month_start, last_day(CAST(day AS DATE)) AS month_end,
            CAST(year(day) AS INTEGER) AS calendar_year, CAST(month(day) AS INTEGER) AS calendar_month
        FROM range(TIMESTAMP '2000-01-01', TIMESTAMP '2100-01-01', INTERVAL 1 MONTH) AS months (day)
        """
    )


def _settings_row(settings: Settings, *, today: date, is_dry_run: bool) -> tuple[object, ...]:
    """Return the one row of seed.settings, in the order of its columns."""
    posting, partners, voyages, rates = settings.posting, settings.partners, settings.voyages, settings.rates
    return (
        today,
        posting.xgl,
        posting.closed_period,
        posting.acknowledge,
        rates.days,
        rates.owner,
        rates.type,
        rates.overwrite,
        partners.confirm_bank_changes,
        is_dry_run,
        posting.line_currency,
        posting.rate_tolerance,
        settings.companies_others,
        voyages.project_dates,
        voyages.months_before,
        voyages.months_after,
        posting.first_year,
    )
