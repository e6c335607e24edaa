"""Dagster over a fleet: a daemon, and machines with a code server each, which share a database and no folder."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import psycopg
import pytest

from tests.support.control_stores import server
from tests.support.environments import python_of
from tests.support.patience import PATIENCE
from tests.tenants.fleet import Fleet
from tests.tenants.processes import above, below, command_of, kill, used

EXAMPLES = Path(__file__).parents[2] / "docs" / "how-to" / "schedules"
VERSIONS = Path(__file__).with_name("dagster.txt")
ASK = Path(__file__).with_name("ask_dagster.py")
OURS = "pipelines.cli.app"
# Processor seconds after which a batch has begun; an idle one has twice as many.
LOADED = 0.6
# How long a service manager waits before it starts a code server again.
RESTART = 5.0
DATABASE = "dagster"
NEVER = "0 0 1 1 *"


class Pace(NamedTuple):
    """How often documents are due, as cron writes it; seconds between tries; after how long a run is given up."""

    crons: str
    pause: int
    longest_run: int


@dataclass(slots=True)
class Machine:
    """A folder, and the code server that works in it."""

    name: str
    port: int
    environ: dict[str, str]
    server: subprocess.Popen[bytes] | None = None
    killed_at: float = 0.0

    def start(self, python: Path) -> None:
        """Start the code server, as a service manager does."""
        folder = Path(self.environ["DAGSTER_HOME"])
        left = [str(python), str(EXAMPLES / "dagster_lost_runs.py"), self.name]
        subprocess.run(left, env=self.environ, cwd=folder, check=True, stderr=subprocess.DEVNULL)  # noqa: S603 ours
        where = ["--host", "127.0.0.1", "--port", str(self.port), "--location-name", self.name]
        with (folder / "log").open("ab") as log:
            self.server = subprocess.Popen(  # noqa: S603 the environment's own
                [str(python), "-m", "dagster", "api", "grpc", "-f", str(EXAMPLES / "dagster_location.py"), *where],
                env=self.environ,
                cwd=folder,
                stdout=log,
                stderr=log,
            )

    def batches(self) -> list[int]:
        """Return the batches of Springline that have begun here: those that have loaded what they need."""
        pids = below(self.server.pid) if self.server else []
        return [pid for pid in pids if OURS in command_of(pid) and used(pid) > LOADED]

    def kill_a_run(self, rng: Random) -> bool:
        """Kill a run of Dagster's with the batch below it; false where none is at work."""
        batches = self.batches()
        if not batches or self.server is None:
            return False
        kill(above(rng.choice(batches), self.server.pid))
        return True

    def lose(self) -> bool:
        """Kill all that works here at once, as when the power is cut; false where no batch is at work."""
        if not self.batches() or self.server is None:
            return False
        kill([self.server.pid, *below(self.server.pid)])
        self.server.wait()
        self.killed_at = time.monotonic()
        return True

    def keep(self, python: Path) -> None:
        """Start a code server that has ended again."""
        if self.server and self.server.poll() is not None and time.monotonic() > self.killed_at + RESTART:
            self.start(python)

    def end(self) -> None:
        """End all that works here."""
        if self.server:
            kill([self.server.pid, *below(self.server.pid)])
            self.server.wait()


@dataclass(slots=True)
class Harbour:
    """Dagster at work."""

    python: Path
    home: Path
    environ: dict[str, str]
    machines: list[Machine]
    daemon: subprocess.Popen[bytes]
    killed: list[str] = field(default_factory=list)

    def keep(self) -> None:
        """Start again what has ended; AssertionError where the daemon has."""
        assert self.daemon.poll() is None, (self.home / "log").read_text("utf-8")[-3000:]
        for machine in self.machines:
            machine.keep(self.python)

    def kill_one(self, rng: Random, *, whole: bool) -> bool:
        """Kill a worker in the middle of a batch: one run, or a whole machine; false where nothing is at work."""
        for machine in rng.sample(self.machines, len(self.machines)):
            if machine.lose() if whole else machine.kill_a_run(rng):
                self.killed.append(f"machine {machine.name}" if whole else f"run on {machine.name}")
                return True
        return False

    def runs(self) -> list[dict[str, Any]]:
        """Ask Dagster for its runs, newest first."""
        asked = subprocess.run([str(self.python), str(ASK)], env=self.environ, stdout=subprocess.PIPE, check=True)  # noqa: S603
        found: list[dict[str, Any]] = json.loads(asked.stdout)
        return found

    def end(self) -> None:
        """End the daemon, then the machines."""
        kill([self.daemon.pid, *below(self.daemon.pid)])
        self.daemon.wait()
        for machine in self.machines:
            machine.end()


def dagster_python() -> Path:
    """Return the interpreter that has Dagster; fails where its packages cannot be had."""
    found = python_of(VERSIONS)
    return found or pytest.fail(f"{VERSIONS.name} could not be installed")


@contextmanager
def dagster(fleet: Fleet, machines: int, pace: Pace, *, is_warm: bool = False) -> Iterator[Harbour]:
    """Let Dagster run a fleet on so many machines, as docs/how-to/schedules says; four runs at a time in all."""
    python = dagster_python()
    environ = _environ()
    made = [_machine(fleet, f"machine-{n}", f"{n}/{machines}", pace, environ) for n in range(machines)]
    for machine in made:
        if is_warm:
            fleet.warm(machine.name)
    home = _home(fleet.folder / "daemon", pace)
    own = {**environ, "DAGSTER_HOME": str(home)}
    workspace = "".join(
        f"  - grpc_server:\n      host: 127.0.0.1\n      port: {one.port}\n      location_name: {one.name}\n"
        for one in made
    )
    (home / "workspace.yaml").write_text(f"load_from:\n{workspace}", encoding="utf-8")
    migrate = [str(python), "-m", "dagster", "instance", "migrate"]
    migrated = subprocess.run(migrate, env=own, capture_output=True, check=False)  # noqa: S603 the environment's own
    assert migrated.returncode == 0, migrated.stderr.decode()
    with ExitStack() as stack:
        for machine in made:
            machine.start(python)
            stack.callback(machine.end)
            _wait(machine)
        log = stack.enter_context((home / "log").open("ab"))
        daemon = subprocess.Popen(  # noqa: S603 the environment's own
            [str(python), "-m", "dagster._daemon", "run", "-w", str(home / "workspace.yaml")],
            env=own,
            cwd=home,
            stdout=log,
            stderr=log,
        )
        harbour = Harbour(python, home, own, made, daemon)
        stack.callback(harbour.end)
        yield harbour


def _environ() -> dict[str, str]:
    """Return what all machines know: how Dagster's own database is reached."""
    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    named = dict(word.split("=", 1) for word in server().split())
    address = f"postgresql+psycopg2://{named['user']}@/{DATABASE}?host={named['host']}"
    return {**os.environ, "DAGSTER_POSTGRES": address}


def _machine(fleet: Fleet, name: str, place: str, pace: Pace, environ: Mapping[str, str]) -> Machine:
    told = {
        **fleet.machine(name),
        "TENANTS_MACHINE": place,
        "TENANTS_DOCUMENTS_AT": pace.crons,
        "TENANTS_EVERYTHING_AT": NEVER,
        "TENANTS_PAUSE": str(pace.pause),
        "DAGSTER_HOME": str(_home(fleet.folder / name / "dagster", pace)),
    }
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return Machine(name, port, {**environ, **told})


def _home(folder: Path, pace: Pace) -> Path:
    """Make a DAGSTER_HOME with the example's dagster.yaml; only how long a run may take is another."""
    folder.mkdir(parents=True)
    text = (EXAMPLES / "dagster.yaml").read_text("utf-8")
    before = text
    text = text.replace("max_runtime_seconds: 1200", f"max_runtime_seconds: {pace.longest_run}")
    assert text != before
    (folder / "dagster.yaml").write_text(text, encoding="utf-8")
    return folder


def _wait(machine: Machine) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        assert machine.server
        log = Path(machine.environ["DAGSTER_HOME"], "log").read_text("utf-8", errors="replace")
        assert machine.server.poll() is None, log[-3000:]
        assert time.monotonic() < until, log[-3000:]
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", machine.port)) == 0:
                return
        time.sleep(0.2)
