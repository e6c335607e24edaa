"""Runs every job once as people do: the command line, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.errors import SpringlineError

if TYPE_CHECKING:
    from datetime import date

RUN_SECONDS = 600
_COMMAND = (sys.executable, "-m", "pipelines.cli.app", "run", "--json")


def run_jobs(folder: Path, *, environ: Mapping[str, str], today: date) -> dict[str, Any]:
    """Run all jobs for a day and return what `run --json` printed.

    Raises SpringlineError with the command's own words when it could not begin.
    """
    # A process of its own each time, as a scheduler does it: nothing is carried over in memory from run to run.
    done = subprocess.run(  # noqa: S603 our own module
        [*_COMMAND, "--today", today.isoformat()],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        cwd=folder,
        env=dict(environ),
        timeout=RUN_SECONDS,
    )
    # By what it printed and not by its exit code: 14 and 16 are codes of a run that did all it could.
    try:
        printed = json.loads(done.stdout)
    except ValueError as error:
        raise SpringlineError(
            f"springline run ended with exit code {done.returncode} and said nothing.",
            next_step="see its last lines above.",
        ) from error
    if "jobs" not in printed:
        raise SpringlineError(str(printed.get("error")), next_step=str(printed.get("next_step")))
    return dict(printed)
