"""adopt: the day on which Springline takes over from people who posted by hand."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from pipelines.cli.common import AsJson, Config, err, errors_as_json, operator_name, out, print_json, read_day, utc_now

Before = Annotated[str, typer.Option(help="The first day Springline posts for: documents dated earlier are looked at.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be adopted and held; write nothing.")]
Acknowledge = Annotated[bool, typer.Option("--acknowledge", help="Set what is adopted to posted in the VMS.")]


def adopt(
    *,
    before: Before,
    dry_run: DryRun = False,
    acknowledge: Acknowledge = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Find documents that people posted by hand in the ledger's books and take them over; hold the others."""
    from pipelines.cli.progress import progress  # noqa: PLC0415
    from pipelines.core import log  # noqa: PLC0415 a command imports what it runs
    from pipelines.core.settings import load_settings  # noqa: PLC0415
    from pipelines.going_live.adopt import run_adopt, show_adoption  # noqa: PLC0415

    log.configure_logging(stream=sys.stderr)
    with errors_as_json(as_json=as_json):
        settings = load_settings(config, environ=os.environ)
        with progress(err, is_shown=sys.stderr.isatty() and not as_json) as report:
            found = run_adopt(
                settings,
                before=read_day(before, option="--before"),
                operator=operator_name(os.environ),
                now=utc_now,
                is_dry_run=dry_run,
                is_acknowledged=acknowledge,
                report=report,
            )
    if as_json:
        print_json(found.as_dict())
    else:
        show_adoption(found, out)
    raise typer.Exit(found.exit_code)
