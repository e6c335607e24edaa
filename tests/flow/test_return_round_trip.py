"""Nothing that we wrote on one side ever comes back to the other as new."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from pipelines.batch.jobs import JOBS, RECONCILE
from pipelines.extract.steps import read_everything_back
from pipelines.models.steps import build_models
from pipelines.recovery.returns import find_returns
from pipelines.step.counts import Counts
from pipelines.step.step import Job, Step
from pipelines.stores.control import Control
from tests.flow.returns_seed import Invoice
from tests.flow.returns_world import ACTUALS, PAYMENTS, RATES, Returns

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.step.context import Context

INVOICES = (Invoice("2701", "INI", ("1000.00",), external="F-1"), Invoice("2702", "INO", ("500.00",)))
QUOTED = [{"owner": 28600, "from": "USD", "to": "NOK", "rate": "10.6", "fromDate": "2026-10-30"}]
WRITES = ("POST /ws", "PUT", "DELETE", "POST add", "POST update", "POST remove")


def written(world: Returns) -> int:
    """Count the requests so far that write."""
    requests = world.sandbox.control("GET", "requests")
    return sum(count for side in requests.values() for name, count in side.items() if name.startswith(WRITES))


def test_a_round_trip_of_everything_is_a_no_op(tmp_path: Path) -> None:
    with Returns(tmp_path, INVOICES, rates=QUOTED) as world:
        world.pay("1000.00", {"2701": "1000.00"})
        world.pay("500.00", {"2702": "500.00"})
        cost = {"account": "4300", "amount": "100.00", "glObject1": "V001", "project": "V001-2601"}
        world.book(cost, {"account": "2960", "amount": "-100.00"})
        first = world.run(RATES, PAYMENTS, ACTUALS)
        sent = {name: counts.sent for name, counts in first.jobs.items()}
        assert (sent["rates"], sent["payments"], sent["actuals"]) == (1, 2, 1)
        before, documents = written(world), world.documents("PMI", "PMO", "ACC", "INI", "INO")
        second = world.run(*(job for name, job in JOBS.items() if name not in {"master-data", "reconcile"}))
        # What the comparison makes of a world whose vouchers are only noted as sent is no matter here.
        assert sum(counts.sent for counts in second.jobs.values()) == 0, second.problems
        world.run(RECONCILE)
        assert written(world) == before
        assert world.documents("PMI", "PMO", "ACC", "INI", "INO") == documents


def test_a_store_made_anew_knows_what_came_back(tmp_path: Path) -> None:
    with Returns(tmp_path, INVOICES, rates=QUOTED) as world:
        paid = world.pay("1000.00", {"2701": "400.00"})
        cost = {"account": "4300", "amount": "100.00", "glObject1": "V001", "project": "V001-2601"}
        against = {"account": "2960", "amount": "-100.00"}
        world.book(cost, against)
        world.run(RATES, PAYMENTS, ACTUALS)
        before = world.documents("PMI", "PMO", "ACC")
        assert len(before) == 2
        for file in tmp_path.glob("springline.ctl.sqlite*"):
            file.unlink()
        with closing(Control(world.settings.control_path)) as control:
            control.keep_mark("recovered.from", "both systems")
        world.note_sent()
        found: list[tuple[int, int]] = []

        def find(ctx: Context) -> Counts:
            found.append(find_returns(ctx))
            return Counts()

        read = Step("read", read_everything_back)
        world.run(Job("rebuild", (read, Step("build models", build_models), Step("find", find))))
        assert found == [(1, 1)]
        again = world.run(RATES, PAYMENTS, ACTUALS)
        assert sum(counts.sent for counts in again.jobs.values()) == 0, again.problems
        assert world.documents("PMI", "PMO", "ACC") == before
        assert world.breaks() == {}
        # What has grown since goes as a part of its own: the record knows how much went before.
        row = world.rows("2701")[0]
        world.match(paid["payment"], row, settled={paid["payment"]: "600.00", row: "600.00"})
        world.book({**cost, "amount": "50.00"}, {**against, "amount": "-50.00"})
        world.run(PAYMENTS, ACTUALS)
        grown = world.documents("PMI", "PMO", "ACC")[2:]
        assert [row["documentNo"].rpartition("-")[2] for row in grown] == ["2", "2"]
        assert world.breaks() == {}
