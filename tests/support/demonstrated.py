"""One demonstration for all tests that look at what it leaves: it takes long, so that they share it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.once import once

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

RESULT = "result.json"


@dataclass(frozen=True, slots=True)
class Ended:
    """What `springline demo --json` printed, how it ended, and a copy of the folder it left."""

    exit_code: int
    printed: dict[str, Any]
    folder: Path


def demonstrate(factory: pytest.TempPathFactory) -> Ended:
    """Run the demonstration once in a session of tests, whatever the number of processes; give each caller a copy."""
    shared = once("demonstration", _run)
    ended = json.loads((shared / RESULT).read_text("utf-8"))
    folder = factory.mktemp("demo") / "demo"
    shutil.copytree(shared / "demo", folder)
    return Ended(ended["exit_code"], ended["printed"], folder)


def _run(shared: Path) -> None:
    command = [sys.executable, "-m", "pipelines.cli.app", "demo", "--json"]
    # As in an office: a proxy for everything, which the stand-ins on this machine are not behind.
    environ = {**os.environ, "http_proxy": "http://127.0.0.1:9", "no_proxy": ""}
    done = subprocess.run(command, cwd=shared, stdout=subprocess.PIPE, text=True, check=False, env=environ)  # noqa: S603 ours
    result = {"exit_code": done.returncode, "printed": json.loads(done.stdout)}
    (shared / RESULT).write_text(json.dumps(result), "utf-8")
