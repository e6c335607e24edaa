"""A few of the storms that `make storm` plays: nothing lost, nothing twice, nothing altered, and quiet afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE

pytestmark = pytest.mark.system
ROOT = Path(__file__).parents[2]


def test_storms_lose_double_and_alter_nothing() -> None:
    command = [sys.executable, "-m", "tests.storm", "--seeds", "3", "--story"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE)  # noqa: S603 ours
    assert done.returncode == 0, done.stdout + done.stderr
    assert "violations: none" in done.stdout
