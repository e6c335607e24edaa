"""What the tables say of a document: as last read from the VMS, as mapped, as the ledger's import and books have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipelines.questions.explain.sends import masked

if TYPE_CHECKING:
    from pipelines.steering.find_document import Document
    from pipelines.stores.open_tables import Tables
    from pipelines.stores.rows import Row

_DOCUMENT = """
SELECT
    document_no, document_key, document_type, status_code, company_code, document_date, currency_code,
    document_amount, company_currency_code, company_currency_amount, partner_code, partner_name, partner_type_code,
    external_document_no, gl_account, document_text, modified_at, fetched_at
FROM stg_vms.documents WHERE document_key = ?
"""
# What the published file keeps when there is nothing newer.
_VOUCHER = """
SELECT
    document_no, document_key, document_type, company_code, document_date, currency AS currency_code,
    currency_amount AS document_amount, company_currency AS company_currency_code,
    amount AS company_currency_amount, partner_code, partner_name, external_document_no, modified_at
FROM post.vouchers WHERE document_key = ?
"""
_LINES = """
SELECT
    lines.line_key, lines.gl_account, lines.document_amount, lines.company_currency_amount, lines.line_text,
    lines.vat_code, lines.vat_rate, lines.partner_code, lines.voyage_reference_no, lines.vessel_code,
    lines.ref_document_no
FROM stg_vms.document_lines AS lines
INNER JOIN stg_vms.documents AS documents
    ON lines.document_key = documents.document_key AND lines.fetch_id = documents.fetch_id
WHERE lines.document_key = ? ORDER BY lines.line_key
"""
_TERMS = """
SELECT terms.due_date, terms.percentage
FROM stg_vms.document_payment_terms AS terms
INNER JOIN stg_vms.documents AS documents
    ON terms.document_key = documents.document_key AND terms.fetch_id = documents.fetch_id
WHERE terms.document_key = ? ORDER BY terms.due_date, terms.term_key
"""
_ITEMS = """
SELECT
    items.import_item_db_id, items.tr_item_number, items.account_code, items.currency_code, items.invoice_amount,
    items.amount, items.job_level, items.job_level_name, items.fetched_at,
    string_agg(errors.level_name || ': ' || errors.message, ' ' ORDER BY errors.import_error_db_id) AS errors
FROM stg_ledger.import_items AS items
LEFT JOIN stg_ledger.import_errors AS errors ON items.import_item_db_id = errors.import_item_db_id
WHERE items.tr_reg_number = ? AND items.ext_order_number = ?
GROUP BY ALL ORDER BY items.tr_item_number, items.import_item_db_id
"""
_SUBLEDGER = """
SELECT
    '{side}' AS side, row_db_id, voucher_no, header_db_id, header_text, posted_date, imported_at, source_code,
    account_code, subledger_code, invoice_number, currency_code, invoice_amount, invoice_remaining, amount, due_date,
    match_id, row_type, fetched_at
FROM stg_ledger.{table} WHERE {condition} ORDER BY row_db_id
"""
_BOOKS = """
SELECT
    transaction_db_id, voucher_no, header_db_id, header_text, posted_date, imported_at, source_code, account_code,
    currency_code, invoice_amount, amount, vessel_code, project_code, row_text, fetched_at
FROM stg_ledger.transactions WHERE {condition} ORDER BY transaction_db_id
"""
SIDES = (("AP", "ap_rows"), ("AR", "ar_rows"))


def vms_state(tables: Tables | None, document: Document) -> Row | None:
    """Return the document as last read, with its lines and payment terms; None when no file has it."""
    if tables is None or document.key is None:
        return None
    if found := tables.rows(_DOCUMENT, [document.key]):
        lines, terms = tables.rows(_LINES, [document.key]), tables.rows(_TERMS, [document.key])
        return {**found[0], "lines": lines, "payment_terms": terms}
    kept = tables.rows(_VOUCHER, [document.key])
    return kept[0] if kept else None


def draft_lines(tables: Tables | None, document: Document) -> list[Row]:
    """Return the voucher as the document is mapped today; empty when it is not open, or not mapped."""
    if tables is None:
        return []
    statement = "SELECT * FROM post.draft_lines WHERE document_key = ? ORDER BY tr_item_number"
    return masked(tables.rows(statement, [document.key]))


def ledger_state(tables: Tables | None, document: Document, voucher: Mapping[str, Any] | None) -> dict[str, list[Row]]:
    """Return what the ledger's import and books have of a sent voucher, as landed.

    Rows of the books carry no document key: they are those of the header that was recorded, else those whose header
    has the text of the voucher's first control line.
    """
    if tables is None or voucher is None:
        return {"import_items": [], "subledger_rows": [], "transactions": []}
    look_up, remote = voucher["look_up"] or {}, voucher["remote_ids"] or {}
    condition, values = "header_db_id = ?", [remote.get("header")]
    if not remote.get("header"):
        condition, values = "header_text = ? AND source_code = ?", [look_up.get("text"), look_up.get("source")]
    return {
        "import_items": tables.rows(_ITEMS, [document.key, document.number]),
        "subledger_rows": [
            row
            for side, table in SIDES
            for row in tables.rows(_SUBLEDGER.format(side=side, table=table, condition=condition), values)
        ],
        "transactions": tables.rows(_BOOKS.format(condition=condition), values),
    }


def payments_of(tables: Tables | None, document: Document, invoice_rows: list[Row]) -> dict[str, Any]:
    """Return what the ledger has matched with the invoice, how much is open, and what was transferred to the VMS.

    Amounts are in the invoice's own currency, signed as in the ledger.
    """
    if tables is None or not invoice_rows:
        return {"settled": None, "open": None, "matched_rows": [], "transferred": []}
    own = {row["row_db_id"] for row in invoice_rows}
    matched: list[Row] = []
    for side, table in SIDES:
        ids = sorted({row["match_id"] for row in invoice_rows if row["side"] == side and row["match_id"]})
        statement = _SUBLEDGER.format(side=side, table=table, condition="match_id IN (SELECT unnest(?))")
        matched += [row for row in tables.rows(statement, [ids]) if row["row_db_id"] not in own] if ids else []
    total = sum(row["invoice_amount"] for row in invoice_rows)
    still_open = sum(row["invoice_remaining"] or 0 for row in invoice_rows)
    return {
        "settled": total - still_open,
        "open": still_open,
        "matched_rows": matched,
        "transferred": tables.rows("SELECT * FROM ctl.payments WHERE document_key = ?", [document.key]),
    }
