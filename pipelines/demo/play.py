"""Plays the demonstration: what happens in which order, and the result."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipelines.core.errors import UsageError
from pipelines.core.settings import load_settings, look_at_folder
from pipelines.demo.compare import Comparison, compare
from pipelines.demo.left import STATE, leave_commands
from pipelines.demo.runs import Watcher, run_jobs
from pipelines.demo.server import control_of, sandbox

TODAY = date(2026, 11, 2)
CLOCK = "2026-11-02T08:00:00Z"
FIRST, LATER = STAGES = "first", "later"
TITLES = (
    "Run 1 of 4: the first day",
    "Run 2 of 4: people have paid",
    "Run 3 of 4: people have corrected",
    "Run 4 of 4: nothing is new",
)


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The result of the demonstration; ``runs`` is what each `run --json` printed."""

    runs: tuple[Mapping[str, Any], ...]
    deeds: int
    comparison: Comparison
    differences: tuple[str, ...]
    folder: Path
    today: date = TODAY

    @property
    def exit_code(self) -> int:
        """0 when both sides agree on everything that was not meant to be held or to differ."""
        return 15 if self.differences else 0

    def sent(self, *kinds: str) -> int:
        """Count what was sent of some kinds in all runs; the kinds are those of the outbox."""
        return sum(int(run["sent"].get(kind, 0)) for run in self.runs for kind in kinds)

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


def run_demo(
    folder: Path,
    *,
    environ: Mapping[str, str],
    now: Callable[[], datetime],
    watcher: Watcher | None = None,
    options: Sequence[str] = (),
    stores: Mapping[str, str] | None = None,
) -> DemoResult:
    """Run the demonstration in ``folder``, emptied first; ``options`` are those of each run.

    ``stores`` are variables that name other stores than files in that folder.

    Raises UsageError when something else is in the folder, SettingsError where the one in which it was started is gone,
    SpringlineError when the sandbox does not start.
    """
    look_at_folder()
    # Absolute: each run has this folder as its own working directory.
    folder = folder.absolute()
    _empty(folder)
    with sandbox(folder) as printed:
        variables = {
            # No setting of whoever runs it: the demonstration must never reach a real system.
            **{name: value for name, value in environ.items() if not name.startswith("SPRINGLINE_")},
            **printed,
            "SPRINGLINE_WAREHOUSE": str(folder / "springline.duckdb"),
            "SPRINGLINE_PUBLISHED": str(folder / "published"),
            "SPRINGLINE_OPERATOR": "demo",
            **(stores or {}),
        }
        leave_commands(folder, load_settings(None, environ=variables))

        def run(title: str) -> dict[str, Any]:
            if watcher:
                watcher.title(title, TITLES.index(title), len(TITLES))
            return run_jobs(folder, environ=variables, today=TODAY, watcher=watcher, options=options)

        return _play(folder, environ=variables, now=now, run=run)


def _empty(folder: Path) -> None:
    # A folder of this name may be anybody's; one with both systems in it was made here.
    if folder.exists() and any(folder.iterdir()) and not (folder / STATE).exists():
        raise UsageError(
            f"{folder} is there already, and it is not from a demonstration.",
            next_step="move it away, or start the demonstration in another folder.",
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _play(
    folder: Path, *, environ: Mapping[str, str], now: Callable[[], datetime], run: Callable[[str], dict[str, Any]]
) -> DemoResult:
    """Run; then, twice, let people act in the ledger and run again; at the end run with nothing to do."""
    first, *after_stages, last = TITLES
    settings = load_settings(None, environ=environ)
    control = control_of(settings)
    control.call("clock", {"now": CLOCK})
    runs = [run(first)]
    # The ledger books when its posting job runs, not when it is asked; here it runs between our runs.
    control.call("ledger/post", {})
    deeds, differences = 0, list[str]()
    for stage, title in zip(STAGES, after_stages, strict=True):
        # First the actions, then the run that must notice them.
        deeds += control.do_stage(stage)
        runs.append(run(title))
        comparison = compare(settings, control, stage=stage, today=TODAY, now=now)
        differences += [f"after the {stage} actions: {difference}" for difference in comparison.differences]
    # "Nothing twice" is counted where nobody can hide it: in the requests that both systems received.
    before = control.writes()
    runs.append(run(last))
    if written := control.writes() - before:
        differences.append(f"the last run wrote {written} times although nothing had changed")
    return DemoResult(tuple(runs), deeds, comparison, tuple(differences), folder)
