"""One watch from its start to its end: checks what it may ask for, writes itself down, and works until it is ended."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, nullcontext, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from pipelines.batch.clients import Clients
from pipelines.batch.run import accounting_day, chosen_jobs, run_batch
from pipelines.stores.lost import open_control, refuse_lost_control
from pipelines.stores.request_counts import RequestCounts
from pipelines.stores.warehouse import KeptWarehouse
from pipelines.watch.alerts.tell import tell_alerts
from pipelines.watch.budget import Plan, plan_month
from pipelines.watch.locks import check_locks
from pipelines.watch.loop import Hook, Loop, Part, RunJobs
from pipelines.watch.observe.routes import observe_routes
from pipelines.watch.probe import Probe
from pipelines.watch.pulse import Pulse
from pipelines.watch.server import serve
from pipelines.watch.state import WatchState
from pipelines.watch.stop import Stop, Stopped, stopped_by_signals
from pipelines.watch.webhooks import receive
from pipelines.watch.webhooks.looking import Looking
from pipelines.wire.vms import VmsClient

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from pipelines.batch.run import BatchResult
    from pipelines.core.settings import Settings
    from pipelines.step.context import Context
    from pipelines.stores.control import Control

# Under which the requests of looks are counted.
COUNTED_AS = "watch"
# Seconds; a look that takes longer is given up and made again.
LONGEST_LOOK = 10.0
# While documents come one after the other, the ledger's master data is not read for each: the requests are metered.
LEDGER_AGE = timedelta(seconds=10)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Started:
    """A watch that has begun: what it will ask for, and where it answers."""

    watch_id: str
    plan: Plan
    address: str


def routes_of(settings: Settings, loop: Loop) -> list[BaseRoute]:
    """Gather what the watch answers over HTTP: every route of health, metrics and webhooks."""
    return [
        *observe_routes(settings, now=loop.now),
        *receive.routes(settings, loop.wake.set, now=loop.now),
    ]


def hooks() -> Sequence[Hook]:
    """Gather what is called after each batch, and at least every minute, with the open control store."""
    return (_tell, Looking())


def _tell(settings: Settings, control: Control, now: datetime) -> None:
    tell_alerts(settings, control, now)


def run_watch(
    settings: Settings,
    *,
    operator: str,
    now: Callable[[], datetime],
    tell: Callable[[Started], None],
    stop: Stop | None = None,
) -> None:
    """Watch until a signal ends it, or ``stop`` does; ``tell`` receives what it will do before it does any of it.

    Raises SettingsError for a schedule that cannot be afforded and for a store that does not lock, BusyError when
    another watch works on this store.
    """
    plan = plan_month(settings)
    # Before the store is looked at for its locks, which would make an empty one.
    refuse_lost_control(settings)
    if isinstance(settings.control_place, Path):
        check_locks(settings.control_place)
    with ExitStack() as stack:
        asked = stop or Stop()
        stack.enter_context(stopped_by_signals(asked) if stop is None else nullcontext())
        control = stack.enter_context(closing(open_control(settings)))
        state = WatchState.begin(control, operator=operator, now=now())
        stack.enter_context(structlog.contextvars.bound_contextvars(watch=state.watch_id))
        stack.callback(lambda: state.end(now()))
        stack.enter_context(Pulse(settings, state.watch_id, now=now))
        counts = _Counts(control)
        own = settings.vms.model_copy(update={"attempts": 1, "timeout": min(settings.vms.timeout, LONGEST_LOOK)})
        vms = stack.enter_context(closing(VmsClient(own, count=counts.count, now=now)))
        clients = stack.enter_context(closing(Clients(settings, now=now)))
        kept = stack.enter_context(closing(KeptWarehouse(settings.warehouse_path)))
        loop = Loop(
            settings, plan, state, Probe(vms, control), _runner(settings, now, asked, clients, kept), operator, now,
            asked, hooks=hooks(), save_counts=counts.save, leave=kept.close,
        )  # fmt: skip
        stack.callback(lambda: counts.save(now()))
        address = stack.enter_context(serve(routes_of(settings, loop), settings.watch))
        state.answer_at(address)
        # Before the server, which takes its time to end: a busy machine may end the process before all is closed.
        stack.callback(lambda: state.end(now()))
        tell(Started(state.watch_id, plan, address))
        threading.Thread(target=_load_checks, name="load checks", daemon=True).start()
        log.info("watch_began", planned=plan.requests, included=plan.included)
        with suppress(Stopped):
            loop.loop()
        log.info("watch_ended")


class _Counts:
    """The requests of looks, month by month."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._counts = RequestCounts(control, month="")

    def count(self, side: str, operation: str) -> None:
        self._counts.count(side, operation)

    def save(self, now: datetime) -> None:
        self._counts.save(COUNTED_AS, month=f"{accounting_day(now):%Y-%m}")


def _runner(
    settings: Settings, now: Callable[[], datetime], stop: Stop, clients: Clients, kept: KeptWarehouse
) -> RunJobs:
    def check(*_: object) -> None:
        stop.check()

    def run(
        jobs: Sequence[str],
        *,
        operator: str,
        today: date | None,
        began: Callable[[Context], None],
        part: Part = Part.WHOLE,
    ) -> BatchResult:
        # Between two objects, two models and two steps the watch may be ended.
        return run_batch(
            settings, jobs=[part.of(job) for job in chosen_jobs(jobs)], operator=operator, now=now, today=today,
            report=check, begin=check, began=began, clients=clients, kept=kept,
            ledger_age=LEDGER_AGE if part is Part.FIRST else timedelta(0),
        )  # fmt: skip

    return run


def _load_checks() -> None:
    """Import what the first check needs, before it needs it: seconds that no document waits for."""
    try:
        importlib.import_module("pipelines.checks.engine")._great_expectations()  # noqa: SLF001
    except Exception as error:  # noqa: BLE001 nobody waits for this thread
        # The first check meets the same, and says what to do.
        log.warning("checks_not_loaded", error=str(error))
