"""close: one period, what stops it and its pack; with --seal its seal; close reopen takes a seal back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from pipelines.cli.common import (
    AsJson,
    Config,
    Reason,
    Today,
    answer,
    err,
    read_today,
    session,
    show_message,
    utc_now,
)
from pipelines.core.errors import UsageError

if TYPE_CHECKING:
    from pipelines.close.run import CloseResult

Period = Annotated[str, typer.Argument(metavar="PERIOD", help="The month, as 2026-10.")]
IsSealing = Annotated[
    bool, typer.Option("--seal", help="Seal it when it is over and nothing stops it; asks before it does.")
]
IsSure = Annotated[bool, typer.Option("--yes", help="With --seal: do not ask, as a script cannot answer.")]


class PeriodOrCommand(TyperGroup):
    """`close 2026-10` is the command ``default`` without its name; `close reopen 2026-10` is a command as any other."""

    default = "look"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 typer keeps these classes to itself
        """Leave every option to the command: the group has none of its own."""
        return super().parse_args(ctx, args if args and args[0] in self.commands else [self.default, *args])


class _Look(TyperCommand):
    def format_usage(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 typer keeps these classes to itself
        """Write how it is typed: without its name."""
        path = ctx.command_path.removesuffix(f" {PeriodOrCommand.default}")
        formatter.write_usage(path, " ".join(self.collect_usage_pieces(ctx)))


app = typer.Typer(
    name="close",
    cls=PeriodOrCommand,
    help="Look at a month, draft its pack, seal or reopen it.",
    add_completion=False,
    rich_markup_mode=None,
)


@app.command(cls=_Look)
def look(
    period: Period,
    *,
    is_sealing: IsSealing = False,
    is_sure: IsSure = False,
    today: Today = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Look at a month: say what stops it, and draft its pack.

    Both sides are read back. Nothing is sealed without --seal; a sealed month shows its pack and what came since.
    `springline close reopen PERIOD --reason TEXT` takes a seal back.
    """
    if is_sure and not is_sealing:
        raise UsageError("--yes answers what --seal asks.", next_step="add --seal, or leave --yes out.")
    # Before anything is read: an answer that nobody can give would be waited for in vain.
    if is_sealing and not is_sure and not sys.stdin.isatty():
        raise UsageError(
            "--seal asks before it seals, and there is no terminal to ask at.",
            next_step=f"look at it (springline close {period}); add --yes to seal what you have seen.",
        )
    closed = _close(period, is_sealing=is_sure, today=today, as_json=as_json, config=config)
    # Two runs and not one: no batch may wait for the warehouse while a person thinks.
    if is_sealing and not is_sure and closed.can_be_sealed:
        from pipelines.close.show import question  # noqa: PLC0415 a command imports what it runs

        err.print(question(closed), markup=False, highlight=False)
        if typer.confirm("Seal it?", err=True):
            closed = _close(period, is_sealing=True, seen=closed.seen, today=today, as_json=as_json, config=config)
    from pipelines.close.show import show_close  # noqa: PLC0415 ditto

    answer(closed, show_close, as_json=as_json)
    raise typer.Exit(closed.exit_code)


@app.command()
def reopen(period: Period, *, reason: Reason, as_json: AsJson = False, config: Config = None) -> None:
    """Reopen a sealed month, so that it can be sealed anew.

    Every pack that was sealed stays as it is; the next one is made beside it. What is late is late no more.
    """
    from pipelines.close.reopen import reopen as carry_out  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        result = carry_out(started.settings, period=period, reason=reason, operator=started.operator, now=utc_now)
    answer(result, show_message, as_json=as_json)


def _close(
    period: str,
    *,
    is_sealing: bool,
    today: str | None,
    as_json: bool,
    config: Path | None,
    seen: str | None = None,
) -> CloseResult:
    from pipelines.close.run import run_close  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        return started.in_turn(
            lambda: run_close(
                started.settings,
                period=period,
                is_sealing=is_sealing,
                seen=seen,
                operator=started.operator,
                now=utc_now,
                today=read_today(today),
                report=started.report,
                begin=started.begin,
            )
        )
