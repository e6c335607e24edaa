"""One batch: opens the stores and clients, runs jobs step by step, records each step, and decides the exit code."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, Unpack

import structlog

from pipelines.batch.clients import Clients
from pipelines.batch.jobs import JOBS
from pipelines.batch.lake import STANDS, go_on, hand_on
from pipelines.batch.outcome import Outcome, Standing, exit_words, next_steps, read_outcome, show_outcome
from pipelines.batch.private import make_private
from pipelines.core.disk import disk_fault
from pipelines.core.drawing import draw_table
from pipelines.core.errors import ModelError, SpringlineError, UsageError
from pipelines.core.operators import login_name
from pipelines.core.periods import OSLO
from pipelines.core.settings import Settings
from pipelines.step.context import Context
from pipelines.step.counts import Counts
from pipelines.step.step import Job, Step
from pipelines.stores.control import Control, named_statements, utc_text
from pipelines.stores.job_ends import note_job_ends
from pipelines.stores.lost import refuse_lost_control
from pipelines.stores.memory import little_memory
from pipelines.stores.opening import open_store
from pipelines.stores.request_counts import RequestCounts
from pipelines.stores.spoiled import is_spoiled, set_aside
from pipelines.stores.systems import keep_to_systems
from pipelines.stores.warehouse import KeptWarehouse, take_over

if TYPE_CHECKING:
    import duckdb
    from rich.console import Console

    from pipelines.core.control_place import Place

# docs/decisions/0005-exit-codes.md.
EXIT_DELIVERY = 15
EXIT_HELD = 14
EXIT_BREAKS = 16
EXIT_CONTRACT = 11

log = structlog.get_logger(__name__)

# A statement of sql/control/batches.sql, and its values.
_Row = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What a batch came to: counts by job, what was sent and what stands, what went wrong, and the exit code."""

    batch_id: str
    jobs: dict[str, Counts]
    problems: tuple[str, ...]
    exit_code: int
    outcome: Outcome = field(default_factory=Outcome)
    is_dry_run: bool = False

    def as_dict(self) -> dict[str, object]:
        """Return the object that `run --json` prints."""
        return {
            "batch": self.batch_id,
            "jobs": {name: counts.as_dict() for name, counts in self.jobs.items()},
            **asdict(self.outcome),
            "next_steps": list(next_steps(self.outcome.standing, is_dry_run=self.is_dry_run)),
            "problems": list(self.problems),
            "exit_code": self.exit_code,
        }

    @classmethod
    def of_dict(cls, told: Mapping[str, Any]) -> BatchResult:
        """Return the result of a batch of another process, from what ``as_dict`` gave there."""
        return cls(
            batch_id=told["batch"],
            jobs={name: Counts(**counts) for name, counts in told["jobs"].items()},
            problems=tuple(told["problems"]),
            exit_code=told["exit_code"],
            outcome=Outcome(told["sent"], Standing(**told["standing"])),
        )


@dataclass(slots=True)
class _Tally:
    """What has happened so far in a batch."""

    jobs: dict[str, Counts] = field(default_factory=dict)
    # Why a job did not come to its end, by its name.
    errors: dict[str, SpringlineError] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    # Set aside when the batch is over, so that the next one begins a new one.
    is_warehouse_spoiled: bool = False
    # Over, and every step done.
    is_well: bool = False

    def exit_code(self) -> int:
        """Decide: 15, then what stopped a job, then 14, then objects set aside, then 16.

        Source: docs/decisions/0005-exit-codes.md.
        """
        # By what costs most when nobody looks: a voucher that may be missing or there twice comes before all else.
        total = sum(self.jobs.values(), Counts())
        stopped = [error.exit_code for error in self.errors.values()]
        if total.failed or total.unknown or EXIT_DELIVERY in stopped:
            return EXIT_DELIVERY
        if stopped:
            return stopped[0]
        if total.held:  # only the documents job holds anything
            return EXIT_HELD
        if total.rejected:
            return EXIT_CONTRACT
        return EXIT_BREAKS if total.breaks else 0


class BatchOptions(TypedDict):
    """How a batch is run, whatever it does; every way to begin one takes these as keyword arguments.

    ``operator`` is who runs it, ``now`` the clock (aware UTC), ``today`` the accounting day (that of the clock in Oslo
    when left out). A dry run sends nothing. ``began`` receives the open context once the batch is recorded, ``begin``
    job and step as each begins, ``report`` progress in it: what, how many are done, how many there are.
    ``clients`` stay open when the batch is over; ``ledger_age`` is how old the ledger's master data may be.
    """

    operator: str
    now: Callable[[], datetime]
    today: NotRequired[date | None]
    is_dry_run: NotRequired[bool]
    report: NotRequired[Callable[[str, int, int], None]]
    begin: NotRequired[Callable[[str, str], None]]
    began: NotRequired[Callable[[Context], None]]
    clients: NotRequired[Clients]
    ledger_age: NotRequired[timedelta]


def accounting_day(now: datetime) -> date:
    """Return the day in Europe/Oslo, the ledger's own calendar.

    >>> accounting_day(datetime(2026, 11, 1, 23, 30, tzinfo=UTC))
    datetime.date(2026, 11, 2)
    """
    return now.astimezone(OSLO).date()


def chosen_jobs(names: Sequence[str]) -> tuple[Job, ...]:
    """Return the named jobs in the batch's own order, all of them when none is named; UsageError for an unknown one."""
    if unknown := [name for name in names if name not in JOBS]:
        raise UsageError(f"There is no job {', '.join(unknown)}.", next_step=f"choose from: {' '.join(JOBS)}.")
    return tuple(job for name, job in JOBS.items() if not names or name in names)


def is_job_done(context: Context, job: str) -> bool:
    """Tell whether this batch has run a job to its end; else its tables are of an earlier batch, or not there."""
    return bool(
        context.control.one(named_statements("batches")["is_job_done"], {"batch_id": context.batch_id, "job": job})
    )


def run_batch(
    settings: Settings,
    *,
    jobs: Sequence[Job],
    look: Callable[[Context], None] = lambda _context: None,
    kept: KeptWarehouse | None = None,
    **options: Unpack[BatchOptions],
) -> BatchResult:
    """Run jobs one after the other; the failure of one is recorded, and the others still run.

    ``look`` sees the open context once all jobs are over, whether they were done or stopped. A ``kept`` warehouse stays
    open when all went well. Raises BusyError when another batch holds the warehouse, and whatever keeps a batch from
    beginning at all.
    """
    tally = _Tally()
    tally.problems += make_private(settings)
    with ExitStack() as stack:
        # First of all: this is the lock that keeps a second batch out.
        stack.callback(lambda: tally.is_warehouse_spoiled and set_aside(settings.warehouse_path))
        opened = kept or KeptWarehouse(settings.warehouse_path)
        # After a fault too, which may have left anything open in it.
        stack.callback(lambda: opened.close() if kept is None or not tally.is_well else None)
        warehouse = opened.open(tell=tally.problems.append)
        refuse_lost_control(settings, warehouse=warehouse)
        context, requests = stack.enter_context(
            open_context(settings, warehouse=warehouse, tell=tally.problems.append, **options)
        )
        # Two folders do not share that lock; a store that they share has one of its own.
        context.control.hold_batch()
        keep_to_systems(context.control, settings)
        # Another machine may have had the batch before.
        go_on(context)
        # A warehouse that was deleted, or put back from a copy, is read anew from the beginning.
        take_over(warehouse, context.control, batch_id=context.batch_id)
        stack.enter_context(structlog.contextvars.bound_contextvars(batch=context.batch_id))
        names = ",".join(job.name for job in jobs)
        started = context.now()
        log.info("batch_began", jobs=names, operator=context.operator, login=login_name())
        begun = {"today": context.today.isoformat(), "jobs": names, "operator": context.operator}
        _record(context, [_at(context, "begin_batch", **begun)])
        if began := options.get("began"):
            began(context)
        _run_jobs(context, jobs, tally, requests, begin=options.get("begin", lambda _job, _step: None))
        stand = _hand_on(context, tally)
        # The stores are still open: a batch without an end in `ctl.batches` was killed.
        result = _finish(context, tally, since=started, stand=stand)
        look(context)
        tally.is_well = not tally.errors
        return result


@contextmanager
def open_context(
    settings: Settings,
    *,
    warehouse: duckdb.DuckDBPyConnection,
    tell: Callable[[str], None] = lambda _message: None,
    opened: Callable[[Place], Control] = open_store,
    **options: Unpack[BatchOptions],
) -> Iterator[tuple[Context, RequestCounts]]:
    """Open the control store (``opened``) and the clients unless they are given; yield the context and its counts.

    The counts reach the control store when the caller saves them, under the name of what has asked. The month they
    count for is that of the clock: ``today`` may lie in another, and the ledger's invoice does not know it.
    """
    now = options["now"]
    started = now()
    with ExitStack() as stack:
        control = stack.enter_context(closing(opened(settings.control_place)))
        requests = RequestCounts(control, month=f"{accounting_day(started):%Y-%m}")
        clients = options.get("clients") or stack.enter_context(closing(Clients(settings, now=now)))
        clients.count_in(requests)
        context = Context(
            # Sorts by time; the four random digits keep two of the same second apart (a preflight beside a batch).
            batch_id=f"{started.astimezone(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}",
            today=options.get("today") or accounting_day(started),
            now=now,
            operator=options["operator"],
            settings=settings,
            control=control,
            warehouse=warehouse,
            vms=clients.vms,
            ledger=clients.ledger,
            report=options.get("report", lambda _what, _done, _total: None),
            is_dry_run=options.get("is_dry_run", False),
            tell=tell,
            ledger_age=options.get("ledger_age", timedelta(0)),
        )
        yield context, requests


def _run_jobs(
    context: Context,
    jobs: Sequence[Job],
    tally: _Tally,
    requests: RequestCounts,
    *,
    begin: Callable[[str, str], None],
) -> None:
    position = 0
    with _ended_steps(context) as ended:
        for job in jobs:
            tally.jobs[job.name] = Counts()
            steps = [step for step in (*job.steps, *job.later) if not (context.is_dry_run and step.writes_outside)]
            for place, step in enumerate(steps):
                # Over all jobs, and as key in place of the name: "build models" comes several times in a batch.
                position += 1
                begin(job.name, step.name)
                log.debug("step_begun", job=job.name, step=step.name, before=place, steps=len(steps))
                try:
                    tally.jobs[job.name] += _run_step(context, job, step, position, ended)
                # Anything else is a bug and ends the batch with a traceback.
                except SpringlineError as error:
                    tally.is_warehouse_spoiled |= is_spoiled(error, context.settings.warehouse_path)
                    log.error("step_failed", job=job.name, step=step.name, error=str(error))  # noqa: TRY400 expected failures show no traceback
                    tally.errors[job.name] = error
                    # The later steps of a job stand on the earlier ones; the next job stands on what is landed.
                    break
                finally:
                    # After a failed step too: the ledger has counted those requests.
                    requests.save(job.name)


@contextmanager
def _ended_steps(context: Context) -> Iterator[list[_Row]]:
    """Keep what is to be recorded of a step that has ended, until the next one begins or none comes any more."""
    ended: list[_Row] = []
    try:
        yield ended
    finally:
        # Also behind a bug: the record must say which step it has ended.
        _record(context, ended)


def _run_step(context: Context, job: Job, step: Step, position: int, ended: list[_Row]) -> Counts:
    """Run a step; ``ended`` has what is to be recorded of the one before, and then of this one."""
    # Written before the step begins: a step without an end is what a killed batch leaves behind. Together with the end
    # of the one before, since each forces the disk, and of an idle run that is a tenth.
    _record(context, [*ended, _at(context, "begin_step", position=position, job=job.name, step=step.name)])
    ended.clear()
    # Also when a bug ends the step: the record must not say that it was done.
    outcome, detail = "failed", ""
    counts = Counts()
    try:
        with little_memory(context.warehouse) if step.is_sparing else nullcontext():
            counts = step.run(context)
        outcome, detail = "done", json.dumps(counts.as_dict())
    except Exception as error:
        if told := disk_fault(error):
            detail = str(told)
            raise told from error
        if is_spoiled(error, context.settings.warehouse_path):
            detail = f"The warehouse {context.settings.warehouse_path} is damaged: {error}"
            raise ModelError(
                detail, next_step="run again; the damaged file is set aside, and a new one is built."
            ) from error
        detail = str(error) if isinstance(error, SpringlineError) else ""
        raise
    finally:
        end = {"position": position, "outcome": outcome, "row_count": counts.extracted, "detail": detail}
        ended.append(_at(context, "end_step", **end))
    log.info("step_done", job=job.name, step=step.name, **{k: v for k, v in counts.as_dict().items() if v})
    return counts


def _at(context: Context, statement: str, **values: object) -> _Row:
    """Make what is to be recorded of the batch as of now."""
    return statement, {"batch_id": context.batch_id, "at": utc_text(context.now()), **values}


def _record(context: Context, rows: Sequence[_Row]) -> None:
    if not rows:
        return
    with context.control.write() as connection:
        for statement, values in rows:
            connection.execute(named_statements("batches")[statement], values)


def _hand_on(context: Context, tally: _Tally) -> str | None:
    """Write the lake for a batch on another machine; what keeps it from that is told as what stops a job."""
    if tally.is_warehouse_spoiled:
        return None
    try:
        return hand_on(context)
    except SpringlineError as error:
        log.error("lake_not_written", error=str(error))  # noqa: TRY400 as above
        tally.errors["lake"] = error
        return None


def _finish(context: Context, tally: _Tally, *, since: datetime, stand: str | None) -> BatchResult:
    outcome = read_outcome(context.control, since=since)
    if context.is_dry_run:
        # It notes no hold, so what it would hold is not among those that stand.
        held = sum(counts.held for counts in tally.jobs.values())
        outcome = replace(outcome, standing=replace(outcome.standing, held=held))
    result = BatchResult(
        outcome=outcome,
        is_dry_run=context.is_dry_run,
        batch_id=context.batch_id,
        jobs=tally.jobs,
        problems=tuple(dict.fromkeys((*map(str, tally.errors.values()), *tally.problems))),
        exit_code=tally.exit_code(),
    )
    at = utc_text(context.now())
    ended = {"batch_id": context.batch_id, "at": at, "exit_code": result.exit_code}
    reasons = {name: str(tally.errors[name]) if name in tally.errors else None for name in tally.jobs}
    with context.control.write() as connection:
        connection.execute(named_statements("batches")["end_batch"], ended | {"summary": json.dumps(result.as_dict())})
        if stand is not None:
            context.control.keep_mark(STANDS, stand, within=connection)
        # A dry run leaves steps out, and says nothing of a job.
        if not context.is_dry_run:
            note_job_ends(context.control, reasons, at=at, within=connection)
    return result


def show_result(result: BatchResult, console: Console, *, is_detailed: bool = False) -> None:
    """Print what was sent, what stands and what went wrong, in words; ``is_detailed`` what each job did as well."""
    if is_detailed:
        rows = ((name, *counts.as_dict().values()) for name, counts in result.jobs.items())
        console.print(draw_table(("job", *Counts().as_dict()), rows, title=f"Batch {result.batch_id}"))
    show_outcome(result.outcome, is_dry_run=result.is_dry_run, console=console)
    for problem in result.problems:
        console.print(f"! {problem}", markup=False, highlight=False)
    if result.exit_code:
        console.print(f"Exit code {exit_words(result.exit_code)}.", highlight=False)
