"""What every command needs: its session, where it prints, the options of all, and the one clock."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

import typer
from rich.console import Console

from pipelines.cli.voice import Voice, voice
from pipelines.core.disk import disk_fault, room_on
from pipelines.core.errors import DiskFullError, SpringlineError, UsageError
from pipelines.core.operators import operator_name

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderableType
    from rich.segment import Segment

    from pipelines.cli.progress import Report
    from pipelines.core.settings import Settings


# What moves the cursor, colours, or turns the direction of writing: all but the line feed. It comes in names.
STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
MARK = "\N{REPLACEMENT CHARACTER}"
# Of the width of a terminal.
MOST_DIGITS = 4


class Screen(Console):
    """A console that leaves it to the command line what happens when its reader has gone."""

    def __init__(self, *, stderr: bool = False) -> None:
        """Write on stdout, or on stderr; as wide as the terminal, or as COLUMNS says where that is a width."""
        # rich takes "²" for a number, and ends with a traceback.
        environ = {
            name: value
            for name, value in os.environ.items()
            if name not in {"COLUMNS", "LINES"} or (value.isascii() and value.isdecimal() and len(value) <= MOST_DIGITS)
        }
        # Soft wrap: a message copied from the terminal or a log keeps its words on one line.
        # No emoji: rich would make another sign of a name with `:x:` in it, also where nothing is read as markup.
        super().__init__(stderr=stderr, soft_wrap=True, emoji=False, _environ=environ)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Draw anything; a character that would steer the terminal stands there as a mark, whoever's name it is in."""
        for segment in super().render(renderable, options):
            # Those that rich itself steers with are marked as such, and colours are no part of a text.
            is_steered = segment.control or not STEERING.search(segment.text)
            yield (segment if is_steered else segment._replace(text=STEERING.sub(MARK, segment.text)))

    def on_broken_pipe(self) -> None:
        """Raise; rich itself would end the program with exit code 1, which is that of a bug."""
        raise BrokenPipeError


out = Screen()
err = Screen(stderr=True)

Tenants = Annotated[
    Path | None,
    typer.Option(help="List of tenants (tenants.toml): ask the lakes of all of them at once.", dir_okay=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]
Config = Annotated[
    Path | None, typer.Option("--config", help="Settings file; springline.toml when there is one.", dir_okay=False)
]
Document = Annotated[
    str, typer.Argument(metavar="DOCUMENT", help="Its number, else its key; key:5200777 means the key alone.")
]
Reason = Annotated[
    str, typer.Option(help="Why; kept with the time and your name: SPRINGLINE_OPERATOR, else your login.")
]
Today = Annotated[str | None, typer.Option(help="The accounting day, 2026-11-02; today in Oslo otherwise.")]


class HasJson(Protocol):
    """What a command came to, as an object for `--json`."""

    def as_dict(self) -> dict[str, object]: ...  # noqa: D102


ResultT = TypeVar("ResultT", bound=HasJson)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Session:
    """One command at work: its settings, who runs it, and where progress is reported."""

    settings: Settings
    operator: str
    report: Report
    begin: Callable[[str, str], None]

    def in_turn(self, work: Callable[[], T]) -> T:
        """Do what needs the warehouse; while a watch runs, as soon as its batch has left it, and say so meanwhile."""
        from pipelines.watch.orders import in_turn  # noqa: PLC0415 `--help` waits for none of these

        return in_turn(self.settings, work, now=utc_now, tell=self.tell)

    def tell(self, words: str) -> None:
        """Say something beside the answer, to whoever waits for it."""
        if not voice().is_quiet:
            err.print(words, markup=False, highlight=False)


@contextmanager
def session(config: Path | None, *, as_json: bool) -> Iterator[Session]:
    """Start a command: the log goes to stderr, settings are read, and an expected failure ends as `--json` promises."""
    from pipelines.cli.progress import progress  # noqa: PLC0415 `--help` waits for none of these
    from pipelines.core.log import configure_logging  # noqa: PLC0415
    from pipelines.core.settings import load_settings  # noqa: PLC0415

    # To stderr: stdout belongs to the answer, which with --json is one object and nothing else.
    configure_logging(stream=sys.stderr, is_verbose=voice().is_verbose, is_quiet=voice().is_quiet)
    # The settings are read inside, so that a wrong setting too becomes an object on stdout with --json.
    with errors_as_json(as_json=as_json), progress(err, is_shown=shows_lines()) as lines:
        settings = load_settings(config, environ=os.environ)
        try:
            yield Session(settings, operator_name(os.environ), lines.report, lines.begin)
        except Exception as error:
            told = disk_fault(error)
            if not isinstance(told, DiskFullError):
                raise
            stores = (settings.control_place, settings.warehouse_path)
            places = (*(store.parent for store in stores if isinstance(store, Path)), settings.published)
            room = room_on((*places, Path(tempfile.gettempdir())))
            raise DiskFullError(f"{told.message} {room}.", next_step=told.next_step) from error


def shows_lines() -> bool:
    """Tell whether progress is drawn: somebody looks, and no log line would tear it."""
    return sys.stderr.isatty() and voice() == Voice()


@contextmanager
def errors_as_json(*, as_json: bool) -> Iterator[None]:
    """With --json an expected failure is an object on stdout too; a disk without room is one, whatever met it first."""
    try:
        yield
    except Exception as error:
        told = disk_fault(error) or error
        # Raised again all the same: its message goes to stderr and its exit code is that of the command.
        if as_json and isinstance(told, SpringlineError):
            print_json({"error": told.message, "next_step": told.next_step, "exit_code": told.exit_code})
        if told is error:
            raise
        raise told from error


def answer(result: ResultT, show: Callable[[ResultT, Console], None], *, as_json: bool) -> None:
    """Print a result, as JSON or as ``show`` draws it."""
    if as_json:
        print_json(result.as_dict())
    else:
        show(result, out)


class HasMessage(Protocol):
    """What came of a decision, in a sentence."""

    @property
    def message(self) -> str: ...  # noqa: D102


def show_message(result: HasMessage, console: Console) -> None:
    """Print a sentence as it is: names in it are never read as markup."""
    console.print(result.message, markup=False, highlight=False)


def print_json(value: object) -> None:
    """Print one JSON object on stdout; amounts as text, exactly."""
    # `default=str` writes a Decimal with all its digits, where a JSON number would become a float at the reader's.
    text = json.dumps(value, indent=2, default=str, ensure_ascii=False)
    # JSON lets some of them stand as they are; escaped they mean the same, and steer no terminal.
    escaped = re.sub(r"[\x7f-\x9f\u202a-\u202e\u2066-\u2069]", lambda found: f"\\u{ord(found[0]):04x}", text)
    sys.stdout.write(escaped + "\n")


def utc_now() -> datetime:
    """Return the time; the one place where the clock is read."""
    return datetime.now(UTC)


def read_day(text: str, *, option: str) -> date:
    """Read the day of an option; UsageError when it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text} is no day.", next_step="write it as 2026-11-02.") from None


def read_today(text: str | None) -> date | None:
    """Read the accounting day that --today gives; None: the day in Oslo."""
    return None if text is None else read_day(text, option="--today")
