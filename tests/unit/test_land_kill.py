"""A landing that is killed: the next one makes it whole, wherever it was."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.landing_kills import POINTS
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]


def test_killed_anywhere_landing_again_makes_it_whole(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.landing_kills", str(tmp_path / "kills")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE)  # noqa: S603 ours
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [len(lines) if lines != [None] else 0 for _, _, lines in found["whole"]] == [3, 2, 3, 0, 4, 4, 4, 4, 4]
    assert len(found["killed"]) == POINTS
    for point, staged in found["killed"].items():
        assert staged == found["whole"], f"killed before statement {point}"
