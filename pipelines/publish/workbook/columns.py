"""Columns that several sheets of the workbook have."""

# ruff: noqa: S608 - statements are made of our own names, never of data

from __future__ import annotations

from pipelines.publish.workbook.sheet import SheetColumn

# A row says why it is there, what to do next, and how new it is.
WHY = (SheetColumn("Why", "d.reason", "words"), SheetColumn("What to do next", "d.next_step", "words"))
AS_OF = (
    SheetColumn("VMS read at (UTC)", "d.as_of_vms", "time"),
    SheetColumn("Ledger read at (UTC)", "d.as_of_ledger", "time"),
)
# A voucher that the ledger alone has may have no document number: its subject names it.
DOCUMENT = (
    SheetColumn("Document", "coalesce(d.document_no, d.subject)"),
    SheetColumn("State", "d.state"),
    SheetColumn("Company", "d.company_code"),
    SheetColumn("Type", "d.document_type"),
    SheetColumn("Partner", "d.partner_code"),
    SheetColumn("Partner name", "d.partner_name"),
    SheetColumn("Document date", "d.document_date", "date"),
)


def money(heading: str, expression: str, currency: str = "Currency") -> SheetColumn:
    """Return the column of an amount whose currency stands under the heading ``currency``."""
    return SheetColumn(heading, expression, "money", currency)


def currency_by(code: str) -> str:
    """Return a subquery (SQL) of the company's own currency by ``code``, for tables that do not name it."""
    return f"(SELECT {code}, max(company_currency_code) AS company_currency_code FROM rec.documents GROUP BY {code})"
