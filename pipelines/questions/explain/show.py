"""Draws the story of a document in one screen: where it stands, what to do, by whom; then each stage in a few lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from pipelines.core import words
from pipelines.core.drawing import say
from pipelines.questions.explain.sends import sent_again
from pipelines.questions.explain.show_parts import company_currency, show_all, show_events, show_origins, show_rules
from pipelines.questions.explain.verdicts import FAILED, PASSED
from pipelines.questions.voucher_table import short_lines

if TYPE_CHECKING:
    from decimal import Decimal

    from rich.console import Console, RenderableType

    from pipelines.questions.explain.explanation import Explanation

# So many lines of one list, that an invoice's story fits a terminal of 24 lines.
MOST_LINES, MOST_ROWS = 5, 3
# How wide the headings on the left are, with the gap behind them.
HEADING = 11
ORIGINS, EVENTS, RULES, FULL = "origins", "events", "rules", "full"
PARTS = {ORIGINS: show_origins, EVENTS: show_events, RULES: show_rules}


def show_explanation(story: Explanation, console: Console, *, parts: frozenset[str] = frozenset()) -> None:
    """Print the story; ``parts`` names what is printed in full below it: origins, events, rules, or full for all."""
    _answer(story, console)
    screen = Table.grid(padding=(0, 2))
    screen.add_column(style="bold", no_wrap=True)
    screen.add_column()
    for title, lines in _sections(story, width=console.width - HEADING):
        for place, line in enumerate(lines):
            screen.add_row("" if place else title, Text(line) if isinstance(line, str) else line)
    # Nor soft wrap here: it would cut the last column of an inner table without a sign.
    console.print(screen, soft_wrap=False)
    if FULL in parts:
        show_all(story, console)
    for part, show in PARTS.items():
        if parts & {part, FULL}:
            show(story, console)
    if not parts:
        say(console, f"As of the {_read_from(story)}. More: --origins, --events, --rules, --full.", style="dim")


def _answer(story: Explanation, console: Console) -> None:
    document = story.document
    key = f"key {document.key}" if document.key is not None else ""
    named = (document.label, _total(story), f"company {document.company or 'unknown'}", key)
    say(console, ", ".join(part for part in named if part), style="bold")
    say(console, story.stands)
    by = f" By: {story.who_acts}." if story.who_acts else ""
    say(console, f"Next: {story.next_step}{by}")
    # What is settled, or never a voucher, is paid to no account any more.
    if story.bank_change and story.voucher is not None and story.payments.get("open") != 0:
        say(console, f"! {story.bank_change}")
    for other in story.also:
        say(console, f"The same name: {other}")
    console.print()


def _total(story: Explanation) -> str:
    vms = story.vms or {}
    return words.amount(vms.get("document_amount"), vms.get("currency_code"))


def _sections(story: Explanation, *, width: int) -> Iterator[tuple[str, list[RenderableType]]]:
    yield "VMS", [*_vms(story)]
    if story.voucher is not None:
        yield "Voucher", [*_voucher(story, story.voucher, width=width)]
    if story.intent("voucher") is not None:
        yield "Ledger", [*_ledger(story)]
    if story.payments.get("matched_rows") or story.payments.get("transferred"):
        yield "Payments", [*_payments(story)]
    elif story.ledger["subledger_rows"]:
        yield "Payments", ["none matched"]
    yield "Checks", [*_checks(story)]
    if story.breaks:
        yield "Breaks", _cut([_break(row, is_told=row["message"] in story.stands) for row in story.breaks])
    decided = [
        f"{words.moment(row['at'])} {row['action']} by {row['operator']}: {row['reason']}" for row in story.decisions
    ]
    yield "Decisions", _cut(decided, newest=True) or ["none"]


def _cut(lines: Sequence[str], *, most: int = MOST_ROWS, newest: bool = False) -> list[RenderableType]:
    """Return the first lines, or the last, with a line that says how many more there are."""
    more = len(lines) - most
    # One line more is no longer than the line that would say so.
    if more <= 1:
        return [*lines]
    return [*(lines[-most:] if newest else lines[:most]), f"… and {more} more: --full"]


def _vms(story: Explanation) -> Iterator[str]:
    vms = story.vms
    if vms is None:
        yield f"what it has of the document cannot be read now ({_read_from(story)})"
        return
    in_company = words.amount(vms["company_currency_amount"], vms["company_currency_code"])
    facts = [
        f"status {vms['status_code']}" if vms.get("status_code") else "",
        f"dated {words.value(vms['document_date'])}",
        f"{_total(story)} = {in_company}" if vms["currency_code"] != vms["company_currency_code"] else in_company,
    ]
    yield ", ".join(fact for fact in facts if fact)
    number, _, kid = (vms["external_document_no"] or "").partition("|")
    partner = " ".join(str(vms[name]) for name in ("partner_code", "partner_name") if vms[name])
    named = [
        partner and f"partner {partner}",
        number.strip() and f"invoice {number.strip()}",
        kid and f"KID {kid.strip()}",
    ]
    if any(named):
        yield words.value(", ".join(text for text in named if text))
    if terms := vms.get("payment_terms"):
        due = [f"{words.value(term['due_date'])} ({words.value(term['percentage'])} %)" for term in terms]
        yield f"due {', '.join(due)}"


def _read_from(story: Explanation) -> str:
    minutes = story.as_of.get("minutes")
    age = "" if minutes is None else f", {words.plural(minutes, 'minute')} ago"
    return f"{story.as_of['origin']}{age}"


def _voucher(story: Explanation, voucher: Mapping[str, Any], *, width: int) -> Iterator[RenderableType]:
    intent, lines = story.intent("voucher"), voucher["lines"]
    sent = words.moment(intent["sent_at"]) if intent and intent.get("sent_at") else ""
    acknowledged = story.state("acknowledgement") == "sent"
    said = [f"{voucher['state']}{f' {sent}' if sent else ''}", words.plural(len(lines), "line")]
    if intent and intent["state"] != "sent":
        said.append(f"delivery {intent['state']}")
    yield ", ".join([*said, *(["set to posted in the VMS"] if acknowledged else [])])
    if intent and (again := sent_again(intent)):
        yield again
    if lines:
        yield short_lines(lines[:MOST_LINES], company_currency=company_currency(story), width=width)
    if len(lines) > MOST_LINES:
        yield f"… and {len(lines) - MOST_LINES} more lines: --full"


def _ledger(story: Explanation) -> Iterator[RenderableType]:
    items, rows = story.ledger["import_items"], story.ledger["subledger_rows"]
    booked = story.voucher_numbers
    posted = sorted({words.value(row["posted_date"]) for row in [*rows, *story.ledger["transactions"]]})
    levels = sorted({str(item["job_level_name"]) for item in items})
    imported = f"import: {words.plural(len(items), 'item')} {', '.join(levels)}" if items else ""
    if booked:
        yield ", ".join(part for part in (f"voucher {', '.join(booked)}, posted {', '.join(posted)}", imported) if part)
    else:
        yield imported or "nothing read of it yet"
    yield from _cut([f"item {item['import_item_db_id']}: {item['errors']}" for item in items if item["errors"]])
    yield from _cut([_open_row(row) for row in rows])


def _open_row(row: Mapping[str, Any]) -> str:
    due = f", due {words.value(row['due_date'])}" if row["due_date"] else ""
    number = f" {row['invoice_number']}" if row["invoice_number"] else ""
    left = words.number(row["invoice_remaining"], row["currency_code"])
    return f"{row['side']}{number} {words.amount(row['invoice_amount'], row['currency_code'])}, open {left}{due}"


def _payments(story: Explanation) -> Iterator[RenderableType]:
    matched: list[Mapping[str, Any]] = story.payments["matched_rows"]
    settled: Decimal | None = story.payments["settled"]
    currency = story.ledger["subledger_rows"][0]["currency_code"] if story.ledger["subledger_rows"] else None
    if settled is not None:
        yield f"settled in the ledger {words.amount(settled, currency)}"
    yield from _cut(
        [
            f"{row['side']} voucher {row['voucher_no']} ({row['source_code']}) {words.value(row['posted_date'])}, "
            f"{words.amount(row['invoice_amount'], row['currency_code'])}"
            for row in matched
        ]
    )
    sent = [
        f"in the VMS {row['document_no']}, {words.amount(row['document_amount'], currency)}, {row['state']}"
        for row in story.payments["transferred"]
    ]
    yield from _cut(sent)


def _checks(story: Explanation) -> Iterator[str]:
    failed = [check["title"] for check in story.checks if check["verdict"] == FAILED]
    looked = sum(check["verdict"] in {FAILED, PASSED} for check in story.checks)
    if failed:
        yield f"{words.plural(len(failed), 'fault')} of {looked} looked for: {'; '.join(failed)}"
    else:
        yield f"none of the {looked} faults looked for was found" if looked else "no rule has looked at it yet"


def _break(row: Mapping[str, Any], *, is_told: bool) -> str:
    accepted = f", accepted by {row['accepted_by']} ({row['accepted_reason']})" if row["is_accepted"] else ""
    return f"no:{row['break_id']} {row['kind']}{accepted}{'' if is_told else ': ' + row['message']}"
