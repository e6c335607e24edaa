"""What is published, as data: which tables, what is left out or masked, and which tables grow by the month."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from pipelines.core.table_ref import TableRef, quote

DATABASE = "springline.duckdb"
TABLES = "tables"
REPORT = "report.html"
WORKBOOK = "springline.xlsx"
# Of the close: a folder a period and version.
PACKS = "close"

MODEL_SCHEMAS = ("map", "post", "rec", "close")
# Models of this schema are views of the published file over its tables: no batch builds them, no edition copies them.
VIEWS = "analysis"
# Of schema rec, where a table that names a next step is published anyway.
FOR_ANALYSTS = frozenset(
    TableRef("rec", name) for name in ("account_names", "company_names", "document_lines", "open_items")
)
# Of schema ctl in the warehouse; all other tables come from the control store itself.
SENT = ("outbox", "payments", "actuals", "rates")
NOT_PUBLISHED = frozenset({"meta", "cursors", "outbox", "sealed_packs"})
# Whole objects as they came or went: these hold bank accounts, which nobody may read in what is published.
LEFT_OUT: Mapping[str, frozenset[str]] = {"outbox": frozenset({"payload"}), "rejected": frozenset({"body"})}
# Tables of which rows are only added, or changed in their last batch: the column that tells how far they were copied.
GROWING: Mapping[str, str] = {"outbox_events": "event_no", "batches": "batch_id", "steps": "batch_id"}

# Tables that grow with the business: the column by whose month they are parted, one file a month.
PERIODS: Mapping[str, str] = {
    "ctl.batches": "started_at",
    "ctl.outbox": "created_at",
    "ctl.outbox_events": "at",
    "ctl.steps": "started_at",
    "close.accrual_entries": "period_month",
    "close.accrual_months": "period_month",
    "close.accrual_positions": "period_month",
    "close.accrual_rollforward": "period_month",
    "close.accruals_vs_actuals": "period_month",
    "close.voyage_actuals": "period_month",
    "map.actual_groups": "month_start",
    "map.invoice_rows": "due_date",
    "map.subledger_rows": "posted_date",
    "post.actual_changes": "month_start",
    "post.voucher_lines": "voucher_date",
    "post.vouchers": "posted_date",
    "rec.control_accounts": "period_month",
    "rec.control_totals": "document_date",
    "rec.document_lines": "period_month",
    "rec.documents": "period_month",
    "rec.open_items": "due_date",
    "rec.payments": "document_date",
}

# The same, where year and month stand in two columns as numbers.
YEARS_AND_MONTHS: Mapping[str, tuple[str, str]] = {"map.actual_rows": ("period_year", "period_month")}

# Columns that hold bank accounts; one that ends in `_tail` has been cut already.
_BANK_ACCOUNT = re.compile(r"iban|bank_account(?!_tail)|^(?:old|new)_account$")
# Texts of the control store that repeat what another system answered: an account may stand in the middle of one.
_WORDS = frozenset(
    {"accepted_reason", "comment", "detail", "last_error", "message", "next_step", "reason", "summary", "words"}
)
_TIME = re.compile(r"(?:^|_)at$|^since$|^until$")
# An IBAN, and eleven digits that stand alone: a Norwegian account, or a number that looks like one.
_IN_WORDS = (
    r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){1,6} ?[A-Z0-9]{0,3}([A-Z0-9]{4})\b",
    r"\b[0-9]{4}[ .]?[0-9]{2}[ .]?[0-9]([0-9]{4})\b",
)
NOT_BUILT = "Not built yet, so it is empty: springline run reconcile builds it. "
MASKED = "; of it the last four characters"


@dataclass(frozen=True, slots=True)
class TableText:
    """What one row of a table is, and what each column is: these texts become comments in the file.

    ``types`` has the DuckDB type of each column of a model. With it a model that is not built yet is published empty.
    ``query`` is the SELECT of what is a view of the published file; of a table it is empty.
    """

    about: str
    columns: Mapping[str, str]
    types: Mapping[str, str] = field(default_factory=dict)
    query: str = ""


@dataclass(frozen=True, slots=True)
class Edition:
    """One publication: when and by which batch, and when each side was last read (aware UTC; None: never)."""

    published_at: datetime
    batch_id: str
    today: date
    version: str
    as_of_vms: datetime | None
    as_of_ledger: datetime | None


def is_published(ref: TableRef, columns: Collection[str]) -> bool:
    """Tell whether a model is for readers: of rec those with a next step and those for analysts, not the way there."""
    return ref.schema != "rec" or "next_step" in columns or ref in FOR_ANALYSTS


Texts = Mapping[TableRef, TableText]


def repeats_words(ref: TableRef) -> bool:
    """Tell whether a table repeats what people or other systems wrote, where an account may stand in a sentence.

    >>> repeats_words(TableRef("ctl", "breaks")), repeats_words(TableRef("close", "breaks"))
    (True, True)
    """
    return ref.schema == "ctl" or ref == TableRef("close", "breaks")


def is_bank_account(column: str) -> bool:
    """Tell whether a column holds bank accounts, by its name.

    >>> is_bank_account("subledger_bank_account"), is_bank_account("new_account"), is_bank_account("partner_iban")
    (True, True, True)
    >>> is_bank_account("bank_account_tail_vms"), is_bank_account("account")
    (False, False)
    """
    return _BANK_ACCOUNT.search(column) is not None


def control_type(column: str, kind: str) -> str:
    """Return the published type of a column of the control store, where times are text (UTC).

    >>> control_type("sent_at", "TEXT"), control_type("event_no", "INTEGER"), control_type("month", "TEXT")
    ('TIMESTAMP', 'BIGINT', 'VARCHAR')
    """
    if _TIME.search(column):
        return "TIMESTAMP"
    # The accounting day has no time.
    if column == "today":
        return "DATE"
    return "BIGINT" if kind in {"INTEGER", "BIGINT"} else kind.replace("TEXT", "VARCHAR")


def expression(column: str, *, has_words: bool = False) -> str:
    """Return what is published of a column, as SQL: itself, or with bank accounts cut to their last four characters."""
    name = quote(column)
    # In every table, whoever made it: a name is enough.
    if is_bank_account(column):
        return rf"'…' || right(regexp_replace({name}, '\s', '', 'g'), 4)"
    if has_words and column in _WORDS:
        for pattern in _IN_WORDS:
            name = rf"regexp_replace({name}, '{pattern}', '…\1', 'g')"
    return name


def comment(column: str, words: str) -> str:
    """Return a column's comment; one that is masked says so."""
    return f"{words}{MASKED}" if is_bank_account(column) else words


def column_list(columns: Iterable[str]) -> str:
    """Return column names for a statement."""
    return ", ".join(map(quote, columns))


def first_line(error: Exception) -> str:
    """Return the first line of an error; the lines below are excerpts and lists."""
    return str(error).strip().partition("\n")[0]
