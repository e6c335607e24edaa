"""What a lake costs beside files: a first run, an idle one, and an idle tick of documents, on the sample world.

Run as ``python -m tests.bench.bench_lake``, which goes on in the environment of `make test-lake`: both are measured
there, with the same release of DuckDB. PostgreSQL and the data are on this machine; the processor time is that of the
command alone.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from tests.bench.desk import NO_LIMITS, Cost, desk, quickest, say, world_settings
from tests.support.lake import three_addresses
from tests.support.once import begin_in
from tests.support.sandbox_server import REPOSITORY, SAMPLE

LAKE_PYTHON = REPOSITORY / ".venv-lake" / "bin" / "python"
MOST = 1.5
TICK = ("documents",)


def costs(folder: Path, stores: Mapping[str, str]) -> dict[str, Cost]:
    """Measure a first run, and once the ledger has booked and nothing is new, idle ones."""
    folder.mkdir()
    with desk(folder, SAMPLE, **world_settings(SAMPLE), **stores) as at:
        at.sandbox.control("POST", "clock", {"now": "2026-11-02T08:00:00Z"})
        at.sandbox.control("POST", "ledger/settings", NO_LIMITS)
        found = {"first run": at.run()}
        at.sandbox.control("POST", "ledger/post", {})
        at.run()
        at.run()
        return found | {"idle run": quickest(at, rounds=5), "idle tick": quickest(at, *TICK, rounds=5)}


def main() -> None:
    """Measure both, and compare the seconds of processor."""
    if find_spec("duckdb_extension_ducklake") is None:
        if not LAKE_PYTHON.exists():
            sys.exit("The lake's environment is missing: `make test-lake` makes it.")
        command = [str(LAKE_PYTHON), "-m", "tests.bench.bench_lake"]
        sys.exit(subprocess.run(command, cwd=REPOSITORY, check=False).returncode)  # noqa: S603 our own module
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begin_in(folder)
        files = costs(folder / "files", {})
        lake = costs(folder / "lake", three_addresses(folder / "addresses"))
    too_much = []
    for what, cost in files.items():
        share = lake[what].processor / cost.processor
        say(f"{what}: on files {cost}; in a lake {lake[what]}: {share:.2f} times the processor")
        too_much += [what] if share > MOST else []
    if too_much:
        raise AssertionError(too_much)


if __name__ == "__main__":
    main()
