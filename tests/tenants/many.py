"""Tenants under Dagster: people enter documents, workers are killed, and then the books of all of them are judged."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.storm.auditor import POSTED
from tests.tenants.fleet import PROGRAM, Fleet, Port, Record, fleet
from tests.tenants.harbour import Harbour, Pace, dagster

LOST = "lost"
FAILED, SUCCEEDED = "FAILURE", "SUCCESS"


class Plan(NamedTuple):
    """How many tenants on how many machines; seconds between ticks, of the whole, between kills; documents a tenant."""

    tenants: int
    machines: int
    cadence: int
    seconds: int
    kill_every: float
    # Each how many kills is one of a whole machine; the others are of a run.
    whole_every: int
    documents: int
    pace: Pace
    program: str = PROGRAM
    # Each machine has looked at each tenant before the day begins.
    is_warm: bool = False
    # The settings of a bucket, where the warehouses are lakes.
    data: Mapping[str, str] | None = None

    @property
    def wrong(self) -> int:
        """The number of the tenant whose token its ledger does not know."""
        return self.tenants // 2


@dataclass(slots=True)
class Day:
    """What is being played."""

    plan: Plan
    fleet: Fleet
    harbour: Harbour
    rng: Random
    begun: datetime = field(default_factory=lambda: datetime.now(UTC))

    def others(self) -> Iterator[Port]:
        """Yield the tenants whose token is right."""
        return (port for port in self.fleet.ports.values() if not port.is_wrong)

    def work(self) -> None:
        """Let people enter documents at any moment, and kill a worker each time it is due."""
        plan, begin = self.plan, time.monotonic()
        ports = [port for port in self.fleet.ports.values() for _ in range(plan.documents)]
        due = sorted((self.rng.uniform(0, plan.seconds), place) for place in range(len(ports)))
        next_kill = begin + plan.kill_every
        while (now := time.monotonic()) < begin + plan.seconds:
            self.harbour.keep()
            while due and begin + due[0][0] <= now:
                ports[due.pop(0)[1]].enter(self.rng)
            # Where none is at work, the next that is.
            is_whole = len(self.harbour.killed) % plan.whole_every == plan.whole_every - 1
            if now >= next_kill and self.harbour.kill_one(self.rng, whole=is_whole):
                next_kill = now + plan.kill_every
            time.sleep(0.5)

    def wait(self, is_so: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is so, and tell whether it came; what has ended is started again meanwhile."""
        until = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > until:
                return False
            self.harbour.keep()
            time.sleep(2)
        return True

    def is_acknowledged(self) -> bool:
        """Tell whether every document of the others is acknowledged in its VMS."""
        return all(_is_acknowledged(port) for port in self.others())

    def untold(self) -> dict[str, set[int]]:
        """Return the documents of the others that their lakes do not tell analysts were sent, by tenant."""
        sent = "SELECT tenant, document_key FROM ctl.outbox WHERE kind = 'voucher' AND sent_at IS NOT NULL"
        rows = self.fleet.ask(sent)
        told: dict[str, set[int]] = {}
        for row in rows:
            told.setdefault(row["tenant"], set()).add(row["document_key"])
        left = {port.name: {*port.entered} - told.get(port.name, set()) for port in self.others()}
        return {name: keys for name, keys in left.items() if keys}

    def is_told(self) -> bool:
        """Tell whether every document of the others is acknowledged, and stands in its lake as sent."""
        return self.is_acknowledged() and not self.untold()


class Outcome(NamedTuple):
    """What came of it."""

    # By tenant: what its books show that must not be.
    violations: dict[str, list[str]]
    records: dict[str, Record]
    runs: list[dict[str, Any]]
    killed: list[str]
    begun: datetime
    ended: datetime
    entered: dict[str, dict[int, datetime]]
    wrong: str
    # By tenant: documents that are missing where analysts read.
    untold: dict[str, set[int]]
    # By tenant whose books are wrong: what its control store has.
    told: dict[str, str]

    def failing(self) -> set[str]:
        """Return the tenants that have never come to a result."""
        return {run["tenant"] for run in self.runs} - {run["tenant"] for run in self.runs if run["state"] == SUCCEEDED}

    def latest(self) -> float:
        """Return the most seconds from the entering of a document until its ledger had it, the wrong tenant's aside."""
        return max(
            (self.records[name].sent[key] - at).total_seconds()
            for name, entered in self.entered.items()
            for key, at in entered.items()
            if name != self.wrong
        )

    def latest_tick(self, cadence: int) -> float:
        """Return the most seconds from a tick until a tenant had a result, the wrong one aside; on the clock's grid."""
        first = math.ceil(self.begun.timestamp() / cadence) * cadence
        ticks = [datetime.fromtimestamp(at, UTC) for at in range(first, int(self.ended.timestamp()), cadence)]
        records = [record for name, record in self.records.items() if name != self.wrong]
        return max(record.lateness(tick, self.ended) for tick in ticks for record in records)


@contextmanager
def day(folder: Path, plan: Plan, seed: int = 1) -> Iterator[Day]:
    """Begin."""
    with (
        fleet(folder, plan.tenants, wrong=plan.wrong, program=plan.program, data=plan.data) as ships,
        dagster(ships, plan.machines, plan.pace, is_warm=plan.is_warm) as harbour,
    ):
        yield Day(plan, ships, harbour, Random(seed))  # noqa: S311 no secret


def judge(played: Day) -> Outcome:
    """End all, and judge: exactly what must be in the books of the others, and nothing of the wrong one's."""
    ended = datetime.now(UTC)
    runs, killed = played.harbour.runs(), played.harbour.killed
    played.harbour.end()
    ports = played.fleet.ports
    wrong = next(port.name for port in ports.values() if port.is_wrong)
    violations = {}
    for name, port in ports.items():
        found = port.violations()
        if port.is_wrong:
            # Each of its documents waits in the VMS, as it was entered, and nothing else is said of them.
            lost = {violation.subject for violation in found if violation.invariant == LOST}
            found = [violation for violation in found if violation.invariant != LOST]
            assert len(lost) == len(port.entered), lost
        if found:
            violations[name] = [" ".join(violation) for violation in found]
    records = {name: played.fleet.record(name) for name in ports}
    entered = {name: port.entered for name, port in ports.items()}
    untold = played.untold() if played.plan.data else {}
    told = {name: played.fleet.told(name) for name in violations}
    return Outcome(violations, records, runs, killed, played.begun, ended, entered, wrong, untold, told)


def _is_acknowledged(port: Port) -> bool:
    rows = {row["key"]: row for row in port.vms.documents()}
    return all(rows[key]["invoicingStatus"]["statusTypeCode"] == POSTED for key in port.entered)
