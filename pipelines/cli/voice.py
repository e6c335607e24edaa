"""How much a command says beside its answer: --verbose and --quiet, the same on every command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any

import typer

from pipelines.core.errors import UsageError

_Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show log lines, on a terminal too, in place of bars.")]
_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no bars, and log nothing but errors.")]
_OPTIONS = [
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation)
    for name, annotation in (("is_verbose", _Verbose), ("is_quiet", _Quiet))
]


@dataclass(frozen=True, slots=True)
class Voice:
    """What was asked for; neither, unless somebody did."""

    is_verbose: bool = False
    is_quiet: bool = False

    @property
    def options(self) -> list[str]:
        """The same for a command that this one starts."""
        return [*(["--verbose"] if self.is_verbose else []), *(["--quiet"] if self.is_quiet else [])]


_voice: ContextVar[Voice] = ContextVar("voice")


def voice() -> Voice:
    """Return how the command that runs is to speak."""
    return _voice.get(Voice())


def with_voice(command: Callable[..., None]) -> Callable[..., None]:
    """Add --verbose and --quiet to a command, which need not know of them."""
    own = inspect.signature(command, eval_str=True)

    @wraps(command)
    def speaking(*arguments: Any, is_verbose: bool, is_quiet: bool, **named: Any) -> None:  # noqa: ANN401 as the command has them
        if is_verbose and is_quiet:
            raise UsageError("--verbose and --quiet together say nothing.", next_step="leave one of them out.")
        kept = _voice.set(Voice(is_verbose, is_quiet))
        try:
            command(*arguments, **named)
        finally:
            _voice.reset(kept)

    # What typer reads the options from.
    speaking.__signature__ = own.replace(parameters=[*own.parameters.values(), *_OPTIONS])  # type: ignore[attr-defined]
    return speaking
