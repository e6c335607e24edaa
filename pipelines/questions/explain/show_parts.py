"""Draws what `explain` prints on request: all lines and rows, the origins of fields, events and rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.text import Text

from pipelines.checks.suites import WARNING
from pipelines.core import words
from pipelines.core.drawing import draw_table
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


def show_all(story: Explanation, console: Console) -> None:
    """Print every line of the voucher and every row of the ledger, what differs, and what people decided."""
    if story.voucher is not None:
        console.print(f"Voucher {story.voucher['state']}", style="italic")
        show_lines(story.voucher["lines"], console, company_currency=company_currency(story))
        if note := story.voucher.get("file_note"):
            console.print(f"Sent {note}.", markup=False, highlight=False)
    columns = ("break_id", "kind", "message", "next_step", "accepted_by", "accepted_reason")
    _table(console, "What differs", columns, story.breaks)
    _table(console, "What people decided", ("at", "action", "operator", "reason"), story.decisions)
    _table(console, "Remarks in the VMS", ("title", "state", "key", "remark"), story.remarks)
    # In the order in which a voucher travels: import, subledger, general ledger, match.
    _table(console, "The ledger's import", _ITEM_COLUMNS, _written(story, story.ledger["import_items"]))
    _table(console, "Supplier and customer ledger", _SUBLEDGER_COLUMNS, _written(story, story.ledger["subledger_rows"]))
    _table(console, "General ledger", _BOOK_COLUMNS, _written(story, story.ledger["transactions"]))
    _table(console, "Matched in the ledger", _PAYMENT_COLUMNS, _written(story, story.payments["matched_rows"]))


def show_origins(story: Explanation, console: Console) -> None:
    """Print which members of the systems' APIs each field of the voucher comes from."""
    fields = story.voucher["fields"] if story.voucher is not None else {}
    console.print("Where its fields come from" if fields else "There is no voucher yet: no field comes from anywhere.")
    for origin in fields.values():
        # Not beside each other: the longest member is as wide as a narrow terminal, and is never cut.
        console.print(Text(f"  {origin['field']}"))
        for source in origin["from"] or [RULES]:
            console.print(Text(f"    {source}"))


def show_rules(story: Explanation, console: Console) -> None:
    """Print what the rules found, and what they looked for and did not find: a rule is named after its fault."""
    failed = [check for check in story.checks if check["verdict"] == FAILED]
    passed = [check["title"] for check in story.checks if check["verdict"] == PASSED]
    rows = [{**check, "it is": "warned of" if check["severity"] == WARNING else "held"} for check in failed]
    _table(console, "Found", ("rule", "it is", "message"), rows)
    # A document with neither has not been in a batch that checks.
    if passed:
        console.print(Text(f"Looked for and not found: {', '.join(passed)}."), soft_wrap=False)
    elif not failed:
        console.print("No rule has looked at it yet.")


def show_events(story: Explanation, console: Console) -> None:
    """Print every step of its outward writes, and whether the chain of events holds."""
    for intent in story.outbox:
        _table(
            console,
            f"{intent['kind']} {intent['natural_key']}: {intent['state']}",
            ("event_no", "at", "from_state", "to_state", "detail"),
            intent["events"],
        )
    if not story.outbox:
        console.print("Nothing of it has been sent, or is to be sent.")
    else:
        chain = story.chain
        verdict = "holds" if chain["verified"] else "is broken: " + "; ".join(chain["faults"])
        console.print(f"The chain over {chain['scope']} {verdict}.", markup=False, highlight=False)


def company_currency(story: Explanation) -> str | None:
    """Return the currency of the document's company, None where the VMS's state is not known."""
    return None if story.vms is None else story.vms["company_currency_code"]


def _written(story: Explanation, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Write the amounts of rows of the ledger: ``amount`` is in the company's currency, the others in the row's own."""
    company = company_currency(story)
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
    if rows:
        cells = [
            [
                "" if row[name] is None else words.moment(row[name]) if name == "at" else words.value(row[name])
                for name in columns
            ]
            for row in rows
        ]
        headings = (name.replace("_", " ") for name in columns)
        # Not cropped: where codes alone are wider than the terminal, it breaks the lines.
        console.print(draw_table(headings, cells, title=title, look=box.SIMPLE), crop=False)
