"""What every command needs: where it prints, options of all, who is at the keyboard, and the one clock."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipelines.core.errors import SpringlineError, UsageError

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]
Config = Annotated[
    Path | None, typer.Option("--config", help="Settings file; springline.toml when there is one.", dir_okay=False)
]


def operator_name(environ: Mapping[str, str]) -> str:
    """Return who is at the keyboard, for the record: SPRINGLINE_OPERATOR, else the login name."""
    if name := environ.get("SPRINGLINE_OPERATOR"):
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def utc_now() -> datetime:
    """Return the time; the one place where the clock is read."""
    return datetime.now(UTC)


@contextmanager
def errors_as_json(*, as_json: bool) -> Iterator[None]:
    """With --json an expected failure is an object on stdout too."""
    try:
        yield
    except SpringlineError as error:
        if as_json:
            print_json({"error": error.message, "next_step": error.next_step, "exit_code": error.exit_code})
        raise


def print_json(value: object) -> None:
    """Print one JSON object on stdout; amounts as text, exactly."""
    sys.stdout.write(json.dumps(value, indent=2, default=str, ensure_ascii=False) + "\n")


def read_day(text: str, *, option: str) -> date:
    """Read the day of an option; UsageError when it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text} is no day.", next_step="write it as 2026-11-02.") from None
