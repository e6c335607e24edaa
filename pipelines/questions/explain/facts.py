"""What the tables say of a document: as last read from the VMS, as mapped, as the ledger's import and books have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelines.questions.explain.sends import masked
from pipelines.stores.control import named_statements

if TYPE_CHECKING:
    from pipelines.steering.find_document import Document
    from pipelines.stores.open_tables import Tables
    from pipelines.stores.rows import Row


def vms_state(tables: Tables | None, document: Document) -> Row | None:
    """Return the document as last read, with its lines and payment terms; None when no file has it."""
    if tables is None or document.key is None:
        return None
    key = [document.key]
    # The published file has no staging tables: then the voucher stands in, without lines and terms.
    if found := _rows(tables, "document", key):
        return {**found[0], "lines": _rows(tables, "lines", key), "payment_terms": _rows(tables, "terms", key)}
    return next(iter(_rows(tables, "voucher", key)), None)


def draft_lines(tables: Tables | None, document: Document) -> list[Row]:
    """Return the voucher as the document is mapped today; empty when it is not open, or not mapped."""
    return [] if tables is None else masked(_rows(tables, "draft_lines", [document.key]))


def ledger_state(tables: Tables | None, document: Document, voucher: Mapping[str, Any] | None) -> dict[str, list[Row]]:
    """Return what the ledger's import and books have of a sent voucher, as landed."""
    if tables is None or voucher is None:
        return {"import_items": [], "subledger_rows": [], "transactions": []}
    look_up, remote = voucher["look_up"] or {}, voucher["remote_ids"] or {}
    # The header is known once the voucher was seen booked; until then its text and source have to do.
    header = [remote.get("header") or None, look_up.get("text"), look_up.get("source")]
    return {
        "import_items": _rows(tables, "import_items", [document.key, document.number]),
        "subledger_rows": _rows(tables, "subledger_rows", [*header, []]),
        "transactions": _rows(tables, "transactions", header),
    }


def payments_of(tables: Tables | None, document: Document, invoice_rows: list[Row]) -> dict[str, Any]:
    """Return what the ledger has matched with the invoice, how much is open, and what was transferred to the VMS.

    Amounts are in the invoice's own currency, signed as in the ledger.
    """
    if tables is None or not invoice_rows:
        return {"settled": None, "open": None, "matched_rows": [], "transferred": []}
    # A match has a number of its own in each subledger; 0 and null stand for none (docs/systems/ledger.md).
    matches = sorted({f"{row['side']} {row['match_id']}" for row in invoice_rows if row["match_id"]})
    invoice = {row["row_db_id"] for row in invoice_rows}
    total = sum(row["invoice_amount"] for row in invoice_rows)
    still_open = sum(row["invoice_remaining"] or 0 for row in invoice_rows)
    return {
        "settled": total - still_open,
        "open": still_open,
        "matched_rows": [
            row
            for row in _rows(tables, "subledger_rows", [None, None, None, matches])
            if row["row_db_id"] not in invoice
        ],
        "transferred": _rows(tables, "transferred", [document.key]),
    }


def _rows(tables: Tables, name: str, parameters: Sequence[object]) -> list[Row]:
    return tables.rows(named_statements("explain", folder="questions")[name], parameters)
