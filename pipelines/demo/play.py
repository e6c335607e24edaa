"""Plays the demonstration: what happens in which order, and what it came to."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.batch import BatchResult, chosen_jobs, run_batch
from pipelines.demo.compare import Comparison, compare
from pipelines.demo.server import Control, sandbox
from pipelines.progress import progress
from pipelines.settings import Settings, load_settings

if TYPE_CHECKING:
    from rich.console import Console

TODAY = date(2026, 11, 2)
CLOCK = "2026-11-02T08:00:00Z"
FIRST, LATER = "first", "later"

Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demonstration came to; ``differences`` says in words where the two sides do not agree."""

    runs: tuple[BatchResult, ...]
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
        return sum(run.jobs[job].sent for run in self.runs)

    def as_dict(self) -> dict[str, object]:
        """Return the object that `demo --json` prints."""
        found = self.comparison
        return {
            "documents": [
                {"type": line.document_type, "posted": line.posted, "held": line.held, "rejected": line.set_aside}
                for line in found.lines
            ],
            "held": [dict(row) for row in found.held],
            "rejected": [dict(row) for row in found.rejected],
            "deeds": self.deeds,
            "moved": {job: self.moved(job) for job in self.runs[0].jobs},
            "compared": [one.as_dict() for one in found.compared],
            "differences": list(self.differences),
            "runs": [run.as_dict() for run in self.runs],
            "exit_code": self.exit_code,
        }


def run_demo(folder: Path, *, environ: Mapping[str, str], now: Callable[[], datetime], console: Console) -> DemoResult:
    """Run the demonstration in ``folder``, emptied first; raises SpringlineError when the sandbox does not start."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with sandbox(folder) as printed:
        variables = {
            **{name: value for name, value in environ.items() if not name.startswith("SPRINGLINE_")},
            **printed,
            "SPRINGLINE_WAREHOUSE": str(folder / "springline.duckdb"),
            "SPRINGLINE_PUBLISHED": str(folder / "published"),
        }
        (folder / "settings.env").write_text(_as_exports(variables), encoding="utf-8")
        settings = load_settings(None, environ=variables)
        control = Control(settings.ledger.url.removesuffix("/graphql") + "/_sandbox")
        control.call("clock", {"now": CLOCK})
        with progress(console, is_shown=console.is_terminal) as report:
            return _play(settings, control, folder=folder, now=now, report=report)


def _play(
    settings: Settings, control: Control, *, folder: Path, now: Callable[[], datetime], report: Report
) -> DemoResult:
    """Run, let the ledger post and its people do their deeds in two stages with a run behind each, and run again."""

    def run() -> BatchResult:
        return run_batch(settings, jobs=chosen_jobs([]), operator="demo", now=now, today=TODAY, report=report)

    runs, differences, deeds = [run()], [], 0
    control.call("ledger/post", {})
    for stage in (FIRST, LATER):
        deeds += control.do_stage(stage)
        runs.append(run())
        comparison = compare(settings, control, stage=stage, today=TODAY, now=now)
        differences += [f"after the {stage} deeds: {difference}" for difference in comparison.differences]
    before = control.writes()
    runs.append(run())
    if written := control.writes() - before:
        differences.append(f"the last run wrote {written} times although nothing had changed")
    return DemoResult(
        runs=tuple(runs),
        deeds=deeds,
        comparison=comparison,
        differences=tuple(differences),
        folder=folder,
    )


def _as_exports(variables: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in sorted(variables.items()) if name.startswith("SPRINGLINE_"))
