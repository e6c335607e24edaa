"""backup: a copy of the control store, made while everything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.common import AsJson, Config, out, print_json, session
from pipelines.core.words import moment

File = Annotated[Path, typer.Argument(help="File to write, on another disk than the control store.", dir_okay=False)]
Force = Annotated[bool, typer.Option("--force", help="Replace the file when it exists.")]


def backup(file: File, *, is_forced: Force = False, as_json: AsJson = False, config: Config = None) -> None:
    """Copy the control store to a file while everything runs."""
    from pipelines.stores.backup import back_up  # noqa: PLC0415 a command imports what it runs

    with session(config, as_json=as_json) as started:
        made = back_up(started.settings.control_place, file, is_forced=is_forced)
    if as_json:
        print_json(made.as_dict())
        return
    reach = "before anything was sent" if made.event_at is None else f"up to event {made.event_no:,}"
    when = "" if made.event_at is None else f" of {moment(made.event_at)}"
    out.print(
        f"Copied the control store {made.control} to {made.file}: {made.size:,} bytes, {reach}{when}; checked, sound.",
        markup=False,
        highlight=False,
    )
    out.print(f"To put it back: {made.put_back}", markup=False, highlight=False)
