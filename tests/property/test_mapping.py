"""The SQL mapping against the plain-Python reference, on generated documents, every field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings

from pipelines.core.table_ref import TableRef
from pipelines.models.build import build
from pipelines.models.model import Catalog
from pipelines.stores.warehouse import insert_rows
from tests.models.conftest import prepare
from tests.property.documents import worlds
from tests.property.reference_mapping import Document, Tenant, map_document
from tests.support.verified import verified_models

COMPANY = "28601"
RULES = (
    "vat_not_at_rate",
    "vat_without_taxed_line",
    "voucher_not_balanced",
    "no_lines",
    "partner_missing",
    "due_date_missing",
    "payment_terms_incomplete",
    "payment_terms_not_100",
    "external_document_no_missing",
    "gl_account_missing",
    "control_account_missing",
    "control_account_on_line",
    "vat_on_gl_document",
    "line_currency_differs",
)

Row = Mapping[str, object]


class Mapper:
    """Builds the posting models over generated documents."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
        self.connection = connection
        self.catalog = catalog
        self.path = _upstream(catalog)

    def map(self, tenant: Tenant, documents: list[Document]) -> None:
        self._set_up(tenant)
        self._put("stg_vms.documents", map(_document_row, documents))
        self._put("stg_vms.document_lines", (row for d in documents for row in _line_rows(d)))
        self._put("stg_vms.document_line_vessel_codes", (row for d in documents for row in _code_rows(d)))
        self._put("stg_vms.document_payment_terms", (row for d in documents for row in _term_rows(d)))
        build(self.connection, self.catalog.models, only=self.path)

    def rows(self, table: str) -> Iterator[dict[str, object]]:
        cursor = self.connection.execute(f"SELECT * FROM {table} ORDER BY ALL")  # noqa: S608 our own names
        names = [column[0] for column in cursor.description or ()]
        return (dict(zip(names, row, strict=True)) for row in cursor.fetchall())

    def _set_up(self, tenant: Tenant) -> None:
        rows: dict[str, list[Row]] = {
            "seed.settings": [
                {"today": tenant.today, "xgl": tenant.xgl, "closed_period": "hold", "is_dry_run": False}
                | {"line_currency": tenant.line_currency, "companies_others": "hold"}
            ],
            "seed.companies": [{"company_code": COMPANY, "owner_code": 28601, "link_code": 28600}],
            "seed.vat_accounts": [{"account": account} for account in tenant.vat_accounts],
            "seed.reverse_charge": [{"vat_code": code} for code in tenant.reverse_charge],
            "seed.tax_rules": [{"vat_code": code, "tax_rule": rule} for code, rule in tenant.tax_rules.items()],
            "seed.accrual_control": [
                {"company_code": COMPANY, "document_type": kind, "account": account}
                for kind, account in tenant.accrual_control.items()
            ],
            "seed.gl_sign": [{"company_code": COMPANY, "gl_sign": tenant.gl_sign}],
            "seed.broker_types": [{"partner_type_code": code} for code in tenant.broker_types],
            "stg_vms.gl_accounts": [
                {"account_key": n, "account_code": f"A{n}", "gl_account": account, "is_revenue": True}
                for n, account in enumerate(tenant.revenue_accounts, 10)
            ],
            "stg_ledger.entities": [{"entity_db_id": 2, "code": COMPANY, "currency_code": "NOK"}],
            "stg_vms.accounts": [
                {"account_key": 1, "account_code": "APX", "gl_account": tenant.payables, "company_code": COMPANY},
                {"account_key": 2, "account_code": "ARX", "gl_account": tenant.receivables},
            ],
        }
        for table, given_rows in rows.items():
            self._put(table, given_rows)

    def _put(self, table: str, rows: Iterable[Row]) -> None:
        names = [column[0] for column in self.connection.execute(f"FROM {table} LIMIT 0").description or ()]
        self.connection.execute(f"TRUNCATE {table}")
        insert_rows(self.connection, table, [[row.get(name) for name in names] for row in rows])


def _upstream(catalog: Catalog) -> set[TableRef]:
    """Return the models that a document's verdicts and voucher need; the others stay empty."""
    needed = {TableRef("post", "document_checks"), TableRef("post", "draft_vouchers")}
    for model in reversed(catalog.models):
        if model.ref in needed:
            needed.update(model.reads)
    return needed


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _document_row(document: Document) -> Row:
    return {
        "document_key": document.key,
        "document_no": document.number,
        "external_document_no": document.external,
        "document_date": document.day,
        "document_amount": _text(document.amount),
        "company_currency_amount": _text(document.company_amount),
        "document_type": document.type,
        "status_code": "RFP",
        "currency_code": document.currency,
        "company_code": COMPANY,
        "company_country_code": document.company_country,
        "company_currency_code": document.company_currency,
        "partner_code": document.partner,
        "partner_name": document.partner_name,
        "partner_country_code": document.partner_country,
        "partner_iban": document.iban,
        "partner_bank_account_no": document.bank_account,
        "gl_account": document.gl_account,
        "fetch_id": "f",
    }


def _line_rows(document: Document) -> Iterator[Row]:
    for line in document.lines:
        yield {
            "document_key": document.key,
            "line_key": line.key,
            "document_amount": _text(line.amount),
            "company_currency_amount": _text(line.company_amount),
            "gl_account": line.account,
            "line_text": line.text,
            "vat_rate": _text(line.vat_rate),
            "vat_code": line.vat_code,
            "partner_code": line.partner,
            "ref_document_no": line.reference,
            "voyage_reference_no": line.voyage,
            "voyage_is_tc": line.is_tc,
            "own_vessel_code": line.own_code,
            "own_pool_code": line.own_pool,
            "vessel_pool_code": line.vessel_pool,
            "currency_code": line.currency,
            "quantity": _text(line.quantity),
            "commission_key": line.commission,
            "partner_type": line.partner_type,
            "account_code": line.account_code,
            "is_revenue": line.is_revenue,
            "accrual_balance_account": line.balance,
            "accrual_asset_account": line.asset,
            "fetch_id": "f",
        }


def _code_rows(document: Document) -> Iterator[Row]:
    for line in document.lines:
        for code in line.codes:
            yield {
                "document_key": document.key,
                "line_key": line.key,
                "code_key": code.key,
                "vessel_code": code.code,
                "fleet_entry_date": code.entry,
                "fleet_exit_date": code.exit,
                "default_company_code": code.company,
                "pool_code": code.pool,
                "fetch_id": "f",
            }


def _term_rows(document: Document) -> Iterator[Row]:
    for term in document.terms:
        yield {
            "document_key": document.key,
            "term_key": term.key,
            "due_date": term.due,
            "percentage": _text(term.percentage),
            "fetch_id": "f",
        }


@pytest.fixture(scope="module")
def mapper() -> Iterator[Mapper]:
    with duckdb.connect() as connection:
        catalog = verified_models()
        prepare(connection, catalog)
        yield Mapper(connection, catalog)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(worlds())
def test_sql_maps_every_field_as_the_reference_does_and_what_is_not_held_balances(
    mapper: Mapper, world: tuple[Tenant, list[Document]]
) -> None:
    tenant, documents = world
    mapper.map(tenant, documents)
    lines: dict[object, list[dict[str, object]]] = {}
    for row in mapper.rows("post.draft_lines"):
        lines.setdefault(row["document_key"], []).append(row)
    checks = {row["document_key"]: row for row in mapper.rows("post.document_checks")}
    for document in documents:
        wanted = map_document(document, tenant)
        assert {rule for rule in RULES if not checks[document.key][f"ok_{rule}"]} == wanted.broken_rules, document
        found = lines.get(document.key, [])
        assert [{name: row[name] for name in line} for row, line in zip(found, wanted.lines, strict=True)] == [
            *wanted.lines
        ], document
    vouchers = {row["document_key"]: row for row in mapper.rows("post.draft_vouchers")}
    for key, check in checks.items():
        if check["ok_voucher_not_balanced"] and check["ok_no_lines"]:
            assert (vouchers[key]["currency_balance"], vouchers[key]["balance"]) == (0, 0)
