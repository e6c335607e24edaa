"""A few of the tries of two batches at once: the one that has to go has sent nothing, each document went once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.storm.together import Try
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]
RIGHT = Try(0, 0.5, (0, 17), (9, 0), ("", ""))


@pytest.mark.system
def test_of_two_batches_one_works_and_one_reaches_nobody() -> None:
    command = [sys.executable, "-m", "tests.storm.together", "--tries", "3", "--seed", "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE)  # noqa: S603 ours
    assert done.returncode == 0, done.stdout + done.stderr
    assert "had reached neither system in 3 " in done.stdout


def test_a_try_that_is_right_has_no_fault() -> None:
    assert RIGHT.fault == ""


@pytest.mark.parametrize(
    "wrong",
    [
        RIGHT._replace(codes=(17, 17)),
        RIGHT._replace(codes=(0, 0)),
        RIGHT._replace(codes=(1, 17)),
        RIGHT._replace(codes=(None, 17)),
        RIGHT._replace(came=(9, 1)),
        RIGHT._replace(traces=("", "ValueError")),
    ],
    ids=str,
)
def test_each_wrong_try_is_told(wrong: Try) -> None:
    assert wrong.fault
