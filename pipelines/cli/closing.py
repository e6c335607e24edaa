"""close: one period, what stops it, its pack, and its seal."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from pipelines.cli.common import AsJson, Config, err, errors_as_json, operator_name, out, print_json, read_day, utc_now

Period = Annotated[str, typer.Argument(metavar="PERIOD", help="The month, as 2026-10.")]


def close(
    period: Period,
    *,
    today: Annotated[str | None, typer.Option(help="The accounting day, 2026-11-02; today in Oslo otherwise.")] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Close a period: read both sides back, say what stops it, write its pack, and seal it when nothing does."""
    from pipelines.cli.progress import progress  # noqa: PLC0415
    from pipelines.close.run import run_close  # noqa: PLC0415
    from pipelines.close.show import show_close  # noqa: PLC0415
    from pipelines.core import log  # noqa: PLC0415 a command imports what it runs
    from pipelines.core.settings import load_settings  # noqa: PLC0415

    log.configure_logging(stream=sys.stderr)
    with errors_as_json(as_json=as_json):
        settings = load_settings(config, environ=os.environ)
        with progress(err, is_shown=sys.stderr.isatty() and not as_json) as report:
            closed = run_close(
                settings,
                period=period,
                operator=operator_name(os.environ),
                now=utc_now,
                today=None if today is None else read_day(today, option="--today"),
                report=report,
            )
    if as_json:
        print_json(closed.as_dict())
    else:
        show_close(closed, out)
    raise typer.Exit(closed.exit_code)
