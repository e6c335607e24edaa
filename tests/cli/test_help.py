"""The help of the command line: every line whole at 80 columns, commands by what they are for, and the release."""

from __future__ import annotations

import pytest

from pipelines import __version__
from tests.cli.springline import Terminal


@pytest.mark.parametrize("group", [(), ("breaks",), ("close",)])
def test_at_80_columns_no_line_is_cut(group: tuple[str, ...], terminal: Terminal) -> None:
    terminal.set(COLUMNS="80", TERMINAL_WIDTH="80")
    lines = terminal.run(*group, "--help").out.splitlines()
    assert not [line for line in lines if line.endswith("...") and not line.startswith("Usage:")]
    assert max(map(len, lines)) <= 80


def test_commands_are_listed_by_what_they_are_for(terminal: Terminal) -> None:
    lines = terminal.run("--help").out.splitlines()
    panels = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert panels == [
        "Options:",
        "Every day:",
        "Decide:",
        "Ask:",
        "Month's end:",
        "When something broke:",
        "First day:",
    ]


def test_the_release_is_that_of_the_package(terminal: Terminal) -> None:
    ended = terminal.run("--version")
    assert (ended.code, ended.out) == (0, f"springline {__version__}\n")
