"""A few of the cases that `make exhaustive` plays: one flow killed at its steps, and its calls disturbed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.storm.databases import POSTGRESQL, SQLITE
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.system
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("control", "part"), [(SQLITE, "1/16"), (POSTGRESQL, "2/16")])
def test_kills_and_faults_of_a_flow_leave_nothing_behind(control: str, part: str) -> None:
    # Of the flows that send, the one that costs least.
    command = [sys.executable, "-m", "tests.storm.exhaustive", "both", "--flow", "rates"]
    command += ["--part", part, "--control", control]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE)  # noqa: S603 ours
    assert done.returncode == 0, done.stdout + done.stderr
    assert "with a violation: none" in done.stdout
