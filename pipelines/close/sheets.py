"""The sheets of a period's close: those of the workbook for one month, and the lists that only a close asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.publish.workbook.period_sheets import ACCRUALS, CLOSE, CONTROL_ACCOUNTS, ROLLFORWARD
from pipelines.publish.workbook.sheet import Kind, Sheet, SheetColumn

if TYPE_CHECKING:
    import duckdb

OF_THE_PERIOD = (CLOSE, CONTROL_ACCOUNTS, ROLLFORWARD, ACCRUALS)
# Lists of schema close -> tab and question. The tables between them and the documents are for analysts.
QUESTIONS = {
    "open_documents": ("Open documents", "Which documents of the period have not gone through?"),
    "unreversed_accruals": ("Unreversed accruals", "Which accruals have no reversal?"),
    "untransferred_payments": ("Payments to transfer", "Which payments has the VMS not been told?"),
    "bunker_adjustments": ("Bunker adjustments", "What was adjusted of the bunker stock?"),
    "missing_rates": ("Missing rates", "On which business days is a rate missing?"),
    "late_postings": ("Late postings", "What came into the period after it was sealed?"),
}
# What is not reversed yet comes from months before, too.
CARRIED_OVER = frozenset({"unreversed_accruals"})
FIRST_COLUMNS = ("document_no", "subject", "voyage_no", "rate_date", "currency_code", "company_code")
LAST_COLUMNS = ("reason", "next_step", "as_of_vms", "as_of_ledger")
KINDS: tuple[tuple[str, Kind], ...] = (
    ("DATE", "date"), ("TIMESTAMP", "time"), ("BOOLEAN", "flag"), ("INTEGER", "count"), ("BIGINT", "text"),
    ("DECIMAL(38,18)", "rate"), ("DECIMAL(38,9)", "rate"), ("DECIMAL(18,9)", "share"), ("DECIMAL", "money"),
)  # fmt: skip


def close_sheets(connection: duckdb.DuckDBPyConnection) -> list[Sheet]:
    """Return the sheets of one period, whose first day the query parameter ``period`` gives."""
    sheets = [replace(sheet, where="d.period_month = $period") for sheet in OF_THE_PERIOD]
    tables: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE schema_name = 'close' ORDER BY table_name, column_index"
    ).fetchall():
        tables.setdefault(table, []).append((column, kind))
    sheets += [_sheet_of(table, tables[table]) for table in QUESTIONS if table in tables]
    return sheets


def _sheet_of(table: str, columns: list[tuple[str, str]]) -> Sheet:
    """Make a sheet of a table from nothing but the names and types of its columns."""
    names = [name for name, _ in columns]
    kinds = dict(columns)
    ordered = [name for name in FIRST_COLUMNS if name in names][:1]
    ordered += [name for name in names if name not in {*ordered, *LAST_COLUMNS}]
    ordered += [name for name in LAST_COLUMNS if name in names]
    tab, question = QUESTIONS[table]
    until = "<=" if table in CARRIED_OVER else "="
    return Sheet(
        tab=tab,
        table="".join(word.capitalize() for word in table.split("_")),
        question=question,
        note=f"Of the period; the whole table is close.{table}.",
        source=f"close.{table}",
        columns=tuple(_column(name, kinds[name], names, is_first=name == ordered[0]) for name in ordered),
        where=f"d.period_month {until} $period",
        order=", ".join(f"d.{name}" for name in ordered),
        call=tab.lower(),
    )


def _column(name: str, data_type: str, names: list[str], *, is_first: bool) -> SheetColumn:
    kind: Kind = next((kind for start, kind in KINDS if data_type.startswith(start)), "text")
    if name == "period_month":
        kind = "month"
    if name in {"reason", "next_step", "message"}:
        kind = "words"
    currency = _currency_of(name, names) if kind == "money" else ""
    expression = f"coalesce(CAST(d.{name} AS VARCHAR), 'none')" if is_first and kind == "text" else f"d.{name}"
    return SheetColumn(_heading(name), expression, kind, _heading(currency) if currency else "")


def _currency_of(name: str, names: list[str]) -> str:
    wanted = "company_currency_code" if name.startswith("company_") or "currency_code" not in names else "currency_code"
    return wanted if wanted in names else ""


def _heading(name: str) -> str:
    words = {"reason": "Why", "next_step": "What to do next", "document_no": "Document", "voyage_no": "Voyage"}
    words |= {"currency_code": "Currency", "period_month": "Period"}
    return words.get(name, name.removesuffix("_code").removesuffix("_no").replace("_", " ").capitalize())
