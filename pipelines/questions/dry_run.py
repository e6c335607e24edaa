"""What `springline run --dry-run` shows: every voucher that would be sent, line by line, and what would stay behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from pipelines.core.words import amount
from pipelines.questions.voucher_table import lines_table
from pipelines.step.context import Context

if TYPE_CHECKING:
    from rich.console import Console

_VOUCHERS = """
SELECT
    document_key, document_no, document_type, company_code, owner_code, voucher_type, partner_code, currency,
    currency_amount, company_currency, amount, posted_date, invoice_no, x_identifier
FROM post.draft_vouchers ORDER BY document_key
"""
_LINES = """
SELECT
    document_key, tr_item_number, account, subledger_no, posting1, posting2, posting3, xgl, tax_rule, due_date,
    currency, currency_amount, amount, text
FROM post.draft_lines ORDER BY document_key, tr_item_number
"""


def read_drafts(ctx: Context, *, ready: frozenset[int]) -> list[dict[str, Any]]:
    """Return the vouchers that would be sent, each with its lines; amounts are Decimals, debit positive."""
    lines: dict[int, list[dict[str, Any]]] = {}
    for line in _rows(ctx, _LINES):
        lines.setdefault(line["document_key"], []).append(line)
    return [
        voucher | {"lines": lines[voucher["document_key"]]}
        for voucher in _rows(ctx, _VOUCHERS)
        if voucher["document_key"] in ready
    ]


def _rows(ctx: Context, statement: str) -> list[dict[str, Any]]:
    cursor = ctx.warehouse.execute(statement)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def show_drafts(drafts: list[dict[str, Any]], console: Console) -> None:
    """Print each voucher as a table of its lines; of narrow tables the text is folded, and nothing is cut off."""
    for draft in drafts:
        title = (
            f"{draft['document_type']} {draft['document_no']} → {draft['voucher_type']} {draft['owner_code']}, "
            f"posted {draft['posted_date']}, {amount(draft['currency_amount'], draft['currency'])}, "
            f"{amount(draft['amount'], draft['company_currency'])}"
        )
        console.print(escape(title), highlight=False)
        console.print(lines_table(draft["lines"], company_currency=draft["company_currency"]), crop=False)
    console.print(f"{len(drafts)} vouchers would be sent. Nothing was sent.")
