"""What Dagster itself costs: a run of a tenant whose program does nothing, its daemon and a code server at rest.

Run as ``python -m tests.bench.bench_scheduler``. What Springline takes comes on top (``bench_tick``).
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.bench.desk import say
from tests.support.once import begin_in
from tests.tenants.fleet import fleet
from tests.tenants.harbour import Harbour, Pace, dagster
from tests.tenants.processes import below, command_of, used

TENANTS, SECONDS = 5, 180
# Long enough to look at the process that waits for it.
PROGRAM = "sleep 3\n"


def megabytes(pid: int, name: str = "VmHWM") -> float:
    """Return the most that a process has held so far, or holds now (``VmRSS``)."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def peak_of_runs(harbour: Harbour, seconds: float) -> float:
    """Let runs come for a while, and return the most memory that the process of one has held, in MB."""
    [machine] = harbour.machines
    assert machine.server
    most, until = 0.0, time.monotonic() + seconds
    while time.monotonic() < until:
        for pid in below(machine.server.pid):
            try:
                most = max(most, megabytes(pid)) if "spawn_main" in command_of(pid) else most
            except (OSError, StopIteration):
                continue
        time.sleep(0.5)
    return most


def main() -> None:
    """Let runs come each minute, and print what each took."""
    with tempfile.TemporaryDirectory() as name:
        begin_in(Path(name))
        with (
            fleet(Path(name) / "fleet", TENANTS, program=PROGRAM) as ships,
            dagster(ships, 1, Pace("* * * * *", 30, 600)) as harbour,
        ):
            server = harbour.machines[0].server
            assert server
            daemon = harbour.daemon.pid
            own, begun, began = used(server.pid), used(daemon), time.monotonic()
            most = peak_of_runs(harbour, SECONDS)
            took = time.monotonic() - began
            runs = [run for run in harbour.runs() if run["ended"]]
            each = used(server.pid, children=True) / len(runs)
            say(f"{len(runs)} runs of Dagster alone: {each:.2f} s of processor each, peak {most:.0f} MB")
            for what, pid, before in (("daemon", daemon, begun), ("code server", server.pid, own)):
                percent = 100 * (used(pid) - before) / took
                say(f"its {what} beside them: {percent:.1f} % of one core, {megabytes(pid, 'VmRSS'):.0f} MB")


if __name__ == "__main__":
    main()
