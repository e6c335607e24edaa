"""Gives a command line that stands somewhere in words to the real parser, without running it."""

from __future__ import annotations

from collections.abc import Sequence

import typer
from typer.core import TyperGroup

from pipelines.batch.jobs import JOBS
from pipelines.cli.app import app

COMMANDS = typer.main.get_command(app)


def fault_of(words: Sequence[str]) -> str:
    """Say why the command line would not take these words; an empty text when it would.

    A command that is named without anything behind it is meant as such: whoever reads it has its help.
    """
    command, names = COMMANDS, list(words)
    while isinstance(command, TyperGroup):
        if not names:
            return ""
        if names[0] not in command.commands:
            return f"there is no command {' '.join(words)}"
        command, names = command.commands[names[0]], names[1:]
    if not names:
        return ""
    try:
        context = command.make_context(command.name, names)
    # typer has a copy of its parser, whose errors nobody can import: a wrong line says so in words, whatever it raises.
    except Exception as error:  # noqa: BLE001
        return f"{type(error).__name__} {error}"
    if command.name == "run" and (unknown := {*(context.params["jobs"] or ())} - JOBS.keys()):
        return f"there is no job {unknown}"
    return ""
