"""webhooks register, list, verify, remove: how both systems are told to call when something has changed."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.common import AsJson, Config, out, print_json, session, utc_now
from pipelines.core.drawing import draw_table
from pipelines.core.words import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipelines.watch.webhooks.events import Side
    from pipelines.watch.webhooks.noted import Noted
    from pipelines.watch.webhooks.shown import Shown

# As for a batch: something of the other side is not as it should be, or not known.
EXIT_NOT_WELL = 15
NONE = "There are no webhooks: both systems are asked in turn. `springline webhooks register` makes them."


class OneSide(StrEnum):
    """The side that is meant."""

    VMS = "vms"
    LEDGER = "ledger"


OnlySide = Annotated[OneSide | None, typer.Option("--side", help="Only those of one side.")]

app = typer.Typer(
    name="webhooks",
    help="Have both systems call when something has changed.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def register(*, side: OnlySide = None, as_json: AsJson = False, config: Config = None) -> None:
    """Make the webhooks of both systems.

    Those that are there stay, with the address and the password of the settings: to register twice makes nothing twice.
    """
    from pipelines.watch.webhooks import subscriptions  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        shown = subscriptions.register(started.settings, _sides(side), now=utc_now)
    _answer(shown, as_json=as_json)


@app.command("list")
def list_(*, as_json: AsJson = False, config: Config = None) -> None:
    """List the webhooks that were made; asks nobody."""
    from pipelines.watch.webhooks import subscriptions  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        noted = subscriptions.listed(started.settings)
    if as_json:
        print_json({"webhooks": [asdict(one) for one in noted]})
    elif noted:
        out.print(draw_table(("side", "for", "number there", "state", "asked"), map(_row, noted)))
    else:
        out.print(NONE, markup=False, highlight=False)


@app.command()
def verify(*, side: OnlySide = None, as_json: AsJson = False, config: Config = None) -> None:
    """Ask both systems whether each webhook still calls."""
    from pipelines.watch.webhooks import subscriptions  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        shown = subscriptions.verify(started.settings, _sides(side), now=utc_now)
    _answer(shown, as_json=as_json)


@app.command()
def remove(*, side: OnlySide = None, as_json: AsJson = False, config: Config = None) -> None:
    """Remove the webhooks of both systems.

    They are then asked in turn again, at the usual cadence.
    """
    from pipelines.watch.webhooks import subscriptions  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        shown = subscriptions.remove(started.settings, _sides(side), now=utc_now)
    if as_json:
        print_json({"webhooks": [one.as_dict() for one in shown]})
    elif shown:
        out.print(_table(shown))
    else:
        out.print("There are no webhooks.")
    raise typer.Exit(EXIT_NOT_WELL if any(one.done == "still there" for one in shown) else 0)


def _sides(side: OneSide | None) -> list[Side]:
    return ["vms", "ledger"] if side is None else ["vms"] if side is OneSide.VMS else ["ledger"]


def _answer(shown: Sequence[Shown], *, as_json: bool) -> None:
    if as_json:
        print_json({"webhooks": [one.as_dict() for one in shown]})
    elif shown:
        out.print(_table(shown))
        _tell(shown, out.print)
    else:
        out.print(NONE, markup=False, highlight=False)
    raise typer.Exit(0 if all(one.is_well for one in shown) else EXIT_NOT_WELL)


def _table(shown: Sequence[Shown]) -> object:
    headings = ["side", "for", "number there", "state"]
    rows = [[_side(one.side), one.name, one.subscription, one.state] for one in shown]
    if any(one.done for one in shown):
        headings.append("done")
        rows = [[*row, one.done] for row, one in zip(rows, shown, strict=True)]
    return draw_table(headings, rows)


def _tell(shown: Sequence[Shown], tell: Callable[..., None]) -> None:
    """Say once for each state what it means and what to do."""
    for state in dict.fromkeys(one.state for one in shown if not one.is_well):
        of = [one for one in shown if one.state == state]
        tell(f"{state}: {of[0].words} ({', '.join(one.name for one in of)}).", markup=False, highlight=False)
        tell(f"   Next: {of[0].next_step}", markup=False, highlight=False)


def _row(noted: Noted) -> tuple[str, ...]:
    return _side(noted.side), noted.name, noted.subscription, noted.state, moment(noted.checked_at)


def _side(side: str) -> str:
    return "VMS" if side == "vms" else "Xledger"
