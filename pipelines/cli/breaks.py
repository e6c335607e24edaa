"""breaks list, accept, reopen, comment: what differs between the two sides, and what people say to it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.common import AsJson, Config, Reason, answer, out, print_json, session, show_message, utc_now
from pipelines.core.drawing import draw_table
from pipelines.core.words import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from pipelines.steering.break_decisions import ListedBreak

Named = Annotated[
    str,
    typer.Argument(metavar="BREAK", help="Its number in the list, its subject or its document; no:12 means number 12."),
]
Text = Annotated[str, typer.Option(help="What to keep with it, with your name and the time.")]
Kind = Annotated[str | None, typer.Option(help="Only kinds that begin so, as document or 'payment over paid'.")]
Period = Annotated[str | None, typer.Option(help="Only those of this month, as 2026-10.")]
All = Annotated[bool, typer.Option("--all", help="Also those that are over.")]

app = typer.Typer(
    name="breaks",
    help="List what differs and needs a person; accept or comment.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_(
    *,
    kind: Kind = None,
    period: Period = None,
    is_all: All = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """List open breaks with their numbers, the oldest first.

    Accepted ones say by whom.
    """
    from pipelines.steering.break_decisions import list_breaks  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        rows = list_breaks(started.settings, kind=kind, period=period, is_all=is_all, now=utc_now)
    if as_json:
        print_json({"breaks": [asdict(row) for row in rows]})
    else:
        show_breaks(rows, out)


@app.command()
def accept(name: Named, *, reason: Reason, as_json: AsJson = False, config: Config = None) -> None:
    """Accept a break as it is, until its figures move."""
    _decide("accept", name, words=reason, as_json=as_json, config=config)


@app.command()
def reopen(name: Named, *, reason: Reason, as_json: AsJson = False, config: Config = None) -> None:
    """Take an acceptance back."""
    _decide("reopen", name, words=reason, as_json=as_json, config=config)


@app.command()
def comment(name: Named, *, text: Text, as_json: AsJson = False, config: Config = None) -> None:
    """Keep a comment with a break, for the next reader."""
    _decide("comment", name, words=text, as_json=as_json, config=config)


def _decide(action: str, name: str, *, words: str, as_json: bool, config: Path | None) -> None:
    from pipelines.steering.break_decisions import decide  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        result = decide(action, name, settings=started.settings, words=words, operator=started.operator, now=utc_now)
    # Exit code 0 also where nothing new was decided: the message says so, and a script may ask twice.
    answer(result, show_message, as_json=as_json)


def show_breaks(rows: Sequence[ListedBreak], console: Console) -> None:
    """Print the list of breaks as a table."""
    if not rows:
        console.print("No break is open.")
        return
    headings = ("no", "kind", "period", "days", "amount", "message", "next step", "accepted")
    console.print(draw_table(headings, map(_cells, rows)))


def _cells(row: ListedBreak) -> tuple[object, ...]:
    # What somebody has said since stands beside the reason, not in its place.
    accepted = f"by {row.accepted_by}: {row.accepted_reason}" if row.is_accepted else ""
    said = "\n".join(filter(None, (accepted, row.comment and f"comment: {row.comment}")))
    figure = amount(row.amount, row.currency)
    return row.break_id, row.kind, row.period, row.age_days, figure, row.message, row.next_step, said
