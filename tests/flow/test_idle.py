"""An hour in which nothing happens: the VMS is asked at every tick, the ledger when there is something to ask about.

The ledger keeps its documented limits (docs/systems/ledger.md#1-8, #a13, #a14), and counts what it refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.batch.run import chosen_jobs, run_batch
from pipelines.core.settings import load_settings
from tests.flow.world import CLOCK, TODAY, World, sample_documents, world

if TYPE_CHECKING:
    from pipelines.batch.run import BatchResult

pytestmark = pytest.mark.system

HELD, GOOD, TO_CORRECT = "2708031", "2706035", "2708004"
HOUR = timedelta(hours=1)
TICKS = [timedelta(seconds=s) for s in range(10, 3600, 10)]
LIMITS = {"burst_requests": 20, "burst_seconds": 5, "concurrency": 4, "credits_per_hour": 5_000}


@dataclass
class Day:
    """A world whose clock only a test moves."""

    world: World
    now: datetime

    def tick(
        self, after: timedelta = timedelta(0), *, jobs: Sequence[str] = ("documents",)
    ) -> tuple[BatchResult, dict[str, int]]:
        """Run jobs when it is so much later on both sides, and give the ledger's requests."""
        # The ledger's credits are counted by the hour of its own clock.
        self.world.sandbox.control("POST", "clock", {"now": (self.now + after).isoformat()})
        self.world.requests()
        result = run_batch(
            load_settings(None, environ=self.world.environ),
            jobs=chosen_jobs(jobs),
            operator="tester",
            now=lambda: self.now + after,
            today=TODAY,
        )
        asked = self.world.requests()
        assert asked["vms"]
        return result, asked.get("ledger", {})

    def limits(self) -> tuple[Decimal, dict[str, int]]:
        """Give the credits used in the ledger's last hour, and how often each limit has refused a request."""
        found = self.world.sandbox.control("GET", "ledger/credits")
        return Decimal(found["used"]), found["refused"]

    def held(self) -> set[str]:
        return {number for (number,) in self.world.rows("SELECT document_no FROM holds WHERE until IS NULL")}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    documents = {"vms/Document": sample_documents(HELD, GOOD, TO_CORRECT)}
    # Springline keeps to the documented burst as well, not to that of the other tests.
    with world(tmp_path_factory.mktemp("idle"), documents, SPRINGLINE_LEDGER__BURST_REQUESTS="20") as served:
        served.sandbox.control("POST", "ledger/settings", LIMITS)
        yield Day(served, datetime.fromisoformat(CLOCK).astimezone(UTC))


def test_the_first_run_asks_the_ledger(day: Day) -> None:
    _, asked = day.tick(jobs=("master-data", "documents"))
    assert asked
    assert GOOD in day.world.sent()
    assert HELD in day.held()


def test_an_idle_hour_asks_the_ledger_nothing(day: Day) -> None:
    day.world.sandbox.control("POST", "ledger/periods", {"owner": 28601, "period": "2026-07", "closed": False})
    before = day.limits()
    for after in TICKS:
        result, asked = day.tick(after)
        assert (asked, result.jobs["documents"].failed) == ({}, 0), after
    assert HELD in day.held()
    assert day.limits() == before


def test_what_became_right_in_the_ledger_goes_with_the_hourly_look(day: Day) -> None:
    _, asked = day.tick(HOUR)
    assert asked
    assert HELD not in day.held()
    assert HELD in day.world.sent()
    _, asked = day.tick(HOUR + timedelta(seconds=10))
    assert asked == {}


def test_a_changed_document_is_checked_at_once(day: Day) -> None:
    day.world.change("Document", day.world.document(TO_CORRECT)["key"], externalDocumentNo="B-77")
    _, asked = day.tick(HOUR + timedelta(seconds=20))
    assert asked
    assert TO_CORRECT in day.world.sent()


def test_an_idle_run_of_everything_asks_as_often_as_told(day: Day) -> None:
    # What docs/how-to/schedule.md counts the requests of a month with.
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "schedule.md").read_text("utf-8")
    [told] = re.findall(r"runs of everything x (\d+) =", page)
    # The first reads whatever nobody has asked for yet.
    day.tick(HOUR * 2, jobs=())
    _, asked = day.tick(HOUR * 3, jobs=())
    assert sum(asked.values()) == int(told)


def test_the_ledger_has_refused_nothing(day: Day) -> None:
    used, refused = day.limits()
    assert refused == {}
    # The hourly look, and what was sent with it.
    assert 0 < used < LIMITS["credits_per_hour"]
