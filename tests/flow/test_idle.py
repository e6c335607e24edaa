"""An hour in which nothing happens: the VMS is asked at every tick, the ledger when there is something to ask about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pipelines.batch.run import chosen_jobs, run_batch
from pipelines.core.settings import load_settings
from tests.flow.world import CLOCK, TODAY, World, sample_documents, world

if TYPE_CHECKING:
    from pipelines.batch.run import BatchResult

HELD, GOOD, TO_CORRECT = "2708031", "2706035", "2708004"
# An hour of ticks every ten seconds, of which every thirtieth is run.
TICKS = [timedelta(seconds=10 * number) for number in range(30, 360, 30)]


@dataclass
class Day:
    """A world whose clock only a test moves."""

    world: World
    now: datetime

    def tick(
        self, after: timedelta = timedelta(0), *, jobs: Sequence[str] = ("documents",)
    ) -> tuple[BatchResult, dict[str, int]]:
        """Run jobs, and give the ledger's requests."""
        self.world.requests()
        result = run_batch(
            load_settings(None, environ=self.world.environ),
            jobs=chosen_jobs(jobs),
            operator="tester",
            now=lambda: self.now + after,
            today=TODAY,
        )
        return result, self.world.requests().get("ledger", {})

    def held(self) -> set[str]:
        return {number for (number,) in self.world.rows("SELECT document_no FROM holds WHERE until IS NULL")}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    documents = {"vms/Document": sample_documents(HELD, GOOD, TO_CORRECT)}
    with world(tmp_path_factory.mktemp("idle"), documents) as served:
        yield Day(served, datetime.fromisoformat(CLOCK).astimezone(UTC))


def test_the_first_run_asks_the_ledger(day: Day) -> None:
    _, asked = day.tick(jobs=("master-data", "documents"))
    assert asked
    assert GOOD in day.world.sent()
    assert HELD in day.held()


def test_an_idle_hour_asks_the_ledger_nothing(day: Day) -> None:
    day.world.sandbox.control("POST", "ledger/periods", {"owner": 28601, "period": "2026-07", "closed": False})
    for after in TICKS:
        result, asked = day.tick(after)
        assert (asked, result.jobs["documents"].failed) == ({}, 0)
    assert HELD in day.held()


def test_what_became_right_in_the_ledger_goes_with_the_hourly_look(day: Day) -> None:
    _, asked = day.tick(timedelta(hours=1))
    assert asked
    assert HELD not in day.held()
    assert HELD in day.world.sent()
    _, asked = day.tick(timedelta(hours=1, seconds=10))
    assert asked == {}


def test_a_changed_document_is_checked_at_once(day: Day) -> None:
    day.world.change("Document", day.world.document(TO_CORRECT)["key"], externalDocumentNo="B-77")
    _, asked = day.tick(timedelta(hours=1, seconds=20))
    assert asked
    assert TO_CORRECT in day.world.sent()
