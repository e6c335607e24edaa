"""Spark runs four tenants on two executors that share no folder: one executor is lost, and one token is wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from tests.support.environments import python_of
from tests.support.patience import PATIENCE
from tests.support.spark.session import VERSIONS
from tests.tenants.fleet import Fleet, fleet
from tests.tenants.harbour import EXAMPLES, OURS
from tests.tenants.processes import above, below, command_of, kill

pytestmark = pytest.mark.schedulers

TENANTS, WRONG, DOCUMENTS = 4, 2, 3
EXECUTOR = "CoarseGrainedExecutorBackend"
# Two executors with a core each, in processes and folders of their own, as on two machines.
CLUSTER = "--master local-cluster[2,1,1024] --conf spark.ui.enabled=false pyspark-shell"


class Played(NamedTuple):
    """What came of two submits: the first loses an executor."""

    fleet: Fleet
    first: subprocess.CompletedProcess[str]
    second: subprocess.CompletedProcess[str]
    folders: set[Path]


def submit(ships: Fleet, folder: Path) -> subprocess.Popen[str]:
    """Submit the example for a fleet; each executor works below its own folder."""
    python = python_of(VERSIONS)
    assert python, f"{VERSIONS.name} could not be installed"
    assert shutil.which("java"), "Spark needs a Java: `make test-schedulers` installs one."
    told = ships.machine(folder.name) | {"TENANTS_FOLDER": "stores", "TENANTS_PAUSE": "1"}
    # Executors work below the folder of the installation: one of links, so that it is ours.
    [installed] = python.parents[1].glob("lib/python*/site-packages/pyspark")
    for part in installed.iterdir():
        (folder / "spark").mkdir(exist_ok=True)
        (folder / "spark" / part.name).symlink_to(part)
    own = {"PYSPARK_SUBMIT_ARGS": CLUSTER, "PYSPARK_PYTHON": str(python), "SPARK_HOME": str(folder / "spark")}
    command = [str(python), str(EXAMPLES / "spark_job.py"), "run", "documents", "publish"]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603 our own example
            command, env={**os.environ, **told, **own}, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True
        )


def lose_an_executor(driver: subprocess.Popen[str]) -> None:
    """Kill an executor in the middle of a batch, with all that it has started."""
    until = time.monotonic() + PATIENCE
    while not (batches := [pid for pid in below(driver.pid) if OURS in command_of(pid)]):
        assert driver.poll() is None, "it ended first"
        assert time.monotonic() < until, "no batch has begun"
        time.sleep(0.1)
    # Let it come to where it has begun something.
    time.sleep(3)
    [executor] = [pid for pid in above(batches[0], driver.pid) if EXECUTOR in command_of(pid)][:1]
    kill([executor, *below(executor)])


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder, rng = tmp_path_factory.mktemp("spark"), Random(1)  # noqa: S311 no secret
    with fleet(folder, TENANTS, wrong=WRONG) as ships:
        ended: list[subprocess.CompletedProcess[str]] = []
        for name in ("first", "second"):
            for port in ships.ports.values():
                for _ in range(DOCUMENTS):
                    port.enter(rng)
            (folder / name).mkdir()
            driver = submit(ships, folder / name)
            try:
                if not ended:
                    lose_an_executor(driver)
                out, _ = driver.communicate(timeout=PATIENCE)
            finally:
                kill([driver.pid, *below(driver.pid)])
            ended.append(subprocess.CompletedProcess([], driver.returncode, out))
        yield Played(ships, ended[0], ended[1], {path.parent for path in folder.rglob("stores/*/*.duckdb")})


def ends(ended: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Return the exit code that the job tells of each tenant."""
    lines = [line.partition(": ") for line in ended.stdout.splitlines() if line.startswith("tenant-")]
    return {name: int(code) for name, _, code in lines}


def test_the_wrong_token_alone_fails_and_ends_no_other(played: Played) -> None:
    for ended in (played.first, played.second):
        assert ended.returncode == 1
        assert ends(ended) == {name: 11 if port.is_wrong else 0 for name, port in played.fleet.ports.items()}


def test_each_document_is_in_its_ledger_once(played: Played) -> None:
    for name, port in played.fleet.ports.items():
        assert len(port.entered) == 2 * DOCUMENTS
        found = port.violations()
        lost = [violation for violation in found if violation.invariant == "lost"]
        assert len(lost) == (len(port.entered) if port.is_wrong else 0), played.fleet.told(name)
        assert [violation for violation in found if violation not in lost] == [], played.fleet.told(name)


def test_a_batch_was_killed_and_done_elsewhere(played: Played) -> None:
    records = {name: played.fleet.record(name) for name in played.fleet.ports}
    unended = [name for name, record in records.items() if any(batch.ended_at is None for batch in record.batches)]
    assert len(unended) == 1, [played.fleet.told(name) for name in unended]
    assert [record.chain for record in records.values() if record.chain] == []
    # Each submit has executors, and so folders, of its own; the one that was lost was replaced.
    assert len({path.parent for path in played.folders}) > 3
