"""Names and texts of other systems never steer the terminal of whoever reads them, and mean what they say."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.table import Table

from pipelines.cli.common import Screen, print_json
from tests.cli.springline import Terminal

STEERING = [
    "\x1b[31mred", "\x1b]0;title\x07", "\x1b]8;;http://evil.example\x1b\\link", "\x9b2J", "a\rb", "a\x08b",
    "\x07", "\x7f", "\u202eabc", "\u2066abc",
]  # fmt: skip
MARKUP = ["[bold]x[/bold]", "[/]", "[link=http://evil.example]x[/link]", "[red", ":warning:", "\\[x]"]


@pytest.mark.parametrize("text", STEERING, ids=range(len(STEERING)))
@pytest.mark.parametrize("is_terminal", [True, False])
def test_no_name_steers_the_terminal(text: str, is_terminal: bool) -> None:  # noqa: FBT001 a case
    screen = Screen()
    screen.file = shown = StringIO()
    screen._force_terminal = is_terminal
    table = Table("name", title=text)
    table.add_row(text)
    screen.print(f"No such name: {text}", markup=False, highlight=False)
    screen.print(table)
    steering = [sign for sign in text if not sign.isprintable() and sign != "\x1b"]
    assert not any(sign in shown.getvalue() for sign in steering)
    # rich's own colours are all that is left of them.
    assert text not in shown.getvalue()
    assert "No such name: " in shown.getvalue()


@pytest.mark.parametrize("text", [*STEERING, *MARKUP], ids=range(len(STEERING) + len(MARKUP)))
def test_what_is_printed_as_json_is_what_was_there(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": text})
    shown = capsys.readouterr().out
    assert json.loads(shown) == {"name": text}
    assert shown.replace("\n", "").isprintable()


@pytest.mark.parametrize("text", MARKUP, ids=range(len(MARKUP)))
def test_a_name_is_no_markup(text: str, terminal: Terminal) -> None:
    terminal.keep("holds", document_key=1, document_no="2707400", rule="x", message=f"INI 2707400: {text} is missing.")
    ended = terminal.run("explain", "2707400")
    assert "Traceback" not in ended.err
    assert text in terminal.run("hold", text, "--reason", text).out


PATHS = ("../../etc/passwd", "/dev/null", "2026-10/../../x", "2026-10\n", "~", "C:\\x", "2026-13")


@pytest.mark.parametrize("text", PATHS, ids=range(len(PATHS)))
def test_a_path_is_no_period_and_opens_nothing(text: str, terminal: Terminal) -> None:
    before = {path.name for path in terminal.folder.iterdir()}
    ended = terminal.run("close", text)
    assert (ended.code, "is no period" in ended.err) == (2, True)
    assert {path.name for path in terminal.folder.iterdir()} == before
