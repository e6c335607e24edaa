"""What a close says to whoever ran it: what stops it, the largest first, totals by kind, where the period stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipelines.core import words
from pipelines.core.drawing import draw_table, indented, say
from pipelines.core.words import plural

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from pipelines.close.run import CloseResult
    from pipelines.stores.seals import Close

# What a screen has room for; all of it is in the pack.
SHOWN = 40


def show_close(closed: CloseResult, console: Console) -> None:
    """Print what stops a close and what to do about it, then where the period stands."""
    open_rows = closed.open
    for row in open_rows[:SHOWN]:
        say(console, _heading(row))
        for line in filter(None, (row["reason"], row["next_step"] and f"Next: {row['next_step']}")):
            console.print(indented(line, console, by=3))
    if len(open_rows) > SHOWN:
        say(console, f"… and {len(open_rows) - SHOWN} more, in {closed.pack}.")
    if closed.stops:
        console.print(_totals(closed))
    for line in (*closed.faults, *closed.problems):
        say(console, f"! {line}")
    say(console, verdict(closed))


def question(closed: CloseResult) -> str:
    """Say what somebody is about to seal, and what it means."""
    names = Counter(str(row["accepted_by"]) for row in closed.accepted)
    by = ", ".join(f"{count} by {name}" for name, count in sorted(names.items()))
    accepted = (
        f"{plural(len(closed.accepted), 'thing is', 'things are')} accepted ({by})" if names else "nothing was accepted"
    )
    version = closed.close.pack_version if closed.close else 1
    return (
        f"Nothing stops {closed.period}: {accepted}. Its draft is {closed.pack}. Sealed as version {version}, this "
        "pack stays for good, and whatever comes into the month later is told."
    )


def verdict(closed: CloseResult) -> str:
    """Say in a few sentences where the period stands, and what to do next."""
    close, period = closed.close, closed.period
    # The order counts: a period that could not be read or was sealed before says nothing of this run.
    if close is None:
        return f"{period} was not closed: both sides could not be read. Nothing was written. Next: run it again."
    if closed.was_sealed:
        return _sealed_before(closed, close)
    if close.is_sealed:
        return (
            f"{period} is closed and sealed by {close.sealed_by}, version {close.version}. "
            f"Its pack is {closed.pack}; it will not be written again."
        )
    return f"{_reopened(closed)}{_draft(closed, close)}"


def _sealed_before(closed: CloseResult, close: Close) -> str:
    count = len(closed.open)
    drawn = ", ".join(one.operator for one in closed.prepared) or close.sealed_by
    since = (
        f"{closed.period} is sealed since {words.moment(close.sealed_at)} by {close.sealed_by}, "
        f"version {close.version}, drawn up by {drawn}; its pack {closed.pack} stays as it was."
    )
    if closed.seen is None:
        return f"{since} Both sides could not be read, so nobody knows what came since. Next: run it again."
    if not count:
        return since
    return (
        f"{since} {_things(count)} came since. Next: move what is listed to an open period, or accept it; or reopen "
        f"the month (springline close reopen {closed.period} --reason …) and seal it anew."
    )


def _reopened(closed: CloseResult) -> str:
    if not closed.reopened:
        return ""
    last = closed.reopened[-1]
    return (
        f"{closed.period} was reopened by {last['operator']} at {words.moment(last['at'])}: {last['reason']} "
        f"(version {last['version'] - 1} of its pack stays as it is). "
    )


def _draft(closed: CloseResult, close: Close) -> str:
    period, count = closed.period, len(closed.open)
    draft = f"Its pack is {closed.pack}, a draft of version {close.pack_version}"
    if closed.has_moved:
        moved = f"{period} was not sealed: it has moved since you looked at it. {draft}."
        return f"{moved} Next: see what is new above, then springline close {period} --seal."
    if count:
        stops = f"{_things(count)} {'stops' if count == 1 else 'stop'} the close of {period}"
        # Accepting is a way out as well: what is accepted is named in the pack.
        following = (
            "put right what is listed, or accept it by its number (springline breaks accept no:…), and close again"
        )
        return f"{stops}. {draft}. Next: {following}."
    if not closed.is_over:
        following = f"seal it when it is over (springline close {period} --seal)"
        return f"Nothing stops {period}, but it is not over yet. {draft}. Next: {following}."
    return f"Nothing stops {period}. {draft}; nothing is sealed yet. Next: springline close {period} --seal."


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
