"""The loop of a watch with a clock, a VMS and batches of the test's own: what becomes due, and what is left alone."""

from __future__ import annotations

import errno
import gc
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from pipelines.batch.jobs import JOBS
from pipelines.batch.outcome import Outcome
from pipelines.batch.run import BatchResult
from pipelines.core.errors import BusyError, DiskFullError, ExtractError, SpringlineError
from pipelines.core.settings import Settings
from pipelines.step.counts import Counts
from pipelines.stores.control import Control, utc_text
from pipelines.watch import loop as loops
from pipelines.watch.budget import plan_month
from pipelines.watch.loop import Loop, Part
from pipelines.watch.orders import TURN, from_problem
from pipelines.watch.state import WatchState
from pipelines.watch.stop import Stop, Stopped

if TYPE_CHECKING:
    from pipelines.watch.probe import Seen

SETTINGS = Settings.model_validate({"vms": {"base_url": "http://vms"}, "ledger": {"token": "x"}})
# A Sunday, on which nothing is compared by the clock.
SUNDAY = datetime(2026, 11, 29, 9, 0, 30, tzinfo=UTC)
NOBODY: Seen = frozenset()
CALLED = (
    "INSERT INTO webhook_events (side, event_id, received_at, job, subject) "
    "VALUES ('vms', '1', :at, 'documents', 'Document 1')"
)


@dataclass
class Fakes:
    """A clock, a VMS and batches; ``ran`` are the jobs of each batch."""

    now: datetime = SUNDAY
    documents: Seen = NOBODY
    changed: Seen = NOBODY
    acknowledged: set[int] = field(default_factory=set)
    ran: list[list[str]] = field(default_factory=list)
    # When the steps that may wait ran by themselves, and how much of its jobs each batch did.
    rests: list[datetime] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    looks: int = 0
    sent: dict[str, int] = field(default_factory=dict)
    # Whose batch cannot begin, and those that fail within one.
    failing: dict[str, Exception] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    held: int = 0
    blind: SpringlineError | None = None
    control: Control | None = None

    def look_documents(self) -> Seen:
        self.looks += 1
        if self.blind:
            raise self.blind
        return self.documents

    def run(
        self,
        jobs: Sequence[str],
        *,
        operator: str,
        today: date | None,
        began: Callable[[Any], None],
        part: Part = Part.WHOLE,
    ) -> BatchResult:
        # What may wait is told apart: nearly every test asks for what was due.
        self.rests += [self.now] if part is Part.REST else []
        self.parts.append(part)
        self.ran += [[*jobs]] if part is not Part.REST else []
        for job in jobs:
            if job in self.failing:
                raise self.failing[job]
        began(_Batch(self.control, f"batch {len(self.ran)} of {operator} for {today}"))
        for job in self.failed.intersection(jobs):
            self.note_failure(f"batch {len(self.ran)}", job)
        counts = {job: Counts(sent=1 if self.sent else 0, held=self.held) for job in jobs}
        sent, self.sent = self.sent, {}
        return BatchResult(f"batch {len(self.ran)}", counts, (), 0, Outcome(sent))

    def note_failure(self, batch: str, job: str) -> None:
        assert self.control
        with self.control.write() as connection:
            connection.execute(
                "INSERT INTO batches (batch_id, started_at, today, jobs, operator) VALUES (?, '', '', '', '')", (batch,)
            )
            connection.execute(
                "INSERT INTO steps (batch_id, position, job, step, started_at, outcome) "
                "VALUES (?, 1, ?, '', '', 'failed')",
                (batch, job),
            )


@dataclass
class _Batch:
    control: Control | None
    batch_id: str


class _Look:
    def __init__(self, fakes: Fakes) -> None:
        self._fakes = fakes

    def documents(self) -> Seen:
        return self._fakes.look_documents()

    def has_new_documents(self, before: Seen | None, now: Seen) -> bool:
        gone = {key for key, _ in (before or NOBODY) - now}
        return before is None or bool(now - before) or not gone <= self._fakes.acknowledged

    def master_data(self) -> Seen | None:
        return self._fakes.changed


@dataclass
class Watch:
    fakes: Fakes
    loop: Loop
    control: Control

    def tick(self, after: float = 0) -> list[list[str]]:
        """Do all that is due so many seconds later, and give the jobs of each batch."""
        self.fakes.now += timedelta(seconds=after)
        before = len(self.fakes.ran)
        for _ in range(5):
            if not self.loop.tick():
                break
        else:
            raise AssertionError(f"it does not come to rest: {self.fakes.ran[before:]}")
        return self.fakes.ran[before:]

    def write(self, statement: str, **values: object) -> None:
        """Write as another process does."""
        other = Control(self.control.path)
        with other.write() as connection:
            connection.execute(statement, values)
        other.close()


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    fakes = Fakes()
    control = Control(tmp_path / "springline.ctl.sqlite")
    fakes.control = control
    state = WatchState.begin(control, operator="schedule", now=fakes.now)
    loop = Loop(SETTINGS, plan_month(SETTINGS), state, _Look(fakes), fakes.run, "schedule", lambda: fakes.now, Stop())
    yield Watch(fakes, loop, control)
    control.close()


@pytest.fixture
def idle(watch: Watch) -> Watch:
    """A watch that has run everything once."""
    assert watch.tick() == [["master-data", "documents", "rates", "payments", "actuals", "publish"]]
    assert watch.tick() == []
    return watch


def test_a_quarter_of_an_hour_without_news_runs_nothing(idle: Watch) -> None:
    looks = idle.fakes.looks
    assert [ran for _ in range(90) for ran in idle.tick(10)] == []
    assert idle.fakes.looks == looks + 90


def test_a_document_that_is_ready_runs_once(idle: Watch) -> None:
    idle.fakes.documents = frozenset({(1, b"a")})
    assert idle.tick(10) == [["documents"]]
    # Held: it stays, and is no news.
    assert idle.tick(10) == []
    idle.fakes.documents = frozenset({(1, b"b")})
    assert idle.tick(10) == [["documents"]]
    # Posted and acknowledged: it left by our own doing.
    idle.fakes.acknowledged, idle.fakes.documents = {1}, NOBODY
    assert idle.tick(10) == []


def test_a_document_that_somebody_took_back_is_looked_at(idle: Watch) -> None:
    idle.fakes.documents = frozenset({(1, b"a")})
    idle.tick(10)
    idle.fakes.documents = NOBODY
    assert idle.tick(10) == [["documents"]]


def _come(watch: Watch, number: int) -> None:
    """Have so many documents ready at the next look, and run one batch."""
    watch.fakes.documents = frozenset({(key, b"a") for key in range(number)})
    watch.fakes.now += timedelta(seconds=10)
    watch.loop.tick()


def test_what_may_wait_is_done_when_no_document_comes(idle: Watch) -> None:
    _come(idle, 1)
    assert idle.fakes.parts[-1] is Part.FIRST
    assert not idle.fakes.rests
    assert idle.tick(2) == []
    assert not idle.fakes.rests
    assert idle.tick(1) == []
    assert idle.fakes.rests == [idle.fakes.now]
    idle.tick(10)
    assert len(idle.fakes.rests) == 1


def test_what_may_wait_waits_five_minutes_at_most(idle: Watch) -> None:
    for number in range(1, 64):
        _come(idle, number)
    # One run each ten seconds: the one at 300 seconds does all of it.
    assert idle.fakes.parts[-63:] == ([Part.FIRST] * 30 + [Part.WHOLE]) * 2 + [Part.FIRST]


def test_a_document_held_in_a_stream_of_them_is_looked_at_once_more(idle: Watch) -> None:
    """Of those that follow each other quickly the ledger is not read anew for each (LEDGER_AGE)."""
    idle.fakes.held = 1
    # The first too: the ledger may have been read for the ones before, a moment ago.
    for number in range(1, 4):
        _come(idle, number)
        assert idle.tick(3) == [["documents"]]
        assert idle.fakes.parts[-2:] == [Part.FIRST, Part.WHOLE]
        assert idle.tick(3) == []


def test_what_may_wait_is_done_before_another_job(idle: Watch) -> None:
    _come(idle, 1)
    idle.loop._due.add("payments")
    idle.loop.tick()
    assert (idle.fakes.parts[-1], idle.fakes.ran[-1]) == (Part.REST, ["documents"])
    idle.loop.tick()
    assert idle.fakes.ran[-1] == ["payments"]


def test_what_may_wait_and_fails_is_no_hot_loop(idle: Watch) -> None:
    _come(idle, 1)
    idle.fakes.failing["documents"] = ExtractError("away")
    assert idle.tick(3) == []
    assert idle.fakes.parts[-1] is Part.REST
    del idle.fakes.failing["documents"]
    assert idle.tick(10) == [["documents"]]


def test_changed_master_data_brings_the_documents_along(idle: Watch) -> None:
    idle.fakes.changed = frozenset({(7, b"a")})
    assert idle.tick(10) == [["master-data", "documents"]]
    assert idle.tick(10) == []


def test_what_was_sent_is_compared_once_when_it_is_quiet(idle: Watch) -> None:
    idle.fakes.documents, idle.fakes.sent = frozenset({(1, b"a")}), {"voucher": 1}
    assert idle.tick(10) == [["documents"]]
    later = [ran for _ in range(60) for ran in idle.tick(10)]
    # What analysts see has changed; the comparison after five minutes looks at the ledger for documents too.
    assert later == [["publish"], ["master-data", "documents", "reconcile"]]


def test_what_is_sent_without_a_pause_is_compared_after_half_an_hour(idle: Watch) -> None:
    ran: list[list[str]] = []
    for number in range(200):
        idle.fakes.documents, idle.fakes.sent = frozenset({(number, b"a")}), {"voucher": 1}
        idle.fakes.acknowledged |= {number}
        ran += idle.tick(10)
    compared = [place for place, jobs in enumerate(ran) if "reconcile" in jobs]
    assert len(compared) == 1
    assert sum("publish" in jobs for jobs in ran) in {6, 7}


def test_a_decision_or_a_call_of_the_vms_makes_documents_due(idle: Watch) -> None:
    idle.write(
        "INSERT INTO decisions (action, subject, reason, operator, at) VALUES ('release', '1', 'x', 'kari', :at)",
        at=utc_text(idle.fakes.now),
    )
    assert idle.tick(1) == [["master-data", "documents"]]
    # Received later than the clock now says, as after it was set back.
    idle.write(
        CALLED,
        at=utc_text(idle.fakes.now + timedelta(hours=1)),
    )
    assert idle.tick(1) == [["documents"]]
    assert idle.tick(1) == []


def test_while_the_vms_calls_it_is_asked_less_often(idle: Watch) -> None:
    idle.write(
        CALLED,
        at=utc_text(idle.fakes.now),
    )
    idle.tick(1)
    looks = idle.fakes.looks
    for _ in range(60):
        idle.tick(10)
    assert idle.fakes.looks == looks + 10


def order(watch: Watch, jobs: str = "documents", today: str | None = None) -> None:
    watch.write(
        "INSERT INTO orders (ordered_at, operator, jobs, today) VALUES (:at, 'kari', :jobs, :today)",
        at=utc_text(watch.fakes.now), jobs=jobs, today=today,
    )  # fmt: skip


def the_order(watch: Watch) -> Any:  # noqa: ANN401 a row
    [row] = watch.control.read("SELECT * FROM orders")
    return row


def test_the_ledger_calls_for_a_job_once_in_a_quarter_of_an_hour(idle: Watch) -> None:
    for number in range(3):
        idle.write(
            "INSERT INTO webhook_events (side, event_id, received_at, job, subject) "
            "VALUES ('ledger', :number, :at, 'payments', 'apTransactions 1')",
            number=str(number),
            at=utc_text(idle.fakes.now),
        )
        assert idle.tick(10) == []
    assert idle.tick(900) == [["payments"]]
    assert idle.tick(10) == []


def test_an_order_is_carried_out_in_the_name_of_who_placed_it(idle: Watch) -> None:
    order(idle, "rates,payments", "2026-11-02")
    assert idle.tick(0.5) == [["rates", "payments"]]
    row = the_order(idle)
    assert (row["batch_id"], row["problem"]) == ("batch 2 of kari for 2026-11-02", None)
    assert row["ended_at"]


def test_an_order_waits_for_its_turn_at_the_warehouse(idle: Watch) -> None:
    order(idle)
    idle.fakes.failing["documents"] = BusyError("Another batch holds the warehouse.")
    idle.tick(1)
    assert the_order(idle)["ended_at"] is None
    idle.fakes.failing.clear()
    assert idle.tick(1) == [["documents"]]
    assert the_order(idle)["ended_at"]


def test_an_order_that_cannot_be_carried_out_says_why(idle: Watch) -> None:
    order(idle)
    idle.fakes.failing["documents"] = DiskFullError("A disk is full.", next_step="make room")
    idle.tick(1)
    told = from_problem(the_order(idle)["problem"])
    assert (type(told), str(told)) == (DiskFullError, "A disk is full. Next: make room")


def test_a_job_that_fails_is_left_alone_for_longer_each_time(idle: Watch) -> None:
    idle.fakes.failing["documents"] = ExtractError("The VMS is away.")
    idle.fakes.documents = frozenset({(1, b"a")})
    tries = [number for number in range(360) if idle.tick(10)]
    # After 10, 20, 40, 80, 160 and then 300 seconds.
    assert [later - before for before, later in pairwise(tries)][:7] == [1, 2, 4, 8, 16, 30, 30]
    del idle.fakes.failing["documents"]
    assert idle.tick(300) == [["documents"]]


def test_a_vms_that_answers_again_ends_every_pause(idle: Watch) -> None:
    idle.fakes.failing["documents"] = idle.fakes.blind = ExtractError("The VMS is away.")
    order(idle)
    for _ in range(360):
        idle.tick(10)
    idle.fakes.blind = None
    idle.fakes.failing.clear()
    idle.fakes.documents = frozenset({(1, b"a")})
    assert [ran for _ in range(7) for ran in idle.tick(10) if "documents" in ran]


def test_one_job_that_fails_does_not_keep_the_others(idle: Watch) -> None:
    idle.fakes.failed = {"payments"}
    idle.fakes.now = datetime(2026, 11, 29, 10, 0, tzinfo=UTC)
    assert idle.tick() == [["payments"]]
    idle.fakes.documents = frozenset({(1, b"a")})
    assert idle.tick(10) == [["documents", "payments"]]
    idle.fakes.failed.clear()
    assert [idle.tick(seconds) for seconds in (10, 10, 10)] == [[], [["payments"]], []]


def test_a_new_day_looks_at_everything_once(idle: Watch) -> None:
    ran = [jobs for _ in range(24 * 6) for jobs in idle.tick(600)]
    assert sum("master-data" in jobs for jobs in ran if "reconcile" not in jobs) == 1
    assert sum("actuals" in jobs for jobs in ran) == 1
    assert sum("payments" in jobs for jobs in ran) == 24


def test_a_restart_repeats_no_job_that_came_to_its_end(watch: Watch) -> None:
    for name, outcome in (("actuals", "done"), ("rates", "failed")):
        batch = f"{name} of the night"
        watch.write(
            "INSERT INTO batches (batch_id, started_at, ended_at, today, jobs, operator) "
            "VALUES (:batch, :at, :at, '2026-11-29', :name, 'schedule')",
            batch=batch, name=name, at=utc_text(SUNDAY - timedelta(hours=1)),
        )  # fmt: skip
        for position, step in enumerate(JOBS[name].steps):
            watch.write(
                "INSERT INTO steps (batch_id, position, job, step, started_at, outcome) "
                "VALUES (:batch, :position, :name, :step, :at, :outcome)",
                batch=batch, position=position, name=name, step=step.name, outcome=outcome, at=utc_text(SUNDAY),
            )  # fmt: skip
    watch.loop._resume()
    assert watch.tick() == [["master-data", "documents", "rates", "payments", "publish"]]


def test_a_disk_without_room_stops_nothing_for_good(idle: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeps = []

    def no_room() -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    def wait(seconds: float) -> None:
        sleeps.append(seconds)
        idle.fakes.now += timedelta(seconds=seconds)
        if len(sleeps) == 100:
            monkeypatch.undo()
            monkeypatch.setattr(idle.loop.wake, "wait", wait)
        if len(sleeps) == 400:
            idle.loop.stop.is_asked = True

    monkeypatch.setattr(WatchState, "take_order", lambda _state: no_room())
    monkeypatch.setattr(idle.loop.wake, "wait", wait)
    idle.fakes.documents = frozenset({(1, b"a")})
    with capture_logs() as logs:
        idle.loop.loop()
    assert [(one["event"], one.get("tries")) for one in logs if one.get("what") == "the watch"] == [
        ("cannot", 1),
        ("still_cannot", 2),
        ("still_cannot", 3),
        ("can_again", 3),
    ]
    assert any("documents" in jobs for jobs in idle.fakes.ran[1:])


def test_a_watch_that_is_ended_gives_an_order_back(idle: Watch) -> None:
    order(idle)
    idle.loop.stop.is_asked = True
    with pytest.raises(Stopped):
        idle.loop.tick()
    assert "was ended" in str(from_problem(the_order(idle)["problem"]))


def test_a_hook_that_fails_keeps_nobody(idle: Watch) -> None:
    called: list[object] = []

    def fail(_settings: Settings, _control: Control, now: datetime) -> None:
        called.append(now)
        raise ValueError("no such alert")

    idle.loop.hooks = (fail, lambda _settings, control, _now: called.append(control))
    for _ in range(61):
        idle.tick(1)
    assert len(called) in {2, 4}
    idle.fakes.documents = frozenset({(1, b"a")})
    before = len(called)
    assert idle.tick(10) == [["documents"]]
    idle.tick(3)
    # Behind the documents, and behind what was done last of them.
    assert len(called) == before + 4


def test_a_month_that_runs_short_reads_less_often(idle: Watch) -> None:
    idle.write("INSERT INTO requests VALUES ('2026-11', 'ledger', 'documents', 'query', 4900)")
    ran = [jobs for _ in range(60) for jobs in idle.tick(600)]
    # Two days of the schedule are 219 requests, and 100 are left: every three hours, from midnight.
    assert sum("payments" in jobs for jobs in ran) in {3, 4}


@pytest.mark.system
def test_twenty_thousand_ticks_leave_nothing_behind(idle: Watch) -> None:
    chance = random.Random(13)  # noqa: S311 no secret
    sizes = []
    for number in range(20_000):
        step = chance.choice((10,) * 8 + (chance.randint(-5000, 5000), 86_400 if number % 500 == 0 else 10))
        if number % 7 == 0:
            idle.fakes.documents = frozenset({(number, b"a")})
        elif number % 7 == 1:
            idle.fakes.acknowledged, idle.fakes.documents = {number - 1}, NOBODY
        idle.tick(step)
        del idle.fakes.ran[:]
        if number in {5000, 19_999}:
            gc.collect()
            tables = idle.control.read("SELECT name FROM sqlite_schema WHERE type = 'table'")
            rows = sum(idle.control.one(f"SELECT count(*) FROM {row['name']}") for row in tables)  # noqa: S608
            sizes.append((len(gc.get_objects()), len([*Path("/proc/self/fd").iterdir()]), rows))
    (objects, handles, rows), later = sizes
    assert later[0] < objects * 1.01
    assert later[1:] == (handles, rows)


def test_the_warehouse_is_left_when_there_is_nothing_to_do_when_asked_for_and_when_it_was_held_for_long(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, left = [100.0], list[float]()
    # Batch after batch for 130 seconds, then nothing to do for a second.
    work = iter([True] * 130 + [False, False])

    def tick(_: Loop) -> bool:
        clock[0] += 1
        is_working = next(work, None)
        if is_working is None:
            watch.loop.stop.is_asked = True
        if clock[0] == 120:
            watch.control.keep_mark(TURN, "2026-11-29T10:00:00Z")
        return bool(is_working)

    monkeypatch.setattr(Loop, "tick", tick)
    monkeypatch.setattr(loops, "TICK", 0.001)
    monkeypatch.setattr(loops, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=lambda _: None))
    watch.loop.leave = lambda: left.append(clock[0])
    watch.loop.loop()
    assert left == [120, 181, 231, 232]


def test_a_warehouse_that_cannot_be_written_when_it_is_left_does_not_end_the_watch(watch: Watch) -> None:
    def leave() -> None:
        watch.loop.stop.is_asked = True
        raise OSError(errno.ENOSPC, "No space left on device")

    watch.loop.leave = leave
    watch.tick()
    with capture_logs() as logs:
        watch.loop.loop()
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["cannot"]
