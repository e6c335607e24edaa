"""What a dry run would send and hold as files: a line a row, decimals exact, bank accounts and numbers in full."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import duckdb
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from pipelines.checks import frames
from pipelines.core.errors import UsageError
from pipelines.questions.dry_run import check_output
from pipelines.questions.dry_run_files import write_output
from tests.support.publish_cells import headings, table_of, totals

if TYPE_CHECKING:
    from pipelines.step.context import Context

TABLES = """
CREATE SCHEMA post; CREATE SCHEMA map; CREATE SCHEMA ctl;
CREATE TABLE post.draft_vouchers AS SELECT * FROM (VALUES
    (1, '2706001', 'INI', '28601', 28601, 'AP', '60501', 'Agent AS', 'F-1', '0001234', DATE '2026-10-01',
     DATE '2026-10-01', CAST(100.00 AS DECIMAL(38,4)), CAST(1000.00 AS DECIMAL(38,4)), 'NOK'),
    (2, '2706002', 'INI', '28601', 28601, 'AP', '60501', 'Agent AS', 'F-2', NULL, DATE '2026-10-02',
     DATE '2026-10-02', 5.00, 50.00, 'NOK'),
    (3, 'ACR-1', 'ACR', '28601', 28601, 'GL', NULL, NULL, NULL, NULL, DATE '2026-10-01', DATE '2026-10-01', 1.00,
     1.00, 'NOK')
) AS v (document_key, document_no, document_type, company_code, owner_code, voucher_type, partner_code, partner_name,
    invoice_no, x_identifier, document_date, posted_date, currency_amount, amount, company_currency);
CREATE TABLE post.draft_lines AS SELECT * FROM (VALUES
    (3, 1, 'control', 3, '2990', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'USD', CAST(-1.00 AS DECIMAL(38,4)),
     CAST(-1.00 AS DECIMAL(38,4)), 'ACR-1', NULL),
    (1, 2, 'detail', 1, '4300', NULL, NULL, 'V001', 'V001-1', 'FS', 'TC', '1', NULL, 'USD', 100.00, 1000.00, 'Tugs',
     NULL),
    (1, 1, 'control', 1, '2400', '60501', '86011117947', NULL, NULL, NULL, NULL, NULL, DATE '2026-11-01', 'USD',
     -100.00, -1000.00, '2706001 Agent AS', 'account by gl_accounts.csv line 2')
) AS v (document_key, tr_item_number, line_kind, voucher_no, account, subledger_no, subledger_bank_account, posting1,
    posting2, posting3, xgl, tax_rule, due_date, currency, currency_amount, amount, text, mapping_rules);
CREATE TABLE map.reversal_originals AS SELECT 3 AS document_key, 'ACP-1' AS original_no, 'waits' AS state;
CREATE TABLE map.open_documents AS SELECT document_key, document_no, document_type, company_code, partner_code,
    partner_name, document_date, invoice_no AS external_document_no, 'USD' AS currency_code,
    currency_amount AS document_amount,
    'NOK' AS company_currency_code, amount AS company_currency_amount FROM post.draft_vouchers;
CREATE TABLE ctl.rejected AS SELECT * FROM (VALUES
    ('vms', 'Document', '7', '2708101', 'documentAmount is text.', '2026-10-05T08:00:00.000000+00:00', NULL),
    ('vms', 'Document', '8', '2708102', 'it was text.', '2026-10-05T08:00:00.000000+00:00', '2026-10-06'),
    ('vms', 'Vessel', '9', NULL, 'no key.', '2026-10-05T08:00:00.000000+00:00', NULL)
) AS v (side, entity, object_key, document_no, message, since, until);
"""
SINCE = "2026-10-05T08:00:00.000000+00:00"
HOLDS = [
    (2, "gl_account_missing", "critical", "A line has no GL account.", "In the VMS, set it.", SINCE),
    (2, "voyage_missing", "critical", "A voyage is missing. " * 30, "In Xledger, create the project.", SINCE),
    (1, "kid_invalid", "warning", "KID is not valid.", "In the VMS, compare it.", SINCE),
    # A reversal that waits for what goes in the same run is held and goes all the same.
    (3, "original_not_sent", "critical", "It waits.", "", SINCE),
]


@pytest.fixture
def ctx() -> Context:
    """Give a dry run of three documents of which one would be held."""
    warehouse = duckdb.connect()
    warehouse.execute(TABLES)
    frames.note_ready(warehouse, [1, 3])
    frames.note_held(warehouse, HOLDS)
    return cast("Context", SimpleNamespace(warehouse=warehouse, today=date(2026, 11, 2)))


def test_csv_has_a_file_for_what_goes_and_one_for_what_is_held(ctx: Context, tmp_path: Path) -> None:
    files = write_output(ctx, tmp_path / "vouchers.csv")
    assert [file.name for file in files] == ["vouchers.csv", "vouchers-held.csv"]
    lines, held = (list(csv.DictReader(file.read_text("utf-8").splitlines())) for file in files)
    assert [(line["document_no"], line["line_no"], line["goes_after"]) for line in lines] == [
        ("2706001", "1", ""),
        ("2706001", "2", ""),
        ("ACR-1", "1", "ACP-1"),
    ]
    first = lines[0]
    assert (first["bank_account"], first["kid"], first["invoice_no"]) == ("86011117947", "0001234", "F-1")
    assert (first["import_no"], first["voucher_no"], first["due_date"]) == ("1", "none yet", "2026-11-01")
    assert (first["amount"], first["currency_code"]) == ("-100.0000", "USD")
    assert (first["company_amount"], first["company_currency_code"]) == ("-1000.0000", "NOK")
    assert first["warnings"] == "KID is not valid. In the VMS, compare it."
    assert (lines[1]["posting1"], lines[1]["posting2"], lines[1]["tax_rule"]) == ("V001", "V001-1", "1")
    assert [(row["document_no"], row["rule"], row["why"], row["next_step"], row["amount"]) for row in held] == [
        ("2706002", "gl_account_missing", "A line has no GL account.", "In the VMS, set it.", "5.0000"),
        # Its amount counts once.
        ("2706002", "voyage_missing", "A voyage is missing. " * 30, "In Xledger, create the project.", ""),
        (
            "2708101",
            "set aside",
            "documentAmount is text.",
            "In the VMS, correct what it names; the next run reads the document again.",
            "",
        ),
    ]


def test_a_partner_with_a_formula_for_a_name_runs_nothing(ctx: Context, tmp_path: Path) -> None:
    ctx.warehouse.execute("UPDATE post.draft_vouchers SET partner_name = '=1+1'")
    [lines, _] = write_output(ctx, tmp_path / "vouchers.csv")
    names = [line["partner_name"] for line in csv.DictReader(lines.read_text("utf-8").splitlines())]
    assert names == ["'=1+1"] * 3
    write_output(ctx, tmp_path / "vouchers.xlsx")
    cell = next(c for row in load_workbook(tmp_path / "vouchers.xlsx")["Vouchers"] for c in row if c.value == "=1+1")
    assert cell.data_type == "s"


def test_parquet_keeps_decimals(ctx: Context, tmp_path: Path) -> None:
    lines, held = (pq.read_table(file) for file in write_output(ctx, tmp_path / "vouchers.parquet"))
    assert lines["amount"].to_pylist() == [Decimal("-100.0000"), Decimal("100.0000"), Decimal("-1.0000")]
    assert held["held_since"].to_pylist()[0].isoformat() == "2026-10-05T08:00:00"


def test_nothing_ready_and_nothing_held_makes_files_all_the_same(ctx: Context, tmp_path: Path) -> None:
    frames.note_ready(ctx.warehouse, [])
    frames.note_held(ctx.warehouse, [])
    for name in ("none.csv", "none.xlsx"):
        assert all(file.exists() for file in write_output(ctx, tmp_path / name))


def test_the_workbook_says_what_is_true_of_a_dry_run(ctx: Context, tmp_path: Path) -> None:
    write_output(ctx, tmp_path / "vouchers.xlsx")
    book = load_workbook(tmp_path / "vouchers.xlsx", data_only=True)
    words = " ".join(
        str(cell.value) for page in book.worksheets for row in page.iter_rows() for cell in row if cell.value
    )
    assert "springline.duckdb" not in words
    assert "Nothing of this is kept" in words
    held = book["Held"]
    assert max(held.row_dimensions[row].height or 0 for row in range(table_of(held)[1] + 1, held.max_row + 1)) < 27
    assert totals(book, "Held", "Amount") == {"USD": Decimal("5.0000")}
    assert headings(held)[:6] == ["Document", "Partner name", "Currency", "Amount", "Why", "What to do next"]


@pytest.mark.parametrize("name", ["none.csv", "none.xlsx"])
def test_a_file_that_cannot_be_written_is_told(name: str, ctx: Context, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, and no folder", "utf-8")
    with pytest.raises(UsageError, match="cannot be written"):
        write_output(ctx, tmp_path / "taken" / name)


def test_what_cannot_be_written_is_told_before_the_run() -> None:
    check_output(Path("vouchers.XLSX"), is_dry_run=True)
    with pytest.raises(UsageError, match=r"the ending \.pdf does not say how"):
        check_output(Path("vouchers.pdf"), is_dry_run=True)
    with pytest.raises(UsageError, match="--output is for a dry run"):
        check_output(Path("vouchers.csv"), is_dry_run=False)
