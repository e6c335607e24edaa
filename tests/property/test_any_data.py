"""Whatever both systems hold, no value of one object stops a step for all: it is held, set aside, or shown as it is.

`FUZZ=50` tries so many worlds, each from another seed (`make fuzz`); without it, one. `FUZZ_FIRST` is the first of
them. A world takes 13 seconds of a processor, nearly all of it for the models and for what is published.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.any_world import fill, first_world

FIRST = int(os.environ.get("FUZZ_FIRST", "0"))
WORLDS = range(FIRST, FIRST + int(os.environ.get("FUZZ", "1")))


@pytest.mark.parametrize("world", WORLDS)
def test_no_value_stops_a_step(world: int, tmp_path: Path) -> None:
    folder = tmp_path if world else first_world()
    if world:
        fill(folder, world)
    assert (folder / "published" / "springline.xlsx").exists()
    if world:
        # Folders of a long run fill the memory; one that failed stays, to be looked at.
        shutil.rmtree(folder)
