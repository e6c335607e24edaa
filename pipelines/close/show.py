"""What a close says to whoever ran it: what stops it, the largest first, the totals by kind, and the seal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipelines.core import words
from pipelines.core.drawing import draw_table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from pipelines.close.run import CloseResult

# What a screen has room for; all of it is in the pack.
SHOWN = 40


def show_close(closed: CloseResult, console: Console) -> None:
    """Print what stops a close and what to do about it, then whether the period is sealed."""
    open_rows = closed.open
    for row in open_rows[:SHOWN]:
        console.print(_heading(row), markup=False, highlight=False)
        for line in filter(None, (row["reason"], row["next_step"] and f"Next: {row['next_step']}")):
            console.print(f"   {line}", markup=False, highlight=False)
    if len(open_rows) > SHOWN:
        console.print(f"… and {len(open_rows) - SHOWN} more, in {closed.pack}.", markup=False, highlight=False)
    if closed.stops:
        console.print(_totals(closed))
    for line in (*closed.faults, *closed.problems):
        console.print(f"! {line}", markup=False, highlight=False)
    console.print(verdict(closed), markup=False, highlight=False)


def verdict(closed: CloseResult) -> str:
    """Say in one sentence or two where the period stands."""
    count = len(closed.open)
    # The order counts: a period that could not be read or was sealed before says nothing of this run.
    if closed.state is None:
        return f"{closed.period} was not closed: both sides could not be read. Nothing was written. Next: run it again."
    if closed.was_sealed:
        since = (
            f"{closed.period} is sealed since {words.moment(closed.sealed_at)}; its pack {closed.pack} stays as it was."
        )
        late = f" {_things(count)} came since. Next: move what is listed to an open period, or accept it."
        return since + late if count else since
    if closed.state == "sealed":
        return f"{closed.period} is closed and sealed. Its pack is {closed.pack}; it will not be written again."
    if count:
        stops = f"{_things(count)} {'stops' if count == 1 else 'stop'} the close of {closed.period}"
        # Accepting is a way out as well: what is accepted is named in the pack.
        following = (
            "put right what is listed, or accept it by its number (springline breaks accept no:…), and close again"
        )
        return f"{stops}; its pack is {closed.pack}. Next: {following}."
    return f"Nothing stops {closed.period}, but it is not over yet. Its pack is {closed.pack}; close again to seal it."


def _things(count: int) -> str:
    return "One thing" if count == 1 else f"{count} things"


def _heading(row: Mapping[str, Any]) -> str:
    # Its own number and no rank: that is what `springline breaks accept` takes.
    number = "new" if row["break_id"] is None else f"no:{row['break_id']}"
    parts = (row["kind"], row["company_code"], _what(row), words.amount(row["amount"], row["currency_code"]))
    return f"{number}: {', '.join(part for part in parts if part)}"


def _what(row: Mapping[str, Any]) -> str:
    named = [row["document_no"], row["voyage_no"], row["account"]]
    return " ".join(part for part in named if part) or str(row["subject"])


def _totals(closed: CloseResult) -> Table:
    rows = ((kind, counts["open"], counts["accepted"]) for kind, counts in sorted(closed.totals().items()))
    return draw_table(("kind", "open", "accepted"), rows, title="By kind")
