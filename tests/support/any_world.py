"""A world of any data, taken through every step between reading and sending, and what somebody decided on it."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

from pipelines.batch.jobs import JOBS, PUBLISH
from pipelines.contracts.tables import CONTRACTS, create_staging_tables
from pipelines.extract import steps as extract
from pipelines.extract.absent import tell_absent
from pipelines.extract.land import EVERYTHING, Arrival, land_together
from pipelines.outbox.entry import Move
from pipelines.outbox.states import State
from pipelines.outbox.store import Outbox
from pipelines.stores import seeds
from tests.support.any_data import page_of
from tests.support.delivery_world import voucher
from tests.support.landing import make_context
from tests.support.once import once
from tests.support.verified import verified_file

if TYPE_CHECKING:
    from pathlib import Path

# Objects of each contract. Most of a world's time goes to its tables, whatever is in them: where there are many worlds,
# each has three times as many objects for a third more.
OBJECTS, MANY_OBJECTS = 40, 120
# The steps between reading and sending, in the order of a batch of all jobs.
STEPS = [
    step
    for name in ("master-data", "documents", "rates", "payments", "actuals", "reconcile")
    for step in JOBS[name].steps
    if step.name.startswith(("build ", "check ", "note ", "compare ")) and step.run is not extract.note_acknowledged
]
# Vouchers of every fate, by the key and number of their document.
FATES = {1: State.SENT, 2: State.FAILED, 3: State.UNKNOWN, 4: State.TODO}


def first_world() -> Path:
    """Give the folder of a world that all tests of a session have in common; who changes it copies it first."""
    return once("any-world", lambda folder: fill(folder, 0, objects=OBJECTS))


def fill(folder: Path, world: int, *, objects: int = MANY_OBJECTS) -> None:
    """Land so many ``objects`` of every contract, from the seed ``world``, run every step, and publish."""
    dice = random.Random(world)  # noqa: S311 test data
    shutil.copy(verified_file(), folder / "springline.models.json")
    ctx = make_context(folder)
    seeds.load_seeds(ctx.warehouse)
    create_staging_tables(ctx.warehouse)
    for side, contracts in CONTRACTS.items():
        arrivals = [Arrival(contract, [page_of(contract, objects, dice)], EVERYTHING) for contract in contracts]
        land_together(ctx, arrivals, side=side)
    tell_absent(ctx, *CONTRACTS["vms"])
    outbox = Outbox(ctx.control, batch_id=ctx.batch_id, now=ctx.now)
    outbox.store_intents([voucher(key) for key in FATES])
    for states in ((State.SENDING,) * len(FATES), FATES.values()):
        outbox.apply([Move(voucher(key).id, state) for key, state in zip(FATES, states, strict=True)])
    for step in [*STEPS, *PUBLISH.steps]:
        step.run(ctx)
    ctx.warehouse.close()
    ctx.control.close()
