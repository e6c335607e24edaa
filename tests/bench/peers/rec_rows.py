"""What both peers of the reconciliation read: staging rows, amounts in whole cents, so that they add up exactly."""

# ruff: noqa: S608 - statements are made of our own names

from __future__ import annotations

UNITS = "CAST(round({} * 100) AS BIGINT)"
INVOICES = ("INI", "INO", "CRI", "CRO")
PAYMENTS = ("PMI", "PMO")

_AMOUNT, _COMPANY = UNITS.format("document_amount"), UNITS.format("company_currency_amount")
_INVOICE, _BOOKED, _OPEN = (UNITS.format(name) for name in ("invoice_amount", "amount", "invoice_remaining"))
_ROWS = f"row_db_id, header_db_id, match_id, source_code, {_INVOICE} AS units, {_OPEN} AS open_units"
QUERIES = {
    "documents": f"SELECT document_key, document_type, status_code, {_AMOUNT} AS units, {_COMPANY} AS company_units "
    "FROM stg_vms.documents",
    "references": f"SELECT document_key, ref_document_key, {_AMOUNT} AS units FROM stg_vms.document_lines "
    "WHERE ref_document_key IS NOT NULL",
    "vouchers": "SELECT document_key, header_db_id, voucher_type FROM ctl.sent_vouchers WHERE state = 'sent'",
    "controls": "SELECT document_key, account FROM ctl.sent_lines WHERE is_control",
    "books": f"SELECT header_db_id, account_code, {_INVOICE} AS units, {_BOOKED} AS company_units "
    "FROM stg_ledger.transactions",
    "holds": "SELECT DISTINCT document_key FROM ctl.holds WHERE until IS NULL AND severity = 'critical'",
    "subledger": f"SELECT 'AP' AS side, -1 AS sign, {_ROWS} FROM stg_ledger.ap_rows UNION ALL "
    f"SELECT 'AR', 1, {_ROWS} FROM stg_ledger.ar_rows",
}
