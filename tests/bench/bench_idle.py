"""What a run costs when nothing has changed, on the sample world as `springline demo` leaves it.

Run as ``python -m tests.bench.bench_idle``. A run here is the real command in a process of its own.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from tests.bench.desk import Cost, desk, measure, quickest, say, world_settings
from tests.support.sandbox_server import REPOSITORY, SAMPLE

DEMO = (sys.executable, "-m", "pipelines.cli.app", "demo", "--json")


def run_demo(folder: Path) -> Cost:
    """Run the demonstration in ``folder/demo``; the peak is that of its largest process."""
    cost = measure(DEMO, folder=folder, environ={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    if cost.report["exit_code"]:
        raise AssertionError(cost.report["differences"])
    return cost


def state_of(folder: Path) -> str:
    """Give a hash of everything that both systems have on disk, but for the time."""
    digest = hashlib.sha256()
    with closing(sqlite3.connect(folder / "sandbox.sqlite")) as file:
        names = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        for name in names:
            if name != "sandbox_settings":
                for row in file.execute(f'SELECT * FROM "{name}" ORDER BY 1, 2'):  # noqa: S608 from the catalogue
                    digest.update(repr((name, row)).encode())
    return digest.hexdigest()


def main() -> None:
    """Measure the demonstration and an idle run behind it, and print both."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        demo = run_demo(folder)
        with desk(folder / "demo", None, **world_settings(SAMPLE)) as at:
            at.sandbox.control("POST", "ledger/settings", {"credits_per_hour": None})
            at.run()
            before = state_of(at.folder)
            idle = quickest(at)
            if state_of(at.folder) != before:
                raise AssertionError("an idle run has changed something")
            if "pyarrow" in idle.imported:
                raise AssertionError("an idle run has parsed what came before")
    say(f"sample world: demo {demo}; all jobs with nothing new {idle}")


if __name__ == "__main__":
    main()
