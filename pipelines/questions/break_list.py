"""Shows breaks: counted by kind with the oldest and largest first, and on request each of a kind, or all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.core import words
from pipelines.core.drawing import say
from pipelines.core.words import moment
from pipelines.questions.listing import Item, grouped, show_counts, show_groups, show_items
from pipelines.questions.who_acts import acts_on_break

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.steering.break_decisions import ListedBreak

LIST = "springline breaks list"
# So many on the first screen, that it fits a terminal of 24 lines; and of each kind where some are asked for.
MOST_KINDS, MOST_FIRST, MOST_OF_KIND = 8, 3, 5
SHOWN = (
    "break_id", "kind", "subject", "company", "document_no", "period", "message", "next_step", "until", "age_days",
    "amount", "currency", "is_accepted", "accepted_by", "accepted_reason", "comment",
    "end_reason",
)  # fmt: skip


def show_breaks(
    rows: Sequence[ListedBreak],
    console: Console,
    *,
    asked: Mapping[str, str | None] | None = None,
    is_full: bool = False,
) -> None:
    """Print breaks: an overview, or with ``asked`` (filters by the names of their options) the breaks themselves."""
    options = {name: value for name, value in (asked or {}).items() if value}
    if not rows:
        # A slip of the pen must not be taken for good news.
        console.print(f"No such break is open. {LIST} counts all kinds." if options else "No break is open.")
        return
    items = [as_item({name: getattr(row, name) for name in SHOWN}) for row in rows]
    if not (is_full or options):
        _overview(rows, items, console)
        return
    others = "".join(f" --{name} {value}" for name, value in options.items() if name != "kind")
    most = None if is_full else MOST_OF_KIND
    show_groups(grouped(items), console, most=most, more=f"{LIST}{others} --kind {{}} --full")


def _overview(rows: Sequence[ListedBreak], items: Sequence[Item], console: Console) -> None:
    standing = [item for row, item in zip(rows, items, strict=True) if not row.is_accepted and row.until is None]
    others = len(rows) - len(standing)
    left_out = f" {words.plural(others, 'other is', 'others are')} accepted or over: {LIST} --full" if others else ""
    say(console, f"{words.plural(len(standing), 'break needs', 'breaks need')} a person.{left_out}", style="bold")
    groups = grouped(standing)
    if not groups:
        return
    show_counts(groups, console, heading="kind", most=MOST_KINDS, more=f"{LIST} --full")
    console.print()
    first = sorted(standing, key=lambda item: (-item.age_days, -item.weight))[:MOST_FIRST]
    say(console, "The oldest, of the same day the largest:" if len(standing) > len(first) else "They are:")
    show_items(first, console)
    say(console, "More: --kind KIND (as above), --period MONTH; all of it: --full", style="dim")


def _ended(row: Mapping[str, Any]) -> str:
    if row["until"] is None:
        return ""
    return f"over since {moment(row['until'])}" + (f" ({row['end_reason']})" if row["end_reason"] else "")


def as_item(row: Mapping[str, Any]) -> Item:
    """Make an item of a break, as `status --json` and `breaks list --json` have it.

    Its amount is compared with others as it is, whatever its currency: that decides the order alone.
    """
    # What somebody has said since stands beside the reason, not in its place.
    accepted = f"accepted by {row['accepted_by']}: {row['accepted_reason']}" if row["is_accepted"] else ""
    remarks = [
        accepted,
        f"comment: {row['comment']}" if row["comment"] else "",
        _ended(row),
    ]
    return Item(
        subject=f"no:{row['break_id']} {row['document_no'] or row['subject']}",
        group=row["kind"],
        code=row["kind"],
        who=acts_on_break(row["kind"]),
        found=row["message"],
        step=row["next_step"],
        age_days=row["age_days"],
        company=row["company"],
        amount=row["amount"],
        currency=row["currency"],
        weight=abs(row["amount"] or Decimal(0)),
        remark=", ".join(remark for remark in (f"counts in {row['period']}", *remarks) if remark),
    )
