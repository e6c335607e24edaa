"""A large batch killed while it acknowledges the first documents and still sends the last: all of it comes right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.outbox.chain import verify_chain
from tests.flow.world import World, copies, until, world
from tests.support.control_stores import KINDS, new_schema
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.system

# A voucher has five lines, so a mutation carries eight: the ledger's limit holds up all behind the first 160.
KEYS = range(6_000_001, 6_000_901)
LIMITS = {
    "SPRINGLINE_LEDGER__NODES_PER_MUTATION": "40",
    "SPRINGLINE_LEDGER__BURST_REQUESTS": "20",
    "SPRINGLINE_LEDGER__TIMEOUT": "2",
}
MOMENTS = (1, 120)
UNSENT = "SELECT count(*) FROM outbox WHERE kind = 'voucher' AND state = 'todo'"


@pytest.fixture(params=KINDS)
def harbour(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    documents = copies(len(KEYS), first_key=KEYS[0])
    kept = LIMITS if request.param == "sqlite" else {**LIMITS, "SPRINGLINE_CONTROL": str(new_schema())}
    with world(tmp_path, {"vms/Document": documents}, is_first_day=True, **kept) as harbour:
        assert harbour.run("master-data").exit_code == 0
        yield harbour


def acknowledged(harbour: World) -> int:
    return sum(status == "POS" for status in harbour.statuses().values())


def test_each_document_is_booked_once_and_acknowledged(harbour: World) -> None:
    for more in MOMENTS:
        before = acknowledged(harbour)
        process = harbour.start("run", "documents")
        until(lambda: acknowledged(harbour) >= before + more, alive=lambda: process.poll() is None)  # noqa: B023 at once
        process.kill()
        process.communicate(timeout=PATIENCE)
        [(unsent,)] = harbour.rows(UNSENT)
        # Vouchers and acknowledgements were under way side by side.
        assert unsent > 0
    ends = {harbour.command("run", "documents").exit_code for _ in range(3)}
    assert ends == {0}
    control = harbour.control()
    assert not verify_chain(control)
    control.close()
    assert harbour.booked() == dict.fromkeys(KEYS, 1)
    assert {*harbour.statuses().values()} == {"POS"}
