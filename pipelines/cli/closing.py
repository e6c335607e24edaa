"""close: one period, what stops it, its pack, and its seal."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.cli.common import AsJson, Config, Today, answer, read_today, session, utc_now

Period = Annotated[str, typer.Argument(metavar="PERIOD", help="The month, as 2026-10.")]


def close(period: Period, *, today: Today = None, as_json: AsJson = False, config: Config = None) -> None:
    """Close a month: say what stops it, else seal it.

    Both sides are read back, and the period's pack is written in either case.
    """
    from pipelines.close.run import run_close  # noqa: PLC0415 a command imports what it runs
    from pipelines.close.show import show_close  # noqa: PLC0415

    with session(config, as_json=as_json) as started:
        result = run_close(
            started.settings,
            period=period,
            operator=started.operator,
            now=utc_now,
            today=read_today(today),
            report=started.report,
            begin=started.begin,
        )
    answer(result, show_close, as_json=as_json)
    raise typer.Exit(result.exit_code)
