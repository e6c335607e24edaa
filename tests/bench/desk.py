"""What the benches share: both systems on a world, the real command line as a process, and what it cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.contracts.shape import paths
from pipelines.core.settings import Settings, load_settings
from pipelines.extract.ledger import LARGE_PAGES
from pipelines.wire.ledger import LedgerClient
from pipelines.wire.query import Reading, selection_text
from pipelines.wire.vms import VmsClient
from tests.support.listing import IMPORTED, LISTING
from tests.support.sandbox_server import REPOSITORY, sandbox_process

if TYPE_CHECKING:
    from pipelines.contracts.contract import Contract
    from tests.support.sandbox_server import Sandbox

LAUNCH = Path(__file__).with_name("launch.py")
TODAY = "2026-11-02"
CLOCK = "2026-11-02T08:00:00Z"
NO_LIMITS = {"burst_requests": None, "concurrency": None, "credits_per_hour": None, "posting_every_minutes": None}
# Neither the checks' library nor dlt, pandas or the parser of the models has anything to do where nothing has changed.
HEAVY = frozenset({"great_expectations", "dlt", "sqlglot", "pandas"})


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took (its peak is the resident set), what it printed, and what it imported."""

    seconds: float
    processor: float
    megabytes: float
    report: Mapping[str, Any]
    imported: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """Say what it took; a machine that others use shows in the first figure and hardly in the second."""
        return f"{self.seconds:.2f} s ({self.processor:.2f} s of processor), peak {self.megabytes:,.0f} MB"

    def counts(self, job: str) -> Mapping[str, int]:
        """Give the counts of a job."""
        counts: Mapping[str, int] = self.report["jobs"][job]
        return counts

    def total(self, name: str) -> int:
        """Give one count over all jobs."""
        return sum(counts[name] for counts in self.report["jobs"].values())


@dataclass(frozen=True, slots=True)
class Desk:
    """Both systems in a process of their own, and Springline's stores in ``folder``."""

    folder: Path
    sandbox: Sandbox
    environ: Mapping[str, str]

    def run(self, *jobs: str) -> Cost:
        """Run jobs as a process; raises AssertionError when it does not end well, held documents aside."""
        command = [sys.executable, "-c", LISTING, "run", *jobs, "--json", "--today", TODAY]
        cost = measure(command, folder=self.folder, environ=self.environ)
        if cost.report["exit_code"] not in {0, 14}:
            raise AssertionError(cost.report)
        return cost

    def settings(self) -> Settings:
        """Give the settings of a run."""
        return load_settings(None, environ=self.environ)

    def writes(self) -> dict[str, int]:
        """Give the requests that wrote, by what they wrote, since the last look."""
        counts: dict[str, dict[str, int]] = self.sandbox.control("GET", "requests")
        self.sandbox.control("DELETE", "requests")
        ledger = {name: n for name, n in counts["ledger"].items() if name.startswith(("POST add", "POST update"))}
        return ledger | {name: n for name, n in counts["vms"].items() if not name.startswith(("GET ", "POST /oauth/"))}


@contextmanager
def desk(folder: Path, seed: Path | None, *, state: str = "sandbox.sqlite", **environ: str) -> Iterator[Desk]:
    """Serve a world, on the state file in ``folder`` where there is one already."""
    with sandbox_process(folder, seed, state=state) as sandbox:
        own = {"SPRINGLINE_WAREHOUSE": str(folder / "springline.duckdb"), "PYTHONPATH": str(REPOSITORY)}
        yield Desk(folder, sandbox, {**os.environ, **sandbox.env, **own, **environ})


def measure(command: Sequence[str], *, folder: Path, environ: Mapping[str, str]) -> Cost:
    """Run a command that prints one JSON object, in a folder."""
    printed, took, imported = folder / "printed.json", folder / "took.json", folder / IMPORTED
    imported.unlink(missing_ok=True)
    with printed.open("wb") as out:
        subprocess.run(  # noqa: S603 our own module
            [sys.executable, "-S", str(LAUNCH), str(took), *command],
            env=dict(environ),
            stdout=out,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            check=True,
        )
    seconds, processor, kilobytes = json.loads(took.read_text("utf-8"))
    modules = imported.read_text("utf-8").splitlines() if imported.exists() else []
    return Cost(seconds, processor, kilobytes / 1024, json.loads(printed.read_bytes()), frozenset(modules))


def processor_of(command: Sequence[str], *, folder: Path, environ: Mapping[str, str], rounds: int) -> float:
    """Run a command some times, and give the least processor seconds that it took."""
    took = folder / "took.json"
    # A command that fails is quick: the first must end well, and reads what the others find in the system's cache.
    subprocess.run(command, env=dict(environ), stdout=subprocess.DEVNULL, cwd=folder, check=True)  # noqa: S603 ours
    spent = []
    for _ in range(rounds):
        subprocess.run(  # noqa: S603 our own module
            [sys.executable, "-S", str(LAUNCH), str(took), *command],
            env=dict(environ),
            stdout=subprocess.DEVNULL,
            cwd=folder,
            check=True,
        )
        spent.append(float(json.loads(took.read_text("utf-8"))[1]))
    return min(spent)


def make_world(folder: Path, **counts: int) -> Path:
    """Write a large world of plain documents or master data, in step on both sides, and return its folder."""
    seed = folder / "world"
    command = [sys.executable, "-m", "tests.world", "--out", str(seed)]
    for name, count in counts.items():
        command += [f"--{name}", str(count)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 our own module
    return seed


def world_settings(seed: Path) -> dict[str, str]:
    """Give the settings that belong to a world."""
    lines = (seed / "settings.env").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line)


@contextmanager
def clients(settings: Settings) -> Iterator[tuple[VmsClient, LedgerClient]]:
    """Give a client of each side that counts nothing."""
    vms = VmsClient(settings.vms, count=_ignore, now=_now)
    ledger = LedgerClient(settings.ledger, count=_ignore, now=_now)
    try:
        yield vms, ledger
    finally:
        vms.close()
        ledger.close()


def reading(contract: Contract, wanted: Mapping[str, object] | None) -> Reading:
    """Ask for what a run asks for of a connection."""
    size = LARGE_PAGES.get(contract.table)
    return Reading(contract.entity, selection_text(paths(contract)), wanted, object_status="ALL", page_size=size)


def check_idle(cost: Cost, at: Desk) -> None:
    """Raise AssertionError when a run on an unchanged world wrote anything, or imported what it has no use for."""
    if (written := at.writes()) or (heavy := cost.imported & HEAVY) or "duckdb" not in cost.imported:
        raise AssertionError(written or heavy or cost.imported)
    if cost.total("sent") or cost.total("extracted"):
        raise AssertionError(cost.report)


def quickest(at: Desk, *jobs: str, rounds: int = 3) -> Cost:
    """Run some rounds on an unchanged world, and give the quickest."""
    at.writes()
    costs = []
    for _ in range(rounds):
        costs.append(at.run(*jobs))
        check_idle(costs[-1], at)
    return min(costs, key=lambda cost: cost.seconds)


def say(line: str) -> None:
    """Print one line of results."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _ignore(_side: str, _operation: str) -> None:
    """Count nothing."""


def _now() -> datetime:
    return datetime.now(UTC)
