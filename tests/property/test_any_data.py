"""Whatever both systems hold, no value of one object stops a step for all: it is held, set aside, or shown as it is.

`FUZZ=200` tries so many worlds, each from another seed (`make fuzz`); without it, one.
"""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from pipelines.batch.jobs import JOBS, PUBLISH
from pipelines.contracts.tables import CONTRACTS, create_staging_tables
from pipelines.extract import steps as extract
from pipelines.extract.absent import tell_absent
from pipelines.extract.land import EVERYTHING, Arrival, land_together
from pipelines.stores import seeds
from tests.support.any_data import page_of
from tests.support.landing import make_context
from tests.support.verified import verified_file

WORLDS = range(int(os.environ.get("FUZZ", "1")))
OBJECTS = 40
# The steps between reading and sending, in the order of a batch of all jobs.
STEPS = [
    step
    for name in ("master-data", "documents", "rates", "payments", "actuals", "reconcile")
    for step in JOBS[name].steps
    if step.name.startswith(("build ", "check ", "note ", "compare ")) and step.run is not extract.note_acknowledged
]


@pytest.mark.parametrize("world", WORLDS)
def test_no_value_stops_a_step(world: int, tmp_path: Path) -> None:
    dice = random.Random(world)  # noqa: S311 test data
    shutil.copy(verified_file(), tmp_path / "springline.models.json")
    ctx = make_context(tmp_path)
    seeds.load_seeds(ctx.warehouse)
    create_staging_tables(ctx.warehouse)
    for side, contracts in CONTRACTS.items():
        arrivals = [Arrival(contract, [page_of(contract, OBJECTS, dice)], EVERYTHING) for contract in contracts]
        land_together(ctx, arrivals, side=side)
    tell_absent(ctx, *CONTRACTS["vms"])
    for step in [*STEPS, *PUBLISH.steps]:
        step.run(ctx)
    assert (ctx.settings.published / "springline.xlsx").exists()
    ctx.warehouse.close()
    ctx.control.close()
