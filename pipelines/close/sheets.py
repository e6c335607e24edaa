"""The workbook of a period's close: sheets of the daily one for one month, and lists that only a close asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.publish.steps import SHEETS, Kind, Sheet, SheetColumn, write_sheets

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import duckdb

OF_THE_PERIOD = ("Close", "Control accounts", "Accrual roll-forward", "Accruals v actuals")
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
CARRIED_OVER = frozenset({"close.unreversed_accruals"})
FIRST_COLUMNS = ("document_no", "subject", "voyage_no", "rate_date", "currency_code", "company_code")
LAST_COLUMNS = ("reason", "next_step", "as_of_vms", "as_of_ledger")
KIND_BY_NAME: dict[str, Kind] = {"period_month": "month", "reason": "words", "next_step": "words", "message": "words"}
HEADINGS = {"reason": "Why", "next_step": "What to do next", "period_month": "Period"}
# What a column of a type shows; the first that fits: a DECIMAL of other digits is an amount.
KINDS: tuple[tuple[str, Kind], ...] = (
    ("DATE", "date"), ("TIMESTAMP", "time"), ("BOOLEAN", "flag"), ("INTEGER", "count"), ("BIGINT", "text"),
    ("DECIMAL(38,18)", "rate"), ("DECIMAL(38,9)", "rate"), ("DECIMAL(18,9)", "share"), ("DECIMAL", "money"),
)  # fmt: skip


def of_period(table: str, month: str) -> str:
    """Return the condition of a table's rows that belong to a period; ``month`` is its first day, as SQL."""
    return f"period_month {'<=' if table in CARRIED_OVER else '='} {month}"


def write_close_workbook(
    connection: duckdb.DuckDBPyConnection, path: Path, period: date, *, state: str, standing: str
) -> None:
    """Write the workbook of one period's close to ``path``; ``period`` is the first day of its month.

    ``standing`` says whether it is a draft, who drew it up and who sealed it; ``state`` does in a word, on every page.
    """
    title = f"Springline close of {period:%B %Y}, {state}: what to look at"
    write_sheets(
        connection,
        path,
        close_sheets(connection),
        title=title,
        day=period,
        parameters={"period": period},
        standing=standing,
    )


def close_sheets(connection: duckdb.DuckDBPyConnection) -> list[Sheet]:
    """Return the sheets of one period, whose first day the query parameter ``period`` gives."""
    # The same sheets that the daily workbook has: who knows one knows the other.
    by_tab = {sheet.tab: sheet for sheet in SHEETS}
    sheets = [replace(by_tab[tab], where=f"d.{of_period(by_tab[tab].source, '$period')}") for tab in OF_THE_PERIOD]
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE schema_name = 'close' ORDER BY table_name, column_index"
    ).fetchall():
        tables.setdefault(table, {})[column] = kind
    sheets += [_sheet_of(table, tables[table]) for table in QUESTIONS if table in tables]
    return sheets


def _sheet_of(table: str, types: Mapping[str, str]) -> Sheet:
    """Make a sheet of a table from nothing but the names and types of its columns."""
    ordered = [name for name in FIRST_COLUMNS if name in types][:1]
    ordered += [name for name in types if name not in {*ordered, *LAST_COLUMNS}]
    ordered += [name for name in LAST_COLUMNS if name in types]
    tab, question = QUESTIONS[table]
    return Sheet(
        tab=tab,
        table="".join(word.capitalize() for word in table.split("_")),
        question=question,
        note=f"Of the period; the whole table is close.{table}.",
        source=f"close.{table}",
        columns=tuple(_column(name, types, is_first=name == ordered[0]) for name in ordered),
        where=of_period(f"close.{table}", "$period"),
        order=", ".join(f"d.{name}" for name in ordered),
        call=tab.lower(),
    )


def _column(name: str, types: Mapping[str, str], *, is_first: bool) -> SheetColumn:
    by_type: Kind = next((kind for start, kind in KINDS if types[name].startswith(start)), "text")
    kind = KIND_BY_NAME.get(name, by_type)
    currency = _currency_of(name, types) if kind == "money" else ""
    # The first column is never empty: the formula that counts the rows a filter leaves counts its cells.
    expression = f"coalesce(CAST(d.{name} AS VARCHAR), 'none')" if is_first and kind == "text" else f"d.{name}"
    return SheetColumn(_heading(name), expression, kind, _heading(currency) if currency else "")


def _currency_of(name: str, types: Mapping[str, str]) -> str:
    """Return the column with the currency of an amount, by how both are named; nothing where there is none."""
    is_company = name.startswith("company_") or "currency_code" not in types
    currency = "company_currency_code" if is_company else "currency_code"
    return currency if currency in types else ""


def _heading(name: str) -> str:
    """Return a column's heading; one that has none of its own is named as the column is."""
    return HEADINGS.get(name, name.removesuffix("_code").removesuffix("_no").replace("_", " ").capitalize())
