"""Plays the demonstration: what happens in which order, and the result."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from shlex import quote
from typing import Any

from pipelines.core.settings import load_settings
from pipelines.demo.compare import Comparison, compare
from pipelines.demo.runs import run_jobs
from pipelines.demo.server import control_of, sandbox

TODAY = date(2026, 11, 2)
CLOCK = "2026-11-02T08:00:00Z"
FIRST, LATER = STAGES = "first", "later"


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The result of the demonstration; ``runs`` is what each `run --json` printed."""

    runs: tuple[Mapping[str, Any], ...]
    deeds: int
    comparison: Comparison
    differences: tuple[str, ...]
    folder: Path

    @property
    def exit_code(self) -> int:
        """0 when both sides agree on everything that was not meant to be held or to differ."""
        return 15 if self.differences else 0

    def moved(self, job: str) -> int:
        """Count what a job has sent in all runs."""
        return sum(int(run["jobs"][job]["sent"]) for run in self.runs)

    def as_dict(self) -> dict[str, object]:
        """Return the object that `demo --json` prints."""
        return {
            "documents": [
                {"type": line.document_type, "posted": line.posted, "held": line.held, "rejected": line.set_aside}
                for line in self.comparison.counts
            ],
            "held": [dict(row) for row in self.comparison.held],
            "rejected": [dict(row) for row in self.comparison.rejected],
            "deeds": self.deeds,
            "compared": [result.as_dict() for result in self.comparison.results],
            "differences": list(self.differences),
            "runs": list(self.runs),
            "exit_code": self.exit_code,
        }


def run_demo(folder: Path, *, environ: Mapping[str, str], now: Callable[[], datetime]) -> DemoResult:
    """Run the demonstration in ``folder``, emptied first; raises SpringlineError when the sandbox does not start."""
    # Absolute: each run has this folder as its own working directory.
    folder = folder.absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with sandbox(folder) as printed:
        variables = {
            # No setting of whoever runs it: the demonstration must never reach a real system.
            **{name: value for name, value in environ.items() if not name.startswith("SPRINGLINE_")},
            **printed,
            "SPRINGLINE_WAREHOUSE": str(folder / "springline.duckdb"),
            "SPRINGLINE_PUBLISHED": str(folder / "published"),
            "SPRINGLINE_OPERATOR": "demo",
        }
        (folder / "settings.env").write_text(_as_exports(variables), encoding="utf-8")
        return _play(folder, environ=variables, now=now)


def _play(folder: Path, *, environ: Mapping[str, str], now: Callable[[], datetime]) -> DemoResult:
    """Run; then, twice, let people act in the ledger and run again; at the end run with nothing to do."""
    settings = load_settings(None, environ=environ)
    control = control_of(settings)
    control.call("clock", {"now": CLOCK})
    runs = [run_jobs(folder, environ=environ, today=TODAY)]
    # The ledger books when its posting job runs, not when it is asked; here it runs between our runs.
    control.call("ledger/post", {})
    deeds, differences = 0, list[str]()
    for stage in STAGES:
        # First the actions, then the run that must notice them.
        deeds += control.do_stage(stage)
        runs.append(run_jobs(folder, environ=environ, today=TODAY))
        comparison = compare(settings, control, stage=stage, today=TODAY, now=now)
        differences += [f"after the {stage} actions: {difference}" for difference in comparison.differences]
    # "Nothing twice" is counted where nobody can hide it: in the requests that both systems received.
    before = control.writes()
    runs.append(run_jobs(folder, environ=environ, today=TODAY))
    if written := control.writes() - before:
        differences.append(f"the last run wrote {written} times although nothing had changed")
    return DemoResult(tuple(runs), deeds, comparison, tuple(differences), folder)


def _as_exports(variables: Mapping[str, str]) -> str:
    own = sorted((name, value) for name, value in variables.items() if name.startswith("SPRINGLINE_"))
    return "".join(f"{name}={quote(value)}\n" for name, value in own)
