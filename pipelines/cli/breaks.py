"""breaks list, accept, reopen, comment: what differs between the two sides, and what people say to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from pipelines.cli.common import AsJson, Config, errors_as_json, operator_name, out, print_json, utc_now
from pipelines.core.words import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from pipelines.steering.break_decisions import ListedBreak

Named = Annotated[
    str,
    typer.Argument(metavar="BREAK", help="Its number in the list, its subject or its document; no:12 means number 12."),
]
Reason = Annotated[str, typer.Option(help="Why; it is kept with your name and the time.")]
Text = Annotated[str, typer.Option(help="What to keep with it, with your name and the time.")]
Kind = Annotated[str | None, typer.Option(help="Only kinds that begin so, as document or 'payment over paid'.")]
Period = Annotated[str | None, typer.Option(help="Only those of this month, as 2026-10.")]
All = Annotated[bool, typer.Option("--all", help="Also those that are over.")]

app = typer.Typer(
    name="breaks",
    help="List what differs between the two sides and needs a person; accept, reopen or comment it.",
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
    """List the open breaks with their numbers, the oldest first; the accepted ones say by whom."""
    from pipelines.core.settings import load_settings  # noqa: PLC0415
    from pipelines.steering.break_decisions import list_breaks  # noqa: PLC0415 a command imports what it runs

    with errors_as_json(as_json=as_json):
        settings = load_settings(config, environ=os.environ)
        found = list_breaks(settings, kind=kind, period=period, is_all=is_all, now=utc_now)
    if as_json:
        print_json({"breaks": [one.as_dict() for one in found]})
    else:
        show_breaks(found, out)


@app.command()
def accept(name: Named, *, reason: Reason, as_json: AsJson = False, config: Config = None) -> None:
    """Accept a break as it is; the acceptance falls when its figures move."""
    _decide("accept", name, words=reason, as_json=as_json, config=config)


@app.command()
def reopen(name: Named, *, reason: Reason, as_json: AsJson = False, config: Config = None) -> None:
    """Take an acceptance back."""
    _decide("reopen", name, words=reason, as_json=as_json, config=config)


@app.command()
def comment(name: Named, *, text: Text, as_json: AsJson = False, config: Config = None) -> None:
    """Keep words with a break, for whoever looks at it next."""
    _decide("comment", name, words=text, as_json=as_json, config=config)


def _decide(action: str, name: str, *, words: str, as_json: bool, config: Path | None) -> None:
    from pipelines.core.settings import load_settings  # noqa: PLC0415
    from pipelines.steering.break_decisions import decide  # noqa: PLC0415 a command imports what it runs

    with errors_as_json(as_json=as_json):
        settings = load_settings(config, environ=os.environ)
        operator = operator_name(os.environ)
        done = decide(action, name, settings=settings, words=words, operator=operator, now=utc_now)
    if as_json:
        print_json(done.as_dict())
    else:
        out.print(done.message, markup=False, highlight=False)


def show_breaks(found: Sequence[ListedBreak], console: Console) -> None:
    """Print the list of breaks as a table."""
    if not found:
        console.print("No break is open.")
        return
    table = Table("no", "kind", "period", "days", "amount", "message", "next step", "accepted")
    for one in found:
        accepted = f"by {one.accepted_by}: {one.comment}" if one.is_accepted else one.comment or ""
        cells = (
            str(one.break_id),
            one.kind,
            one.period,
            str(one.age_days),
            amount(one.amount, one.currency),
            one.message,
            one.next_step,
            accepted,
        )
        table.add_row(*map(escape, cells))
    console.print(table)
