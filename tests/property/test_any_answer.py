"""Whatever both systems answer to a delivery: no error but an expected one, and what an answer proves is on record.

`FUZZ=50` tries fifty times as many deliveries (`make fuzz`), `FUZZ_FIRST=4000` those from the 4,000th on. A delivery
takes 0.05 seconds of a processor.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import stamina

from pipelines.core.errors import SpringlineError
from pipelines.load.delivery import DeliveryResult
from pipelines.load.ledger.vouchers import deliver_vouchers
from pipelines.load.vms.acknowledge import deliver_acknowledgements
from pipelines.outbox.chain import verify_chain
from pipelines.outbox.intent import Kind
from pipelines.outbox.store import Outbox
from pipelines.step.context import Context
from pipelines.stores.control import Control
from pipelines.wire.ledger import LedgerClient
from pipelines.wire.vms import VmsClient
from tests.support.any_sides import AnySides
from tests.support.delivery_world import EVERY_KEY, Clock, make_settings, make_warehouse, voucher
from tests.support.wire_world import AsSent

FIRST = int(os.environ.get("FUZZ_FIRST", "0"))
DELIVERIES = range(FIRST, FIRST + 20 * int(os.environ.get("FUZZ", "1")))
RUNS = 3
DOCUMENTS = range(1, 7)


@pytest.fixture(autouse=True)
def _without_waiting() -> Iterator[None]:
    stamina.set_testing(True, attempts=2)
    yield
    stamina.set_testing(False)


@pytest.mark.parametrize("seed", DELIVERIES)
def test_a_delivery_stands_any_answer(seed: int, tmp_path: Path) -> None:
    dice = random.Random(f"answer {seed}")  # noqa: S311 test data
    sides = AnySides(dice, spoiled=dice.choice((10, 40, 90)))
    context = _context(tmp_path, sides, has_files=dice.random() < 0.5)
    Outbox(context.control, batch_id="b1", now=context.now).store_intents([voucher(key) for key in DOCUMENTS])
    stopped: list[SpringlineError] = []
    for _ in range(RUNS):
        for deliver in (_vouchers, deliver_acknowledgements):
            # As the batch takes it: the job is stopped, and the next run goes on.
            try:
                deliver(context)
            except SpringlineError as error:
                stopped.append(error)
    assert [error for error in stopped if error.exit_code == 1 or not error.next_step] == []
    kept = context.control.read("SELECT natural_key FROM outbox WHERE kind = ?", (Kind.VOUCHER,))
    assert {row["natural_key"] for row in kept} == {str(key) for key in DOCUMENTS}
    # In the ledger twice is what never happens: only a call that is known to have done nothing is made again.
    assert sides.added.keys() <= {str(key) for key in DOCUMENTS}
    assert [key for key, count in sides.added.items() if count > 1] == []
    assert verify_chain(context.control) == []
    context.control.close()


def _vouchers(context: Context) -> DeliveryResult:
    return deliver_vouchers(context, ready=EVERY_KEY, sleep=lambda _: None)


def _context(folder: Path, sides: AnySides, *, has_files: bool) -> Context:
    settings = make_settings(
        ledger={"nodes_per_mutation": 4, "longest_wait": 0, "burst_requests": 10_000, "attempts": 2},
        vms={"attempts": 2},
        posting={"attachments": has_files},
    )
    clock, transport = Clock(), AsSent(sides.answer)
    count = lambda _side, _operation: None  # noqa: E731 nobody counts
    return Context(
        batch_id="b1",
        today=date(2026, 11, 2),
        now=clock.now,
        operator="tester",
        settings=settings,
        control=Control(folder / "ctl.sqlite"),
        warehouse=make_warehouse(),
        vms=VmsClient(settings.vms, count=count, now=clock.now, transport=transport, sleep=clock.sleep),
        ledger=LedgerClient(settings.ledger, count=count, now=clock.now, transport=transport, sleep=clock.sleep),
        report=lambda _what, _done, _total: None,
    )
