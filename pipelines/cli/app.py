"""The command line: every command in its place, and the code it ends with."""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from pipelines import __version__
from pipelines.cli import (
    alerts,
    backup,
    breaks,
    closing,
    control,
    daily,
    going_live,
    query,
    questions,
    recovery,
    steering,
    watching,
    webhooks,
)
from pipelines.cli.common import err, errors_as_json, out
from pipelines.cli.voice import with_voice
from pipelines.core.access import keep_private
from pipelines.core.disk import disk_fault
from pipelines.core.errors import SpringlineError, UsageError
from pipelines.core.hiding import hide_in_tracebacks

# As shells have them: 128 and the number of the signal (SIGINT, SIGPIPE).
STOPPED, READER_GONE = 130, 141


@contextmanager
def _interrupted() -> Iterator[None]:
    """End a command that nobody listens to any more, or that somebody stops, with its code and no traceback."""
    try:
        yield
    except KeyboardInterrupt:
        err.print("Stopped. What was sent is recorded, and the next run goes on from there.")
        raise typer.Exit(STOPPED) from None
    except BrokenPipeError:
        raise typer.Exit(READER_GONE) from None


# What each is for -> its commands, and groups of commands.
BY_PANEL: Mapping[str, Sequence[Callable[..., None] | typer.Typer]] = {
    "Every day": (daily.run, watching.watch, daily.status, alerts.app, backup.backup),
    "Decide": (steering.hold, steering.release, steering.ignore, steering.retry, breaks.app),
    "Ask": (questions.explain, questions.preflight, query.query, questions.models),
    "Month's end": (closing.app,),
    "When something broke": (recovery.verify, recovery.restore, recovery.rebuild, recovery.confirm, control.app),
    "First day": (
        going_live.init,
        going_live.check,
        going_live.adopt,
        webhooks.app,
        going_live.sandbox,
        going_live.demo,
    ),
}


class CommandsByPanel(TyperGroup):
    """Lists the commands by what they are for, as plain text; typer itself groups them only inside drawn boxes."""

    def make_context(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 typer keeps these classes to itself
        """Read the command line; help and release are printed here."""
        with _interrupted():
            return super().make_context(*arguments, **named)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 as above
        """Run a command."""
        with _interrupted():
            return super().invoke(ctx)

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
    context_settings={"help_option_names": ["-h", "--help"]},
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

for group in (app, alerts.app, breaks.app, closing.app, control.app, webhooks.app):
    for registered in group.registered_commands:
        registered.callback = registered.callback and with_voice(registered.callback)


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
    # Nor once more at the very end, when all is written and closed: a second where the checks were imported.
    atexit.register(gc.freeze)
    keep_private()
    hide_in_tracebacks()
    for stream in (sys.stdout, sys.stderr):
        # Names in both systems have letters that no ASCII terminal knows; --json is UTF-8 wherever it is read.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        with errors_as_json(as_json="--json" in sys.argv):
            _look_at_words(sys.argv[1:])
        app(prog_name="springline")
    except SystemExit as end:
        code = end.code
    except Exception as error:
        told = disk_fault(error) or error
        if not isinstance(told, SpringlineError):
            raise
        # Its message says what happened and what to do next; a traceback would hide that. A bug keeps its traceback.
        err.print(str(told), style="red", markup=False, highlight=False)
        code = told.exit_code
    sys.exit(_said(code))


def _look_at_words(words: Sequence[str]) -> None:
    """Raise UsageError for a word that is not UTF-8: Python brings its bytes as halves of characters.

    No store, no request and no other library takes those.
    """
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            shown = word.encode(errors="backslashreplace").decode()
            raise UsageError(
                f"{shown} is not UTF-8.", next_step="type it in a terminal of UTF-8; a file needs another name."
            ) from None


def _said(code: str | int | None) -> str | int | None:
    """Write what is still on its way to the reader, and return the exit code."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The answer was whole, so the code stands. Python itself would complain when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        told = disk_fault(error)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if told is None:
            raise
        err.print(str(told), style="red", markup=False, highlight=False)
        return told.exit_code
    return code


if __name__ == "__main__":
    main()
