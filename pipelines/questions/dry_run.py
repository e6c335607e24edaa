"""What `springline run --dry-run` shows: every voucher that would be sent, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from pipelines.core.errors import UsageError
from pipelines.core.words import amount, plural
from pipelines.load.ledger.file_rules import AttachedFile
from pipelines.load.ledger.invoice_files import INVOICES, InvoiceFiles
from pipelines.questions.voucher_table import show_lines
from pipelines.step.context import Context
from pipelines.stores.control import named_statements
from pipelines.stores.rows import Row, rows_of

if TYPE_CHECKING:
    from rich.console import Console


# So many vouchers of each type are shown unless all are asked for: a first run may have hundreds.
MOST_OF_KIND = 20
# What `--output` can be written as (dry_run_files).
ENDINGS = (".xlsx", ".csv", ".parquet")


def check_output(path: Path, *, is_dry_run: bool) -> None:
    """Raise UsageError unless what a run would do can be written to such a file."""
    if not is_dry_run:
        raise UsageError(
            "--output is for a dry run: it writes what would be sent.",
            next_step="add --dry-run; what was sent is in the published file (springline query).",
        )
    if path.suffix.lower() not in ENDINGS:
        said = f"the ending {path.suffix}" if path.suffix else "a name without ending"
        raise UsageError(f"{path}: {said} does not say how to write.", next_step=f"end it in {', '.join(ENDINGS)}.")


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
    drafts = [
        voucher | {"after": after.get(voucher["document_key"], []), "lines": lines_of[voucher["document_key"]]}
        # What reverses others goes after them.
        for voucher in sorted(vouchers, key=lambda voucher: voucher["document_key"] in after)
        if voucher["document_key"] in ready
    ]
    if ctx.settings.posting.attachments:
        _add_files(ctx, drafts)
    return drafts


def _add_files(ctx: Context, drafts: list[Row]) -> None:
    """Say of each invoice which file of the VMS would go with it, or why none would; none of them is fetched."""
    invoices = {draft["document_key"]: draft for draft in drafts if draft["voucher_type"] in INVOICES}
    for key, choice in InvoiceFiles(ctx.vms, ctx.settings).choices(invoices).items():
        if isinstance(choice, AttachedFile):
            file = {"name": choice.name, "attachment": choice.key, "size": choice.size}
            words = f"With the file {choice.label}"
        else:
            file, words = None, f"Without a file: {choice}"
        invoices[key] |= {"file": file, "file_note": words}


def show_drafts(drafts: list[Row] | None, console: Console, *, is_full: bool = False) -> None:
    """Print vouchers as tables of their lines, then a sum for each kind and currency.

    In a narrow terminal text is folded, never cut off. Without ``is_full`` the first MOST_OF_KIND of each voucher type
    are shown. None: the job that drafts them was stopped, or is none of those that ran.
    """
    if drafts is None:
        console.print(
            "No voucher was drafted, because the job documents did not come to its end or was not run. "
            "Nothing was sent.",
            highlight=False,
        )
        return
    by_kind: dict[str, list[Row]] = {}
    for draft in drafts:
        by_kind.setdefault(draft["voucher_type"], []).append(draft)
    for draft in drafts if is_full else chain.from_iterable(own[:MOST_OF_KIND] for own in by_kind.values()):
        title = (
            f"{draft['document_type']} {draft['document_no']} → {draft['voucher_type']} {draft['owner_code']}, "
            f"posted {draft['posted_date']}, {amount(draft['currency_amount'], draft['currency'])}, "
            f"{amount(draft['amount'], draft['company_currency'])}"
            f"{', after ' + ', '.join(draft['after']) if draft['after'] else ''}"
        )
        console.print(escape(title), highlight=False)
        show_lines(draft["lines"], console, company_currency=draft["company_currency"])
        if note := draft.get("file_note"):
            console.print(escape(f"{note}."), highlight=False)
    for kind, own in sorted(by_kind.items()):
        left = 0 if is_full else max(len(own) - MOST_OF_KIND, 0)
        more = f"; {left:,} more than are shown, which --full prints and --output FILE writes" if left else ""
        console.print(f"{kind}: {plural(len(own), 'voucher')}, {_sums(own)}{more}.", highlight=False)
    console.print(f"{plural(len(drafts), 'voucher')} would be sent. Nothing was sent.", highlight=False)


def _sums(drafts: Sequence[Row]) -> str:
    """Add vouchers up by currency; debits and credits of one kind go against each other, as in the books."""
    sums: dict[str, Decimal] = {}
    for draft in drafts:
        sums[draft["currency"]] = sums.get(draft["currency"], Decimal(0)) + draft["currency_amount"]
    return ", ".join(amount(value, currency) for currency, value in sorted(sums.items()))
