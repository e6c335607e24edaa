"""One demonstration for all tests that look at what it leaves: it takes long, so that they share it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.patience import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ENDED = "ended.json"


@dataclass(frozen=True, slots=True)
class Ended:
    """What `springline demo --json` printed, how it ended, and a copy of the folder it left."""

    exit_code: int
    printed: dict[str, Any]
    folder: Path


def demonstrate(factory: pytest.TempPathFactory) -> Ended:
    """Run the demonstration once in a session of tests, whatever the number of processes; give each caller a copy."""
    # Each worker of pytest-xdist has a folder of its own inside that of the session.
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demonstration"
    try:
        shared.mkdir()
    except FileExistsError:
        _wait_for(shared / ENDED)
    else:
        _run(shared)
    ended = json.loads((shared / ENDED).read_text("utf-8"))
    folder = factory.mktemp("demo") / "demo"
    shutil.copytree(shared / "demo", folder)
    return Ended(ended["exit_code"], ended["printed"], folder)


def _run(shared: Path) -> None:
    command = [sys.executable, "-m", "pipelines.cli.app", "demo", "--json"]
    done = subprocess.run(command, cwd=shared, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 ours
    unfinished = shared / f"{ENDED}.new"
    unfinished.write_text(json.dumps({"exit_code": done.returncode, "printed": json.loads(done.stdout)}), "utf-8")
    unfinished.replace(shared / ENDED)


def _wait_for(path: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < end, "the demonstration did not end"
        time.sleep(0.2)
