"""The loop of a watch: looks what is due, runs it in one batch, and goes on whatever came of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Protocol

import structlog

from pipelines.batch.jobs import JOBS
from pipelines.core.disk import disk_fault
from pipelines.core.errors import BusyError, SpringlineError
from pipelines.core.periods import OSLO
from pipelines.step.step import Job
from pipelines.stores.job_ends import note_look
from pipelines.watch.budget import Plan, stretch
from pipelines.watch.cadence import (
    DOCUMENTS,
    MASTER_DATA,
    PUBLISH,
    RECONCILE,
    due_by_clock,
    is_over,
    not_ahead,
)
from pipelines.watch.orders import as_problem
from pipelines.watch.pauses import ALL, HOOKS, LONGEST_PAUSE, LONGEST_UNSETTLED, Pauses
from pipelines.watch.state import Order, WatchState, note_batch
from pipelines.watch.stop import Stop, Stopped

if TYPE_CHECKING:
    from pipelines.batch.run import BatchResult
    from pipelines.core.settings import Settings
    from pipelines.step.context import Context
    from pipelines.stores.control import Control
    from pipelines.watch.probe import Seen

# Seconds between two looks at the control store, where orders and calls of the other side are written.
TICK = 0.5
# Seconds without a posting after which what was posted is compared, and the longest that it waits for them.
QUIET, LONGEST_BUSY = 300, 1800
# The VMS counts as calling for so many seconds after its last call: then it is asked less often.
CALLING = 3600
# The least seconds between two runs of a job for which the ledger calls.
BETWEEN_LEDGER_CALLS = 900
# What a job does last waits until no document has come for some seconds, but not for ever: analysts read it.
LULL, LONGEST_LEFT = 3, 300
# Another process has the warehouse: seconds until the next try.
TURN = 1
# While batch follows batch the warehouse is left for so many seconds when somebody asks for it, and for those who do
# not ask after so many; whoever waits looks more often.
LEFT, LONGEST_HELD = 0.5, 60
# The hooks run after each batch, and so many seconds apart at least.
BETWEEN_HOOKS = 60
# Counts of requests are saved with each batch, and otherwise so many seconds apart.
BETWEEN_COUNTS = 600

Hook = Callable[["Settings", "Control", datetime], None]
log = structlog.get_logger(__name__)


class Part(Enum):
    """How much of its jobs a batch does: all, or what may wait left out, or that alone."""

    WHOLE = "whole"
    FIRST = "first"
    REST = "rest"

    def of(self, job: Job) -> Job:
        """Return this part of a job."""
        if self is Part.WHOLE:
            return job
        return replace(job, later=()) if self is Part.FIRST else Job(job.name, job.later)


class Look(Protocol):
    """What the loop asks the VMS (probe.py)."""

    def documents(self) -> Seen: ...  # noqa: D102

    def has_new_documents(self, before: Seen | None, now: Seen) -> bool: ...  # noqa: D102

    def master_data(self) -> Seen | None: ...  # noqa: D102


class RunJobs(Protocol):
    """Runs one batch."""

    def __call__(  # noqa: D102
        self,
        jobs: Sequence[str],
        *,
        operator: str,
        today: date | None,
        began: Callable[[Context], None],
        part: Part = ...,
    ) -> BatchResult: ...


@dataclass(slots=True)
class Loop:
    """One watch at work; ``tick`` does all that is due now. Everything it keeps is bounded by the number of jobs."""

    settings: Settings
    plan: Plan
    state: WatchState
    look: Look
    run: RunJobs
    operator: str
    now: Callable[[], datetime]
    stop: Stop
    hooks: Sequence[Hook] = ()
    save_counts: Callable[[datetime], None] = lambda _now: None
    # Lets go of the warehouse.
    leave: Callable[[], None] = lambda: None
    wake: threading.Event = field(default_factory=threading.Event)
    began: dict[str, datetime] = field(default_factory=dict)
    pauses: Pauses = field(default_factory=Pauses)
    # What the VMS showed when the last run of these jobs began, and when it was last asked.
    _documents: Seen | None = None
    _master_data: Seen | None = None
    _looked: dict[str, datetime] = field(default_factory=dict)
    # Jobs that something made due, whatever the clock and the VMS say.
    _due: set[str] = field(default_factory=lambda: {DOCUMENTS, MASTER_DATA, PUBLISH})
    _decided: tuple[object, object] | None = None
    _version: int = -1
    _last_call: datetime | None = None
    # When something was sent since the last comparison: first, and last.
    _busy: tuple[datetime, datetime] | None = None
    _stretch: int = 1
    _day: date | None = None
    # Since when the last steps of `documents` wait, and when a document last went before them.
    _left: tuple[datetime, datetime] | None = None
    # One of these batches may have held a document for want of what the ledger got a moment before.
    _is_unsure: bool = False
    # A run that was taken and waits for its turn at the warehouse.
    _order: Order | None = None
    _at: dict[str, datetime] = field(default_factory=dict)
    # Since when the warehouse is held, on this machine's own clock, and for whom it was last left.
    _held: float | None = None
    _turn: str | None = None

    def loop(self) -> None:
        """Work until the watch is to end."""
        self._resume()
        while not self.stop.is_asked:
            is_idle = True
            if self.pauses.is_over(ALL, self.now()):
                try:
                    is_idle = not self.tick()
                    self.pauses.recovered(ALL)
                except Exception as error:  # noqa: BLE001 a watch goes on
                    # Such as a disk without room: nothing can be noted, so nothing is begun either.
                    self.pauses.failed(ALL, error, self.now())
            if not is_idle:
                self._let_others_in()
            elif not self.stop.is_asked:
                # Opening it takes its time, and what waits is done in a moment.
                if not self.wake.wait(TICK) and self._left is None:
                    self._leave()
                self.wake.clear()

    def _let_others_in(self) -> None:
        """Leave the warehouse for a moment when somebody waits for it, or it was held for long."""
        self._held = self._held or time.monotonic()
        asked = self.state.turn_asked()
        if asked != self._turn or time.monotonic() - self._held >= LONGEST_HELD:
            self._turn = asked
            self._leave()
            time.sleep(LEFT)

    def _leave(self) -> None:
        self._held = None
        try:
            self.leave()
        except Exception as error:  # noqa: BLE001 a watch goes on
            # What could not be written is in the log beside the file, and the next opening takes it in.
            self.pauses.failed(ALL, error, self.now())

    def _resume(self) -> None:
        """Take up what the watch before has left: no job that came to its end is repeated, what it sent is compared."""
        now = self.now()
        self._turn = self.state.turn_asked()
        done = self.state.jobs_done(now)
        self.began = {job: began for job, (began, _) in done.items()}
        moved, compared = self.state.last_move(), done.get(RECONCILE)
        if moved is not None and (compared is None or compared[1] < moved):
            self._busy = (now, now)

    def tick(self) -> bool:
        """Do what is due; tell whether there was anything."""
        now = self.now()
        self.began = not_ahead(self.began, now)
        if self._is_time("counts", now, seconds=BETWEEN_COUNTS):
            self._keep_within_month(now)
        self._notice_changes(now)
        is_at_work = self._work(now)
        if is_at_work or self._is_time("hooks", now, seconds=BETWEEN_HOOKS):
            self._call_hooks(self.now())
        return is_at_work

    def _work(self, now: datetime) -> bool:
        if not is_over(self._at.get("turn"), now, seconds=TURN):
            return False
        self._order = self._order or self.state.take_order()
        jobs, part = self._with_part(self._order.jobs if self._order else self._due_now(now), now)
        if not jobs:
            return False
        # A batch of what waited comes before the order, which is carried out next.
        order = self._order if part is not Part.REST else None
        try:
            if order:
                self._carry_out(order)
            else:
                self._batch(jobs, None, part)
        except BusyError as error:
            # Somebody's dry run, close or explain: the next turn is the watch's.
            if "turn" not in self._at:
                log.info("waits_for_its_turn", reason=error.message)
            self._at["turn"] = self.now()
        except Exception as error:
            if order:
                raise
            self._could_not(jobs, part, error)
        else:
            self._order = None if order else self._order
            self._at.pop("turn", None)
        return True

    def _could_not(self, jobs: Sequence[str], part: Part, error: Exception) -> None:
        """Leave jobs alone for a while whose batch could not begin, or ended with a fault of the program."""
        if part is Part.REST:
            # Done with the next run of the job, which waits out its pause.
            self._left = None
            self._due.add(DOCUMENTS)
        for job in jobs:
            self.pauses.failed(job, error, self.now())

    def _with_part(self, due: Sequence[str], now: datetime) -> tuple[Sequence[str], Part]:
        """Tell how much of these jobs is done: while documents come, each is sent before what follows from the last."""
        is_sending = not self._order and DOCUMENTS in due and {*due} <= {DOCUMENTS, MASTER_DATA}
        if self._left is None or DOCUMENTS in due:
            waits_long = self._left is not None and is_over(self._left[0], now, seconds=LONGEST_LEFT)
            return due, Part.FIRST if is_sending and not waits_long else Part.WHOLE
        # Any other job may build on it; without one there is time once no more documents come.
        if not due and not is_over(self._left[1], now, seconds=LULL):
            return (), Part.REST
        return [DOCUMENTS], Part.WHOLE if self._is_unsure and not due else Part.REST

    def _due_now(self, now: datetime) -> list[str]:
        """Return what is to run now, in the order of a batch, with the jobs that go along at no further cost."""
        due = due_by_clock(self._stretched(), now, self.began) | self._due | self._called(now)
        due |= self._look_at_vms(now)
        if self._is_busy_over(now):
            due.add(RECONCILE)
        due = {job for job in due if self.pauses.is_over(job, now)}
        if RECONCILE in due:
            # Once an hour they look at the ledger, for what documents are held for; the comparison reads it anyway.
            due |= {job for job in (DOCUMENTS, MASTER_DATA) if self.pauses.is_over(job, now)}
        if MASTER_DATA in due and self.pauses.is_over(DOCUMENTS, now):
            # What is held for want of a partner goes with the same batch.
            due.add(DOCUMENTS)
        if PUBLISH in due and not self._may_publish(now, is_alone=due == {PUBLISH}):
            due.remove(PUBLISH)
        return [job for job in JOBS if job in due]

    def _called(self, now: datetime) -> set[str]:
        """Return the jobs that a side has called for.

        The ledger calls for our own vouchers too, and each look at it is metered: what it calls for is not run again at
        once.
        """
        return {
            job
            for side, job in self.state.events_waiting()
            if side == "vms" or is_over(self.began.get(job), now, seconds=BETWEEN_LEDGER_CALLS)
        }

    def _look_at_vms(self, now: datetime) -> set[str]:
        is_calling = self._last_call is not None and not is_over(self._last_call, now, seconds=CALLING)
        found: set[str] = set()
        for job, every in ((DOCUMENTS, self.settings.watch.documents), (MASTER_DATA, self.settings.watch.master_data)):
            seconds = max(every, self.settings.watch.net) if is_calling else every
            if self.pauses.is_over(f"look {job}", now) and is_over(self._looked.get(job), now, seconds=seconds):
                self._looked[job] = now
                try:
                    found |= self._look(job)
                except SpringlineError as error:
                    self.pauses.failed(f"look {job}", error, now)
                    note_look(self.state.control, job, str(error), now=now)
                else:
                    self.pauses.recovered(f"look {job}")
                    note_look(self.state.control, job, None, now=now)
        return found

    def _look(self, job: str) -> set[str]:
        """Ask what the VMS has; what it shows now is what the run that follows begins from."""
        if job == DOCUMENTS:
            documents = self.look.documents()
            is_new = self.look.has_new_documents(self._documents, documents)
            self._documents = documents
        else:
            changed = self.look.master_data()
            is_new = changed is None or self._master_data is None or bool(changed - self._master_data)
            self._master_data = changed
        if is_new:
            self._due.add(job)
        return {job} if is_new else set()

    def _notice_changes(self, now: datetime) -> None:
        """Note what others have written to the control store: decisions, and calls of the other side."""
        day = now.astimezone(OSLO).date()
        if self._day not in {None, day}:
            # The accounting day is another one, and master data is read whole once a day.
            self._due |= {DOCUMENTS, MASTER_DATA, PUBLISH}
        self._day = day
        version = self.state.data_version()
        if version == self._version:
            return
        self._version, before, self._decided = version, self._decided, self.state.decided()
        self._last_call = self.state.last_call()
        if before is not None and before != self._decided:
            self._due.add(PUBLISH)
        if before is not None and before[0] != self._decided[0]:
            # A release, a retry, an account that a second person has confirmed.
            self._due |= {DOCUMENTS, MASTER_DATA}

    def _carry_out(self, order: Order) -> None:
        """Run what a command asked for. Raises BusyError while another process holds the warehouse."""
        problem: SpringlineError | None = None
        try:
            self._batch(order.jobs, order)
        except BusyError:
            raise
        except SpringlineError as error:
            problem = error
        except Exception as error:
            problem = disk_fault(error) or SpringlineError(
                "The run ended with a fault of the program.", next_step="the log of the watch has it: report it."
            )
            log.exception("bug")
        except Stopped:
            ended = BusyError("The watch was ended before the run was over.", next_step="run again.")
            self.state.end_order(order, self.now(), problem=as_problem(ended))
            raise
        self.state.end_order(order, self.now(), problem=as_problem(problem) if problem else None)

    def _batch(self, jobs: Sequence[str], order: Order | None, part: Part = Part.WHOLE) -> None:
        began = self.now()

        def note(context: Context) -> None:
            # Calls of the other side wait for the steps that read what is ready.
            note_batch(context, jobs if part is not Part.REST else (), order=order)

        operator, today = (order.operator, order.today) if order else (self.operator, None)
        self.stop.check()
        result = self.run(jobs, operator=operator, today=today, began=note, part=part)
        failed = self.state.failed_jobs(result.batch_id)
        done = set(jobs) - failed
        if part is Part.FIRST and DOCUMENTS in done:
            # What was read of the ledger may be a little old, also for the first of them: the last were a moment ago.
            self._is_unsure = result.jobs[DOCUMENTS].held > 0
            self._left = (self._left[0] if self._left else began, self.now())
        elif part is Part.REST or DOCUMENTS in done:
            self._left, self._is_unsure = None, False
        if part is not Part.REST:
            self.began |= dict.fromkeys(done, began)
            self._due -= done
        self._settle(result, done, failed)
        log.info(
            "batch_ended", batch=result.batch_id, jobs=",".join(jobs), exit_code=result.exit_code,
            sent=dict(result.outcome.sent), problems=list(result.problems),
        )  # fmt: skip

    def _settle(self, result: BatchResult, done: Collection[str], failed: Collection[str]) -> None:
        """Note what follows from a batch: what is tried again and when, what is compared, what is published."""
        now = self.now()
        is_booked_first = self.settings.posting.acknowledge == "posted"
        unsettled = self.state.unsettled_jobs(is_booked_first=is_booked_first)
        for job in {*done, *failed}:
            if job in failed or job in unsettled:
                # What is not settled may wait for a person, and each look-up asks the ledger.
                self.pauses.put_off(job, now, longest=LONGEST_PAUSE if job in failed else LONGEST_UNSETTLED)
                self._due.add(job)
            else:
                self.pauses.end(job)
        if is_booked_first and RECONCILE in done:
            self._due.add(DOCUMENTS)
        if RECONCILE in done:
            # It comes after whatever sends, in the same batch too.
            self._busy = None
        elif any(result.outcome.sent.values()):
            self._busy = (self._busy[0] if self._busy else now, now)
        if has_moved(result):
            self._due.add(PUBLISH)

    def _is_busy_over(self, now: datetime) -> bool:
        if self._busy is None:
            return False
        first, last = self._busy
        return is_over(last, now, seconds=QUIET) or is_over(first, now, seconds=LONGEST_BUSY)

    def _may_publish(self, now: datetime, *, is_alone: bool) -> bool:
        """Publishing waits while there is something else to do, but not for ever."""
        seconds = self.settings.watch.publish * (1 if is_alone else 2)
        return is_over(self.began.get(PUBLISH), now, seconds=seconds)

    def _keep_within_month(self, now: datetime) -> None:
        self.save_counts(now)
        used = self.state.ledger_requests(f"{now.astimezone(OSLO):%Y-%m}")
        factor = stretch(self.plan, used=used, now=now)
        if factor != self._stretch:
            log.warning("readings_are_stretched", times=factor, used=used, included=self.plan.included)
        self._stretch = factor

    def _stretched(self) -> Settings:
        if self._stretch == 1:
            return self.settings
        watch = self.settings.watch
        longer = {"payments": watch.payments * self._stretch, "reconcile": watch.reconcile * self._stretch}
        return self.settings.model_copy(update={"watch": watch.model_copy(update=longer)})

    def _call_hooks(self, now: datetime) -> None:
        self._at["hooks"] = now
        for hook in self.hooks:
            try:
                hook(self.settings, self.state.control, now)
            except Exception as error:  # noqa: BLE001 a watch goes on
                self.pauses.failed(HOOKS, error, now)
            else:
                self.pauses.recovered(HOOKS)

    def _is_time(self, name: str, now: datetime, *, seconds: float) -> bool:
        is_time = is_over(self._at.get(name), now, seconds=seconds)
        if is_time:
            self._at[name] = now
        return is_time


def has_moved(result: BatchResult) -> bool:
    """Tell whether a batch changed anything that analysts see."""
    counts = [count for job in result.jobs.values() for name, count in job.as_dict().items() if name != "held"]
    return any(counts) or any(result.outcome.sent.values())
