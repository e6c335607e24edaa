"""Draws the story of a document for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.markup import escape
from rich.table import Table

from pipelines.checks.suites import WARNING
from pipelines.core import words
from pipelines.questions.explain.verdicts import FAILED, PASSED
from pipelines.questions.voucher_table import show_lines

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.questions.explain.explanation import Explanation

RULES = "rules and settings"
# What a person is shown of each list; `--json` has every column.
_ITEM_COLUMNS = ("import_item_db_id", "tr_item_number", "account_code", "invoice_amount", "job_level_name", "errors")
_SUBLEDGER_COLUMNS = (
    "side",
    "voucher_no",
    "posted_date",
    "invoice_number",
    "invoice_amount",
    "invoice_remaining",
    "due_date",
)
_BOOK_COLUMNS = ("voucher_no", "posted_date", "account_code", "invoice_amount", "amount", "project_code", "row_text")
_AMOUNTS = frozenset({"amount", "invoice_amount", "invoice_remaining"})
_PAYMENT_COLUMNS = ("side", "voucher_no", "posted_date", "source_code", "invoice_amount", "currency_code")


def show_explanation(story: Explanation, console: Console) -> None:
    """Print the story from the VMS to the ledger, and end with the next step."""
    _head(story, console)
    _voucher(story, console)
    _checks(story, console)
    _table(
        console,
        "What differs",
        ("break_id", "kind", "message", "next_step", "accepted_by", "accepted_reason"),
        story.breaks,
    )
    _table(console, "What people decided", ("at", "action", "operator", "reason"), story.decisions)
    _table(console, "Remarks in the VMS", ("title", "state", "key", "remark"), story.remarks)
    _outbox(story, console)
    # In the order in which a voucher travels: import, subledger, general ledger, match.
    _table(console, "The ledger's import", _ITEM_COLUMNS, _written(story, story.ledger["import_items"]))
    _table(console, "Supplier and customer ledger", _SUBLEDGER_COLUMNS, _written(story, story.ledger["subledger_rows"]))
    _table(console, "General ledger", _BOOK_COLUMNS, _written(story, story.ledger["transactions"]))
    _table(console, "Matched in the ledger", _PAYMENT_COLUMNS, _written(story, story.payments["matched_rows"]))
    if story.bank_change:
        console.print(f"! {story.bank_change}", markup=False, highlight=False)
    console.print(f"Next: {story.next_step}", markup=False, highlight=False)


def _head(story: Explanation, console: Console) -> None:
    document, vms = story.document, story.vms
    console.print(f"{document.label}, key {document.key}, company {document.company}", style="bold", markup=False)
    origin, minutes = story.as_of["origin"], story.as_of["minutes"]
    age = f", written {minutes} minutes ago" if minutes is not None else ""
    console.print(f"Read from the {origin}{age}.", style="dim")
    if vms is None:
        console.print("What the VMS has of it cannot be read now.")
        return
    facts = {
        "status": vms.get("status_code"),
        "date": vms["document_date"],
        "amount": words.amount(vms["document_amount"], vms["currency_code"]) or None,
        "in company currency": words.amount(vms["company_currency_amount"], vms["company_currency_code"]) or None,
        "partner": " ".join(str(vms[name]) for name in ("partner_code", "partner_name") if vms[name]) or None,
        "external number": vms["external_document_no"],
    }
    listed = ", ".join(f"{name} {words.value(value)}" for name, value in facts.items())
    console.print(f"VMS: {listed}.", markup=False, highlight=False)


def _voucher(story: Explanation, console: Console) -> None:
    if story.voucher is None:
        return
    console.print(f"Voucher {story.voucher['state']}", style="italic")
    show_lines(story.voucher["lines"], console, company_currency=_company_currency(story))
    if note := story.voucher.get("file_note"):
        console.print(f"Sent {note}.", markup=False, highlight=False)
    # The name of a field stands on the first of its lines only.
    origins = [
        {"ledger field": None if place else origin["field"], "comes from": source}
        for origin in story.voucher["fields"].values()
        for place, source in enumerate(origin["from"] or [RULES])
    ]
    _table(console, "Where its fields come from", ("ledger field", "comes from"), origins)


def _checks(story: Explanation, console: Console) -> None:
    failed = [check for check in story.checks if check["verdict"] == FAILED]
    passed = [check["rule"] for check in story.checks if check["verdict"] == PASSED]
    rows = [{**check, "verdict": "warning" if check["severity"] == WARNING else "held"} for check in failed]
    _table(console, "Rules it fails", ("rule", "verdict", "message"), rows)
    # A document with neither has not been in a batch that checks.
    if passed:
        console.print(f"Rules it meets: {', '.join(passed)}.", highlight=False)
    elif not failed:
        console.print("No rule has looked at it yet.")


def _outbox(story: Explanation, console: Console) -> None:
    for intent in story.outbox:
        _table(
            console,
            f"{intent['kind']} {intent['natural_key']}: {intent['state']}",
            ("event_no", "at", "from_state", "to_state", "detail"),
            intent["events"],
        )
    if story.outbox:
        chain = story.chain
        verdict = "holds" if chain["verified"] else "is broken: " + "; ".join(chain["faults"])
        console.print(f"The chain over {chain['scope']} {verdict}.", markup=False, highlight=False)


def _company_currency(story: Explanation) -> str | None:
    return None if story.vms is None else story.vms["company_currency_code"]


def _written(story: Explanation, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Write the amounts of rows of the ledger: ``amount`` is in the company's currency, the others in the row's own."""
    company = _company_currency(story)
    return [
        {
            name: words.number(value, company if name == "amount" else row["currency_code"])
            if name in _AMOUNTS
            else value
            for name, value in row.items()
        }
        for row in rows
    ]


def _table(console: Console, title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold", justify="right" if "amount" in column else "left")
    for row in rows:
        cells = (words.moment(row[column]) if column == "at" else row[column] for column in columns)
        table.add_row(*("" if cell is None else escape(words.value(cell)) for cell in cells))
    console.print(table)
