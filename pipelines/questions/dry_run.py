"""What `springline run --dry-run` shows: every voucher that would be sent, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from pipelines.core.words import amount
from pipelines.questions.voucher_table import show_lines
from pipelines.step.context import Context
from pipelines.stores.control import named_statements
from pipelines.stores.rows import Row, rows_of

if TYPE_CHECKING:
    from rich.console import Console


def read_drafts(ctx: Context, *, ready: frozenset[int]) -> list[Row]:
    """Return the vouchers of the ``ready`` document keys, each with its lines; amounts are Decimals, debit positive."""
    vouchers, lines = (
        rows_of(ctx.warehouse.execute(named_statements("dry_run", folder="questions")[name]))
        for name in ("vouchers", "lines")
    )
    # A query each and not one a voucher: there may be hundreds.
    after: dict[int, list[str]] = {}
    for document, number in ctx.warehouse.execute(named_statements("dry_run", folder="questions")["after"]).fetchall():
        after.setdefault(document, []).append(number)
    lines_of: dict[int, list[Row]] = {}
    for line in lines:
        lines_of.setdefault(line["document_key"], []).append(line)
    return [
        voucher | {"after": after.get(voucher["document_key"], []), "lines": lines_of[voucher["document_key"]]}
        # What reverses others goes after them.
        for voucher in sorted(vouchers, key=lambda voucher: voucher["document_key"] in after)
        if voucher["document_key"] in ready
    ]


def show_drafts(drafts: list[Row], console: Console) -> None:
    """Print each voucher as a table of its lines; in a narrow terminal text is folded, never cut off."""
    for draft in drafts:
        title = (
            f"{draft['document_type']} {draft['document_no']} → {draft['voucher_type']} {draft['owner_code']}, "
            f"posted {draft['posted_date']}, {amount(draft['currency_amount'], draft['currency'])}, "
            f"{amount(draft['amount'], draft['company_currency'])}"
            f"{', after ' + ', '.join(draft['after']) if draft['after'] else ''}"
        )
        console.print(escape(title), highlight=False)
        show_lines(draft["lines"], console, company_currency=draft["company_currency"])
    console.print(f"{len(drafts)} vouchers would be sent. Nothing was sent.")
