"""Whatever is wrong with data, settings, environment and disk: a documented exit code, and a message that helps.

`FUZZ=50` tries sixty times as many states (`make fuzz`), `FUZZ_FIRST=4000` others: those from the 4,000th on. A
command takes 0.4 seconds of a processor, one that asks both sides several.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.any_state import draw, lay_out, problems, remove, run
from tests.support.any_world import first_world

if TYPE_CHECKING:
    from pathlib import Path

LONG = int(os.environ.get("FUZZ", "0"))
FIRST = int(os.environ.get("FUZZ_FIRST", "0"))
# Of a hundred commands so many ask both sides: those take longest.
STATES, ASKING = (50 * LONG, 15) if LONG else (40, 2)
A_TEST = 20


@pytest.mark.parametrize("first", range(FIRST, FIRST + STATES, A_TEST))
def test_every_command_ends_as_documented(first: int, tmp_path: Path) -> None:
    base = first_world()
    for seed in range(first, first + A_TEST):
        case = draw(seed, asking=ASKING)
        folder = tmp_path / str(seed)
        lay_out(folder, base, case)
        ended = run(case, folder)
        assert problems(case, ended) == [], (case, ended)
        # 90 MB each; one that failed stays, to be looked at.
        remove(folder)
