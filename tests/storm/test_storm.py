"""A few of the storms that `make storm` plays, and what is left of those that once went wrong: none goes wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.storm.databases import POSTGRESQL, SQLITE
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.system
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("control", "first"), [(SQLITE, 1), (POSTGRESQL, 3)])
def test_storms_lose_double_and_alter_nothing(control: str, first: int) -> None:
    stories = sorted(map(str, (Path(__file__).parent / "stories").glob("*.yaml")))
    command = [sys.executable, "-m", "tests.storm", "--control", control, "--first", str(first), "--seeds", "2"]
    command += ["--play", *stories, "--story"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE)  # noqa: S603 ours
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(stories) + 2} worlds" in done.stdout
    assert "violations: none" in done.stdout
