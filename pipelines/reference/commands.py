"""The page of the command line: every command with its options and help, and what each exit code means."""

from __future__ import annotations

from collections.abc import Iterator

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from pipelines.batch.jobs import JOBS
from pipelines.batch.run import EXIT_BREAKS, EXIT_DELIVERY, EXIT_HELD
from pipelines.cli.app import READER_GONE, STOPPED, app
from pipelines.core.errors import SpringlineError
from pipelines.reference.markdown import code, page, table

Parameter = TyperArgument | TyperOption

INTRODUCTION = (
    "All commands and options of `springline`. `--json` prints one object on stdout and nothing else; without a "
    "terminal, progress is logged as JSON lines on stderr, on a terminal log lines are shown with `--verbose` alone."
)
# Codes of batches that went through; all others belong to a class of error.
OUTCOMES = {
    0: "Clean.",
    EXIT_HELD: "Documents are held; the others went through.",
    EXIT_DELIVERY: "Something could not be delivered, or its fate is unknown.",
    EXIT_BREAKS: "Both sides differ by more than the tolerance.",
    STOPPED: "Somebody pressed Ctrl-C.",
    READER_GONE: "Who read the output has gone, as `head` does.",
}
ORDER = "Where several apply: 15, then 14, then 16. What to do at each: [Exit codes](../how-to/exit-codes.md)."
UNEXPECTED = "A bug: please report it with the log."


def commands_page() -> str:
    """Return docs/reference/commands.md."""
    # From the commands as typer has them, so that the page cannot differ from `--help`.
    blocks = [block for name, command in every_command(typer.main.get_group(app)) for block in _command(name, command)]
    jobs = f"The jobs of `springline run`, in their order: {', '.join(map(code, JOBS))}."
    codes = table(("Code", "Meaning"), ((str(number), meaning) for number, meaning in sorted(exit_codes().items())))
    return page("Commands", INTRODUCTION, jobs, *blocks, "## Exit codes", codes, ORDER)


def exit_codes() -> dict[int, str]:
    """Return what each exit code means: the outcomes of a batch, and the first line of every class of error."""
    meanings = dict(OUTCOMES)
    waiting = [SpringlineError]
    # Through the whole tree, so that a new class of error appears on the page by itself.
    while waiting:
        error = waiting.pop(0)
        meaning = UNEXPECTED if error is SpringlineError else (error.__doc__ or "").splitlines()[0]
        # The class highest in the tree explains a code; classes below it share the code and say less.
        meanings.setdefault(error.exit_code, meaning)
        waiting += error.__subclasses__()
    return meanings


def every_command(group: TyperGroup, *, above: str = "springline") -> Iterator[tuple[str, TyperCommand]]:
    """Yield every command with its full name: `springline breaks accept`."""
    for command in group.commands.values():
        # The command that a group carries out without its name (close 2026-10) is shown as the group.
        name = above if command.name == getattr(group, "default", None) else f"{above} {command.name}"
        if isinstance(command, TyperGroup):
            yield from every_command(command, above=name)
        elif isinstance(command, TyperCommand):
            yield name, command


def _command(name: str, command: TyperCommand) -> Iterator[str]:
    parameters = [parameter for parameter in command.params if isinstance(parameter, Parameter)]
    yield f"## {name}"
    yield command.help or ""
    yield code(" ".join([name, *map(_usage, parameters)]))
    if parameters:
        rows = ((code(_spelled(p)), _default(p), p.help or "") for p in parameters)
        yield table(("Argument", "Default", "Meaning"), rows)


def _usage(parameter: Parameter) -> str:
    usage = _spelled(parameter)
    if parameter.nargs != 1:
        usage += " ..."
    return usage if parameter.required else f"[{usage}]"


def _spelled(parameter: Parameter) -> str:
    """Return an argument in capitals, an option with the name of its value."""
    name = (parameter.name or "").upper()
    # An argument that may be given several times is named in the plural in the code: JOBS is shown as JOB ...
    if not parameter.opts[0].startswith("-"):
        return name.removesuffix("S") if parameter.nargs != 1 else name
    is_flag = isinstance(parameter, TyperOption) and parameter.is_flag
    return parameter.opts[0] if is_flag else f"{parameter.opts[0]} {name}"


def _default(parameter: Parameter) -> str:
    if parameter.required:
        return "required"
    # A callable works its default out when the command runs; the help says what it comes to.
    return "" if parameter.default in {None, False} or callable(parameter.default) else code(str(parameter.default))
