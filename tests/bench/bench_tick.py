"""What a tick of one tenant costs a scheduler: with nothing new, with one document, all jobs; on a file and PostgreSQL.

Run as ``python -m tests.bench.bench_tick``. A tick is the real command in a process of its own, with its requests to
both systems. Then what a tenant keeps on disk, without documents and with some thousands.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path

import psycopg

from pipelines.core.control_place import PostgresSchema
from pipelines.core.tenants import RESULTS
from tests.bench.desk import TODAY, Cost, Desk, desk, make_world, measure, say, world_settings
from tests.flow.world import copies, write_world
from tests.storm.books import VmsApi
from tests.support.control_stores import new_schema, server
from tests.support.once import begin_in
from tests.support.sandbox_server import SAMPLE
from tests.support.verified import verified_file

# What the examples of docs/how-to/schedule.md start.
DOCUMENTS, EVERYTHING = ("documents", "publish"), ()
ROUNDS, MANY, FIRST_KEY = 5, 10_000, 6_000_001
_keys = count(FIRST_KEY + 1)
SIZE = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'"


def median(costs: Sequence[tuple[Cost, Mapping[str, int]]]) -> str:
    """Say what the middle one of some ticks took, and asked."""
    cost, asked = sorted(costs, key=lambda one: one[0].processor)[len(costs) // 2]
    return f"{cost}; requests: VMS {asked['vms']}, ledger {asked['ledger']}"


def tick(at: Desk, *jobs: str) -> tuple[Cost, dict[str, int]]:
    """Run jobs, and count what they asked each side."""
    at.sandbox.control("DELETE", "requests")
    command = [sys.executable, "-m", "pipelines.cli.app", "run", *jobs, "--json", "--today", TODAY]
    cost = measure(command, folder=at.folder, environ=at.environ)
    if cost.report["exit_code"] not in RESULTS:
        raise AssertionError(cost.report)
    return cost, {side: sum(counts.values()) for side, counts in at.sandbox.control("GET", "requests").items()}


def enter(vms: VmsApi) -> None:
    """Enter a document that is ready for posting, as a user does."""
    [row] = copies(1, first_key=next(_keys))
    vms.call("POST", "Document", {name: value for name, value in row.items() if name not in {"key", "modifiedDate"}})


def kept(folder: Path, place: PostgresSchema | None) -> str:
    """Say what a tenant keeps on disk, part by part."""
    sizes = {"warehouse": (folder / "springline.duckdb").stat().st_size}
    sizes["published"] = sum(file.stat().st_size for file in (folder / "published").rglob("*") if file.is_file())
    if place is None:
        sizes["control"] = sum(file.stat().st_size for file in folder.glob("springline.ctl.sqlite*"))
    else:
        with psycopg.connect(server()) as connection:
            [(size,)] = connection.execute(SIZE, (place.schema,)).fetchall()
        sizes["control"] = int(str(size))
    return ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in sizes.items())


def measure_ticks(folder: Path, place: PostgresSchema | None) -> None:
    """Measure the ticks of a tenant whose control store is a file, or a schema."""
    where = "PostgreSQL" if place else "file"
    environ = {"SPRINGLINE_CONTROL": str(place)} if place else {}
    seed = write_world(folder / "seed", {"vms/Document": copies(1, first_key=FIRST_KEY)})
    shutil.copy(verified_file(), folder / "springline.models.json")
    with desk(folder, seed, **environ) as at:
        at.sandbox.control("POST", "ledger/settings", {"credits_per_hour": None})
        say(f"{where}, first tick: {median([tick(at, *DOCUMENTS)])}")
        say(f"{where}, all jobs for the first time: {median([tick(at, *EVERYTHING)])}")
        tick(at, *EVERYTHING)
        vms = VmsApi.of(at.environ)
        for jobs in (DOCUMENTS, ("documents",)):
            say(f"{where}, {' '.join(jobs)}, nothing new: {median([tick(at, *jobs) for _ in range(ROUNDS)])}")
            costs = []
            for _ in range(ROUNDS):
                enter(vms)
                costs.append(tick(at, *jobs))
                if costs[-1][0].counts("documents")["sent"] != 1:
                    raise AssertionError(costs[-1][0].report)
            say(f"{where}, {' '.join(jobs)}, one document: {median(costs)}")
        tick(at, *EVERYTHING)
        say(f"{where}, all jobs, nothing new: {median([tick(at, *EVERYTHING) for _ in range(ROUNDS)])}")
        say(f"{where}, on disk: {kept(folder, place)}")


def measure_many(folder: Path) -> None:
    """Measure what some thousands of documents leave on disk."""
    seed = make_world(folder, documents=MANY)
    with desk(folder, seed, **world_settings(seed)) as at:
        at.sandbox.control("POST", "ledger/settings", {"burst_requests": None, "credits_per_hour": None})
        tick(at, *EVERYTHING)
        tick(at, *EVERYTHING)
        say(f"{MANY:,} documents, on disk: {kept(folder, None)}")


def main() -> None:
    """Measure both kinds of control store, and what a history keeps."""
    os.environ |= world_settings(SAMPLE)
    with tempfile.TemporaryDirectory() as name:
        begin_in(Path(name))
        for place in (None, new_schema()):
            folder = Path(name) / ("schema" if place else "file")
            folder.mkdir()
            measure_ticks(folder, place)
        (Path(name) / "many").mkdir()
        measure_many(Path(name) / "many")


if __name__ == "__main__":
    main()
