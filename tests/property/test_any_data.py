"""Whatever both systems hold, no value of one object stops a step for all: it is held, set aside, or shown as it is.

`FUZZ=200` tries so many worlds, each from another seed (`make fuzz`); without it, one.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.any_world import fill, first_world

WORLDS = range(int(os.environ.get("FUZZ", "1")))


@pytest.mark.parametrize("world", WORLDS)
def test_no_value_stops_a_step(world: int, tmp_path: Path) -> None:
    folder = tmp_path if world else first_world()
    if world:
        fill(folder, world)
    assert (folder / "published" / "springline.xlsx").exists()
