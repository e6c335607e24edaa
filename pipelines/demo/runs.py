"""Runs every job once as people do: the command line, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import TYPE_CHECKING, Any, Protocol

from pipelines.core.errors import SpringlineError

if TYPE_CHECKING:
    from datetime import date

RUN_SECONDS = 600
LOG = "runs.log"
_COMMAND = (sys.executable, "-m", "pipelines.cli.app", "run", "--json")


class Watcher(Protocol):
    """Who is told of each step while the demonstration runs."""

    def title(self, text: str, done: int, total: int) -> None:
        """Say which run comes next, how many are done, how many there are."""

    def begin(self, job: str, step: str) -> None:
        """Say that a step has begun."""

    def report(self, what: str, done: int, total: int) -> None:
        """Say how many steps of the job are done."""


def run_jobs(
    folder: Path, *, environ: Mapping[str, str], today: date, watcher: Watcher | None, options: Sequence[str]
) -> dict[str, Any]:
    """Run all jobs for a day and return what `run --json` printed.

    Its log goes to stderr, or to a file in ``folder`` where a watcher is told of its steps. Raises SpringlineError with
    the command's own words when it could not begin.
    """
    # With --verbose each step is logged as it begins.
    command = [*_COMMAND, "--today", today.isoformat(), *(["--verbose"] if watcher else options)]
    stderr = subprocess.PIPE if watcher else None
    # A process of its own each time, as a scheduler does it: nothing is carried over in memory from run to run.
    with (
        TemporaryFile() as printed,
        subprocess.Popen(command, stdout=printed, stderr=stderr, cwd=folder, env=dict(environ)) as run,  # noqa: S603 ours
        _ended_in_time(run),
    ):
        if watcher:
            _watch(run, watcher, folder / LOG)
        code = run.wait()
        printed.seek(0)
        return _read(printed.read(), code, where=f"see {LOG} in the demo folder" if watcher else "see the lines above")


@contextmanager
def _ended_in_time(run: subprocess.Popen[bytes]) -> Iterator[None]:
    """End a run that hangs, or that nobody waits for any more."""
    timer = Timer(RUN_SECONDS, run.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if run.poll() is None:
            run.terminate()


def _watch(run: subprocess.Popen[bytes], watcher: Watcher, log: Path) -> None:
    with log.open("ab") as kept:
        for line in run.stderr or ():
            kept.write(line)
            try:
                event = json.loads(line)
            # What a library writes there is no event.
            except ValueError:
                continue
            if event.get("event") == "step_begun":
                watcher.begin(event["job"], event["step"])
                watcher.report(event["step"], event["before"], event["steps"])


def _read(printed: bytes, code: int, *, where: str) -> dict[str, Any]:
    # By what it printed and not by its exit code: 14 and 16 are codes of a run that did all it could.
    try:
        found = json.loads(printed)
    except ValueError as error:
        raise SpringlineError(
            f"springline run ended with exit code {code} and said nothing.", next_step=f"{where}."
        ) from error
    if "jobs" not in found:
        raise SpringlineError(str(found.get("error")), next_step=str(found.get("next_step")))
    return dict(found)
