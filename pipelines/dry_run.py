"""What `springline run --dry-run` shows: every voucher that would be sent, line by line, and what would stay behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.markup import escape
from rich.table import Table

from pipelines.checks.messages import show
from pipelines.context import Context

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
# What is shown of a line, and what it is headed with.
_COLUMNS = {
    "tr_item_number": "no",
    "account": "account",
    "subledger_no": "subledger",
    "posting1": "posting1",
    "posting2": "posting2",
    "posting3": "posting3",
    "xgl": "xgl",
    "tax_rule": "tax rule",
    "due_date": "due",
    "currency_amount": "amount",
    "amount": "company amount",
    "text": "text",
}
_NARROWEST_TEXT = 20


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
            f"posted {draft['posted_date']}, {draft['currency']} {show(draft['currency_amount'])}, "
            f"{draft['company_currency']} {show(draft['amount'])}"
        )
        console.print(escape(title), highlight=False)
        console.print(_lines_table(draft["lines"]), crop=False)
    console.print(f"{len(drafts)} vouchers would be sent. Nothing was sent.")


def _lines_table(lines: list[dict[str, Any]]) -> Table:
    """Make the table of one voucher's lines; columns that are empty in all of them are left out."""
    cells = {name: ["" if line[name] is None else show(line[name]) for line in lines] for name in _COLUMNS}
    shown = {name: column for name, column in cells.items() if any(column)}
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name, column in shown.items():
        widest = max(map(cell_len, column))
        table.add_column(
            _COLUMNS[name],
            justify="right" if name.endswith("amount") else "left",
            overflow="fold",
            min_width=min(widest, _NARROWEST_TEXT) if name == "text" else widest,
        )
    for row in zip(*shown.values(), strict=True):
        table.add_row(*map(escape, row))
    return table
