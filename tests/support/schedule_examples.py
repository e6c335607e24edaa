"""The examples of docs/how-to/schedule.md: where they are, how ends count, and the lines of cron."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from pipelines.core.settings import setting_variables
from pipelines.reference.commands import exit_codes

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
EXAMPLES = HOW_TO / "schedules"
RESULTS, TRIED_AGAIN, BUSY = {0, 14, 16}, {11, 15, 17}, 17
# What stays until somebody does something; 130 and 141 are a person's at a terminal.
ALARMS = set(exit_codes()) - RESULTS - TRIED_AGAIN - {130, 141}
VARIABLES = {*setting_variables()}


def names_only_known_variables(names: Iterator[str]) -> bool:
    """Tell whether each variable of ours that an example sets is one."""
    ours = [name for name in names if name.startswith("SPRINGLINE_")]
    return bool(ours) and all(name in VARIABLES for name in ours)


def cron_lines() -> Iterator[tuple[list[str], list[str]]]:
    """Yield the five fields of each line of the crontab, and the words behind the user."""
    for line in (EXAMPLES / "crontab").read_text("utf-8").splitlines():
        if line and not line.startswith("#") and not re.match(r"[A-Z_]+=", line):
            *fields, user, command = line.split(maxsplit=6)
            assert user == "springline"
            # cron takes a percent sign for the end of the line.
            assert "%" not in command
            yield fields, shlex.split(command)
