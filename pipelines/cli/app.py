"""The command line: every command in its place, and the code it ends with."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from pipelines import __version__
from pipelines.cli import backup, breaks, closing, daily, going_live, query, questions, steering
from pipelines.cli.common import err, out
from pipelines.core.errors import SpringlineError

# What each is for -> its commands, and groups of commands.
BY_PANEL: Mapping[str, Sequence[Callable[..., None] | typer.Typer]] = {
    "Every day": (daily.run, daily.status, backup.backup),
    "Decide": (steering.hold, steering.release, steering.ignore, steering.retry, breaks.app),
    "Ask": (questions.explain, questions.preflight, query.query, questions.models),
    "Month's end": (closing.app,),
    "First day": (going_live.check, going_live.adopt, going_live.sandbox, going_live.demo),
}


class CommandsByPanel(TyperGroup):
    """Lists the commands by what they are for, as plain text; typer itself groups them only inside drawn boxes."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002 typer keeps these classes to itself
        """Write one section for each panel, in the order in which commands were added."""
        # typer lists groups behind all commands; here each stands where it belongs.
        panels: dict[str, list[tuple[str, str]]] = {panel: [] for panel in BY_PANEL}
        # 6: the indent, and the gap between a name and its help, as the formatter draws them.
        limit = formatter.width - 6 - max(map(len, self.commands))
        for name, command in self.commands.items():
            panels[getattr(command, "rich_help_panel", "")].append((name, command.get_short_help_str(limit)))
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)


app = typer.Typer(
    name="springline",
    cls=CommandsByPanel,
    help="Keeps a voyage management system and an accounting system in step.",
    no_args_is_help=True,
    add_completion=False,
    # A bug's traceback is printed plainly: the pretty one shows local variables, and with them secrets and accounts.
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for panel, commands in BY_PANEL.items():
    # In the order in which a person reads them, which is the order of the help.
    for command in commands:
        if isinstance(command, typer.Typer):
            app.add_typer(command, rich_help_panel=panel)
        else:
            app.command(rich_help_panel=panel)(command)


def _print_version(is_asked: bool) -> None:  # noqa: FBT001 typer calls it so
    if is_asked:
        out.print(f"springline {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _options(
    *,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the release and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    pass


def main() -> NoReturn:
    """Run the command line; an expected failure ends with its message and exit code, a bug with a traceback and 1."""
    # Libraries, syntax trees and suites of checks are millions of small objects that stay and are hardly ever garbage.
    # To look through them after every 700 new ones, as Python does, takes an eighth of the time of a first run's start.
    gc.set_threshold(100_000, 20, 50)
    try:
        app(standalone_mode=True)
    except SpringlineError as error:
        # Its message says what happened and what to do next; a traceback would hide that. A bug keeps its traceback.
        err.print(str(error), style="red", markup=False, highlight=False)
        sys.exit(error.exit_code)
    sys.exit(0)


if __name__ == "__main__":
    main()
