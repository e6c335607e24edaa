"""Writes what a dry run would send and hold, for an accountant to compare: as a workbook, CSV or Parquet."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from pipelines.core.errors import UsageError
from pipelines.core.literals import literal
from pipelines.publish.workbook.sheet import Kind, Sheet, SheetColumn
from pipelines.publish.workbook.workbook import whole_file, write_sheets
from pipelines.questions.csv_file import line_of
from pipelines.stores.control import named_statements

if TYPE_CHECKING:
    from pipelines.step.context import Context

# A first day may have thousands of vouchers, and every line of them is to be compared.
MOST_LINES = 200_000
_PAGE = 10_000
_COMPANY = "Company currency"


class _Part(NamedTuple):
    """One table of the output: its statement in sql/questions/dry_run.sql, and what its sheet says."""

    statement: str
    tab: str
    question: str
    note: str
    call: str
    alarm: tuple[str, ...]
    measure: str
    columns: tuple[tuple[str, str, Kind, str], ...]


# Heading, column, kind, and the heading of the currency of an amount.
_DOCUMENT: tuple[tuple[str, str, Kind, str], ...] = (
    ("Document", "document_no", "text", ""),
    ("Type", "document_type", "text", ""),
    ("Company", "company_code", "text", ""),
)
_AMOUNTS: tuple[tuple[str, str, Kind, str], ...] = (
    ("Currency", "currency_code", "text", ""),
    ("Amount", "amount", "money", "Currency"),
    (_COMPANY, "company_currency_code", "text", ""),
    ("Company amount", "company_amount", "money", _COMPANY),
)
_VOUCHERS = _Part(
    statement="output_vouchers",
    tab="Vouchers",
    question="Which vouchers would be sent?",
    note="One row is a line of a voucher, debit positive: the lines of each come to nothing. The ledger gives the "
    "voucher number when it books; until then the import number names it. A warning stands on the first line.",
    call="vouchers that go with a warning",
    alarm=("Warning", "<>"),
    measure="",
    columns=(
        *_DOCUMENT,
        ("Partner", "partner_code", "text", ""),
        ("Partner name", "partner_name", "text", ""),
        ("Invoice number", "invoice_no", "text", ""),
        ("KID", "kid", "text", ""),
        ("Bank account", "bank_account", "text", ""),
        ("Document date", "document_date", "date", ""),
        ("Posting date", "posted_date", "date", ""),
        ("Due date", "due_date", "date", ""),
        ("Line", "line_no", "count", ""),
        ("Line kind", "line_kind", "text", ""),
        ("Account", "account", "text", ""),
        ("Subledger", "subledger_no", "text", ""),
        *_AMOUNTS,
        ("Cost centre", "posting1", "text", ""),
        ("Project", "posting2", "text", ""),
        ("Location", "posting3", "text", ""),
        ("XGL", "xgl", "text", ""),
        ("Tax rule", "tax_rule", "text", ""),
        ("Text", "line_text", "text", ""),
        ("Entity", "CAST(d.owner_code AS VARCHAR)", "text", ""),
        ("Voucher", "voucher_type", "text", ""),
        ("Import number", "import_no", "text", ""),
        ("Voucher number", "voucher_no", "text", ""),
        ("Goes after", "goes_after", "text", ""),
        ("Warning", "warnings", "words", ""),
        ("Filled by mapping files", "mapping_rules", "words", ""),
    ),
)
_HELD = _Part(
    statement="output_held",
    tab="Held",
    question="What would be held, and why?",
    note="One row is a rule, or a person, that keeps a document back; once that is gone, the next run lets it go. The "
    "amount stands on the first row of a document.",
    call="reasons why documents would be held",
    alarm=(),
    measure="",
    columns=(
        ("Document", "document_no", "text", ""),
        ("Partner name", "partner_name", "text", ""),
        ("Currency", "currency_code", "text", ""),
        ("Amount", "amount", "money", "Currency"),
        ("Why", "why", "words", ""),
        ("What to do next", "next_step", "words", ""),
        ("Type", "document_type", "text", ""),
        ("Company", "company_code", "text", ""),
        ("Partner", "partner_code", "text", ""),
        ("Document date", "document_date", "date", ""),
        ("External number", "external_document_no", "text", ""),
        *_AMOUNTS[2:],
        ("Rule", "rule", "text", ""),
        ("Held since (UTC)", "held_since", "time", ""),
    ),
)


def write_output(ctx: Context, path: Path) -> tuple[Path, ...]:
    """Write what the dry run ``ctx`` would send and hold; return the files: a workbook has both, else each has its own.

    Bank accounts stand there in full, as they would be sent. UsageError when a file cannot be written.
    """
    kind = path.suffix.lower()
    try:
        if kind == ".xlsx":
            _write_workbook(ctx, path)
            return (path,)
        files = (path, path.with_name(f"{path.stem}-held{path.suffix}"))
        for file, part in zip(files, (_VOUCHERS, _HELD), strict=True):
            with whole_file(file) as unfinished:
                (_write_csv if kind == ".csv" else _write_parquet)(ctx.warehouse, _sql(part), unfinished)
    except (OSError, duckdb.IOException) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error).partition("\n")[0]
        raise UsageError(
            f"{path} cannot be written: {reason}.", next_step="name a file in a folder you may write to."
        ) from error
    return files


def _write_csv(connection: duckdb.DuckDBPyConnection, sql: str, file: Path) -> None:
    # Not by COPY, which guards no spreadsheet against the texts of others.
    answer = connection.execute(sql)
    with file.open("w", encoding="utf-8", newline="") as target:
        target.write(line_of([column for column, *_ in answer.description or ()]))
        while page := answer.fetchmany(_PAGE):
            target.writelines(map(line_of, page))


def _write_parquet(connection: duckdb.DuckDBPyConnection, sql: str, file: Path) -> None:
    connection.execute(f"COPY ({sql}) TO {literal(file)} (FORMAT parquet, COMPRESSION zstd)")


def _write_workbook(ctx: Context, path: Path) -> None:
    write_sheets(
        ctx.warehouse,
        path,
        [_sheet(part) for part in (_VOUCHERS, _HELD)],
        title=f"Dry run of {ctx.today.day} {ctx.today:%B %Y}: what would be sent, and what would be held",
        day=ctx.today,
        parameters={},
        most=MOST_LINES,
        read_at="Nothing was sent: this is what a run would do with what both sides have now.",
        nothing="No document would be held, and none goes with a warning.",
        how_to_read=(
            "Every sheet is a table: filter and sort it as you like; the totals above it are of the rows shown.",
            "Nothing of this is kept, and nobody else sees it: the next dry run tells anew what both sides have then.",
        ),
    )


def _sheet(part: _Part) -> Sheet:
    """Make a sheet in the manner of the daily workbook, whose readers know their way in it."""
    columns = tuple(
        SheetColumn(heading, column if "(" in column else f"d.{column}", kind, currency)
        for heading, column, kind, currency in part.columns
    )
    return Sheet(
        tab=part.tab,
        table=f"DryRun{part.tab}",
        question=part.question,
        note=part.note,
        source="the dry run",
        columns=columns,
        rows=f"({_sql(part)}) AS d",
        # The statement is in order already, and a sheet has to name one.
        order="ALL" if part is _HELD else "d.goes_after IS NOT NULL, CAST(d.import_no AS BIGINT), d.line_no",
        measure=part.measure,
        alarm=part.alarm,
        call=part.call,
        beyond="what springline run --dry-run --output writes as .csv or .parquet",
    )


def _sql(part: _Part) -> str:
    # Without its semicolon, and without what is said of the next statement behind it.
    return re.sub(r";\s*(?:--.*\s*)*\Z", "", named_statements("dry_run", folder="questions")[part.statement])
