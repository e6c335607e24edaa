"""alerts: what stands of what people are told; tell looks for it anew and delivers it, test tries each address."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from pipelines.cli.common import AsJson, Config, out, print_json, session, utc_now
from pipelines.core.errors import UsageError

# As a run that a system did not answer (docs/how-to/exit-codes.md).
NOT_TOLD = 11


class _ListOrCommand(TyperGroup):
    """`alerts` with nothing behind it, or with options alone, is `alerts list`; its help names all commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 typer keeps these classes to itself
        """Leave every option but that for help to the command: the group has none of its own."""
        own = {*self.commands, *ctx.help_option_names}
        return super().parse_args(ctx, args if args and args[0] in own else ["list", *args])


app = typer.Typer(
    name="alerts",
    cls=_ListOrCommand,
    help="List what people are told of; try it, and tell them now.",
    add_completion=False,
    rich_markup_mode=None,
)


@app.command("list")
def list_alerts(*, as_json: AsJson = False, config: Config = None) -> None:
    """Show what needs people now, and whether they were told."""
    from pipelines.watch.alerts.listing import read_alerts, show_alerts  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        alerts = read_alerts(started.settings, now=utc_now())
        if as_json:
            print_json(alerts.as_dict())
        else:
            show_alerts(alerts, started.settings, out)


@app.command()
def tell(*, as_json: AsJson = False, config: Config = None) -> None:
    """Look for what needs people, and tell what is new or over.

    `springline watch` does this by itself; where runs are scheduled without it, a
    schedule of its own calls this every few minutes.
    """
    from contextlib import closing  # noqa: PLC0415 a command imports what it runs

    from pipelines.stores.lost import open_control  # noqa: PLC0415
    from pipelines.watch.alerts.listing import read_alerts, show_alerts  # noqa: PLC0415
    from pipelines.watch.alerts.post import read_addresses  # noqa: PLC0415
    from pipelines.watch.alerts.tell import tell_alerts  # noqa: PLC0415

    with session(config, as_json=as_json) as started:
        read_addresses(started.settings)
        with closing(open_control(started.settings)) as control:
            tell_alerts(started.settings, control, utc_now()).wait()
        alerts = read_alerts(started.settings, now=utc_now())
        if as_json:
            print_json(alerts.as_dict())
        else:
            show_alerts(alerts, started.settings, out)
    raise typer.Exit(NOT_TOLD if alerts.problems else 0)


@app.command("test")
def try_addresses(*, as_json: AsJson = False, config: Config = None) -> None:
    """Send one message to each address, and show what came of it."""
    from pipelines.watch.alerts.message import trial  # noqa: PLC0415 a command imports what it runs
    from pipelines.watch.alerts.post import SETTING, post, read_addresses  # noqa: PLC0415

    with session(config, as_json=as_json) as started:
        addresses = read_addresses(started.settings)
        if not addresses:
            raise UsageError("Nobody is told: alerts.urls is not set.", next_step=f"set {SETTING}.")
        outcomes = post(trial(), addresses)
    if as_json:
        print_json({"addresses": [{"address": one.address.label, "problem": one.problem} for one in outcomes]})
    else:
        for one in outcomes:
            out.print(f"{one.address.label}: {one.problem or 'took the message'}", markup=False, highlight=False)
    raise typer.Exit(NOT_TOLD if any(one.problem for one in outcomes) else 0)
