"""A small world for the checks: open documents that meet every rule, and what a test spoils in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, cast

import duckdb

from pipelines.checks.suites import load_rules
from pipelines.core.resources import sql_folder
from pipelines.core.settings import load_settings
from pipelines.step.context import Context
from pipelines.stores.control import Control

if TYPE_CHECKING:
    from pipelines.wire.ledger import LedgerClient
    from pipelines.wire.vms import VmsClient

Values = Mapping[str, object]
SETTINGS = {
    "SPRINGLINE_VMS__BASE_URL": "https://tenant.example/ws/rest",
    "SPRINGLINE_VMS__USERNAME": "api",
    "SPRINGLINE_VMS__PASSWORD": "secret",
    "SPRINGLINE_LEDGER__TOKEN": "token",
}
NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)

# The columns of sql/post/document_checks.sql, and a document that meets every rule; test_columns.py compares the two.
DOCUMENT: dict[str, tuple[str, object]] = {
    "document_key": ("BIGINT", 5200777),
    "document_no": ("VARCHAR", "2707400"),
    "document_type": ("VARCHAR", "INI"),
    "company_code": ("VARCHAR", "28601"),
    "owner_code": ("INTEGER", 28601),
    "partner_code": ("VARCHAR", "60526"),
    "partner_name": ("VARCHAR", "Nordic Agency AS"),
    "partner_type_code": ("VARCHAR", "AG"),
    "partner_iban": ("VARCHAR", "NO9386011117947"),
    "voucher_type": ("VARCHAR", "AP"),
    "currency": ("VARCHAR", "USD"),
    "company_currency": ("VARCHAR", "NOK"),
    "document_date": ("DATE", date(2026, 11, 2)),
    "document_amount": ("DECIMAL(38, 4)", Decimal("1250.00")),
    "external_document_no": ("VARCHAR", "F-881|602243"),
    "invoice_no": ("VARCHAR", "F-881"),
    "x_identifier": ("VARCHAR", "602243"),
    "lines_without_account": ("VARCHAR", None),
    "control_account_finding": ("VARCHAR", "APX of company 28601 has no GL account"),
    "lines_without_contra": ("VARCHAR", None),
    "control_account": ("VARCHAR", "2400"),
    "terms_total": ("DECIMAL(38, 4)", Decimal("100.0000")),
    "vat_difference": ("DECIMAL(38, 4)", Decimal("0.0000")),
    "difference_currency": ("DECIMAL(38, 4)", Decimal("0.0000")),
    "difference_company": ("DECIMAL(38, 4)", Decimal("0.0000")),
    "line_count": ("BIGINT", 4),
    "period_text": ("VARCHAR", "2026-11"),
    "missing_suppliers": ("VARCHAR", None),
    "missing_customers": ("VARCHAR", None),
    "missing_voyages": ("VARCHAR", None),
    "missing_vessels": ("VARCHAR", None),
    "missing_tax_rules": ("VARCHAR", None),
    "missing_accounts": ("VARCHAR", None),
    "missing_dimensions": ("VARCHAR", None),
    "refusal": ("VARCHAR", None),
    "first_year": ("INTEGER", 2000),
    "first_due_date": ("DATE", date(2026, 12, 1)),
    "closed_projects": ("VARCHAR", None),
    "awaited_originals": ("VARCHAR", None),
    "ignored_originals": ("VARCHAR", None),
    "unknown_originals": ("VARCHAR", None),
    "impossible_amounts": ("VARCHAR", None),
    "tax_rule_differences": ("VARCHAR", None),
    "entity_currency": ("VARCHAR", "NOK"),
    "other_documents": ("VARCHAR", None),
}

# The columns of sql/post/draft_lines.sql that the checks read.
LINE: dict[str, tuple[str, object]] = {
    "document_key": ("BIGINT", 5200777),
    "tr_item_number": ("INTEGER", 1),
    "line_kind": ("VARCHAR", "control"),
    "company_code": ("VARCHAR", "28601"),
    "company": ("INTEGER", 28601),
    "voucher_type": ("VARCHAR", "AP"),
    "account": ("VARCHAR", "2400"),
    "currency": ("VARCHAR", "USD"),
    "currency_amount": ("DECIMAL(18, 4)", Decimal("-1250.0000")),
    "amount": ("DECIMAL(18, 4)", Decimal("-13125.0000")),
    "voucher_date": ("DATE", date(2026, 11, 2)),
    "fiscal_year": ("INTEGER", 2026),
    "text": ("VARCHAR", "2707400 Nordic Agency AS"),
    "ext_order_number": ("VARCHAR", "2707400"),
}
CONTROL: Values = {name: value for name, (_, value) in LINE.items()}
DETAIL: Values = {
    **CONTROL,
    "tr_item_number": 2,
    "line_kind": "detail",
    "account": "4300",
    "currency_amount": Decimal("1250.0000"),
    "amount": Decimal("13125.0000"),
    "text": None,
}

VERDICTS = tuple(
    rule for rule in load_rules().rules if rule not in {"kid_invalid", "iban_invalid", "voucher_incomplete"}
)


def document(key: int = 5200777, **values: object) -> dict[str, object]:
    """Return an open document that meets every rule, but for what is named."""
    row = {name: value for name, (_, value) in DOCUMENT.items()} | {f"ok_{rule}": True for rule in VERDICTS}
    if unknown := values.keys() - row.keys():
        raise KeyError(unknown)
    return row | {"document_key": key} | values


def voucher(key: int = 5200777, control: Values | None = None, detail: Values | None = None) -> list[dict[str, object]]:
    """Return the two lines of a voucher the ledger takes, but for what is named."""
    return [
        {**CONTROL, "document_key": key, **(control or {})},
        {**DETAIL, "document_key": key, **(detail or {})},
    ]


class World:
    """A warehouse with documents and voucher lines, and the batch that checks them."""

    def __init__(self, folder: Path) -> None:
        """Open the stores in a folder, or create them."""
        self.warehouse = duckdb.connect(str(folder / "springline.duckdb"))
        for schema in ("map", "post"):
            self.warehouse.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        self.warehouse.execute(
            "CREATE TABLE IF NOT EXISTS map.left_companies (company_code VARCHAR, ready_count BIGINT)"
        )
        self.control = Control(folder / "springline.ctl.sqlite")
        self.ctx = Context(
            batch_id="b1",
            today=date(2026, 11, 2),
            now=lambda: NOW,
            operator="kari",
            settings=load_settings(None, environ=SETTINGS),
            control=self.control,
            warehouse=self.warehouse,
            vms=cast("VmsClient", None),
            ledger=cast("LedgerClient", None),
            report=lambda *_: None,
        )

    def put(self, *documents: Values, lines: list[dict[str, object]] | None = None) -> None:
        """Make these the open documents; without ``lines`` each gets a voucher that the ledger takes."""
        if lines is None:
            lines = [line for row in documents for line in voucher(cast("int", row["document_key"]))]
        columns = {name: kind for name, (kind, _) in DOCUMENT.items()} | {f"ok_{rule}": "BOOLEAN" for rule in VERDICTS}
        self._fill("post.document_checks", columns, documents)
        self._fill("post.draft_lines", {name: kind for name, (kind, _) in LINE.items()}, lines)
        self._fill("map.open_documents", {"document_key": "BIGINT"}, documents)
        # The model itself, as a view, so that it follows what a test changes in the two tables afterwards.
        totals = (sql_folder() / "post" / "draft_totals.sql").read_text(encoding="utf-8")
        self.warehouse.execute(f"CREATE OR REPLACE VIEW post.draft_totals AS {totals}")

    def switch_off(self, *rules: str) -> Context:
        """Return the context of a batch whose settings have switched rules off."""
        off = {"SPRINGLINE_POSTING__RULES_OFF": ",".join(rules)}
        return replace(self.ctx, settings=load_settings(None, environ={**SETTINGS, **off}))

    def batch(self, *, number: int = 1, moment: datetime = NOW, is_dry_run: bool = False) -> Context:
        """Return the context of another batch over the same stores."""
        return replace(self.ctx, batch_id=f"b{number}", now=lambda: moment, is_dry_run=is_dry_run)

    def close(self) -> None:
        """Close both stores."""
        self.warehouse.close()
        self.control.close()

    def _fill(self, table: str, columns: Mapping[str, str], rows: tuple[Values, ...] | list[dict[str, object]]) -> None:
        declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        self.warehouse.execute(f"CREATE OR REPLACE TABLE {table} ({declared})")
        if rows:
            places = ", ".join("?" for _ in columns)
            values = [[row[name] for name in columns] for row in rows]
            self.warehouse.executemany(f"INSERT INTO {table} VALUES ({places})", values)  # noqa: S608 our own names
