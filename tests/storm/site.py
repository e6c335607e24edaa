"""Where a storm takes place: both systems in a process of their own, one installation beside them, and one clock."""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import msgspec
import pytest

from pipelines.batch.run import BatchOptions, chosen_jobs, run_batch
from pipelines.core.disk import disk_fault
from pipelines.core.errors import SpringlineError
from pipelines.core.settings import load_settings
from pipelines.load.delivery import Delivery, LookUp
from pipelines.outbox.entry import Entry
from pipelines.outbox.states import State
from pipelines.recovery.moving import move_control
from pipelines.recovery.people import confirm
from pipelines.recovery.rebuild import run_rebuild, run_restore
from pipelines.sandbox.serve import base_url, bind, build_app, server, settings_lines
from pipelines.steering.find_document import find_document
from pipelines.steering.steer import steer
from pipelines.stores.backup import back_up
from pipelines.stores.lost import open_control
from pipelines.stores.open_tables import open_tables
from pipelines.stores.opening import open_store
from tests.storm.books import VmsApi
from tests.storm.databases import NOTE, Databases
from tests.storm.forks import Child, Kill, Pause, die_with_parent, fork, in_child
from tests.storm.journal import Journal
from tests.support.delivery_seed import NO_LIMITS
from tests.support.patience import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

MORNING = datetime(2026, 11, 2, 7, 30, tzinfo=UTC)
EVENING = 17
# Short enough that a call without an answer costs little, long enough that a busy machine is not taken for a fault.
TIMEOUT = "1.5"
SETTINGS = {
    "SPRINGLINE_VMS__TIMEOUT": TIMEOUT,
    "SPRINGLINE_LEDGER__TIMEOUT": TIMEOUT,
    "SPRINGLINE_POSTING__ATTACHMENTS": "true",
    "SPRINGLINE_VMS__ATTEMPTS": "2",
    "SPRINGLINE_LEDGER__ATTEMPTS": "2",
    "SPRINGLINE_LEDGER__LONGEST_WAIT": "0",
    "SPRINGLINE_LEDGER__BURST_REQUESTS": "10000",
    # One thread a side: which request is the n-th is the same whenever a storm is played again.
    "SPRINGLINE_VMS__WORKERS": "1",
}
# Where nothing is disturbed nothing is late either, however busy the machine.
PATIENT = {"SPRINGLINE_VMS__TIMEOUT": "60", "SPRINGLINE_LEDGER__TIMEOUT": "60"}
STORE = "springline.ctl.sqlite"
MODELS = "springline.models.json"


class Ran(NamedTuple):
    """How one run ended; the exit code is None where it was killed.

    ``look_ups`` says how often each entry of unknown fate was looked up.
    """

    exit_code: int | None
    problems: tuple[str, ...] = ()
    traceback: str = ""
    look_ups: Mapping[str, int] = {}


@dataclass(slots=True)
class Site:
    """The running systems, and Springline's stores in ``folder``."""

    folder: Path
    environ: dict[str, str]
    server: int
    journal: Journal
    now: datetime = MORNING
    # Where the control store is in PostgreSQL.
    databases: Databases | None = None
    # Of the processor, by runs alone.
    seconds: float = 0.0
    vms: VmsApi = field(init=False)
    caller: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        """Set the clock, and lift the ledger's limits: they are faults here, when they come."""
        self.vms = VmsApi.of(self.environ)
        # One for all calls: to make one costs more than a call. The other side dies now and then, and its connections.
        self.caller = httpx.Client(timeout=PATIENCE, verify=False, limits=httpx.Limits(max_keepalive_connections=0))  # noqa: S501 plain http to ourselves
        self.control("POST", "ledger/settings", NO_LIMITS)
        self.pass_time(timedelta(0))

    @classmethod
    def open(
        cls,
        folder: Path,
        seed: Path,
        journal: Journal,
        *,
        now: datetime = MORNING,
        databases: Databases | None = None,
    ) -> Site:
        """Start both systems on a seed, or where they stood in a folder that was copied."""
        stores = folder / "stores"
        stores.mkdir(exist_ok=True)
        pid, environ = _served(folder / "sandbox.sqlite", seed)
        own = {"SPRINGLINE_WAREHOUSE": str(stores / "springline.duckdb")}
        own |= {"SPRINGLINE_PUBLISHED": str(stores / "published")}
        if databases is not None:
            own["SPRINGLINE_CONTROL"] = databases.begin(stores)
        return cls(stores, {**environ, **own, **SETTINGS}, pid, journal, now, databases)

    def close(self) -> None:
        """Stop both systems."""
        self.vms.close()
        self.caller.close()
        os.kill(self.server, signal.SIGTERM)
        os.waitpid(self.server, 0)

    def remove(self) -> None:
        """Stop both systems, and leave nothing behind."""
        self.close()
        if self.databases is not None:
            self.databases.end(self.folder)
        shutil.rmtree(self.folder.parent, ignore_errors=True)

    def lose_the_machine(self) -> None:
        """Lose all that a batch has on its disk; what is not on it stays: copies, and the release with its models."""
        for path in self.folder.iterdir():
            if path.name in {NOTE, MODELS, self.copy.name}:
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def control(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 any JSON value
        """Call the control API; raises ValueError for what the sandbox will not do."""
        base = self.environ["SPRINGLINE_LEDGER__URL"].removesuffix("/graphql")
        content = None if body is None else msgspec.json.encode(body)
        answer = self.caller.request(method, f"{base}/_sandbox/{path}", content=content)
        if answer.is_error:
            raise ValueError(answer.text)
        return answer.json()

    def pass_time(self, step: timedelta) -> None:
        """Let time pass on both sides; after the working day comes the next morning."""
        self.now += step
        if self.now.hour >= EVENING:
            self.now = self.now.replace(hour=MORNING.hour, minute=MORNING.minute) + timedelta(days=1)
        self.control("POST", "clock", {"now": self.now.isoformat()})

    def run(
        self,
        *jobs: str,
        kill: Kill | None = None,
        pause: Pause | None = None,
        full: int | None = None,
        skew: timedelta = timedelta(0),
        folder: Path | None = None,
    ) -> Ran:
        """Run jobs in a child, whose clock is ``skew`` before that of both systems; or in another ``folder``."""
        began = datetime.now(UTC)
        work = partial(
            _run, self.environ | ({} if folder is None else _elsewhere(folder)), jobs, self.now + skew - began, self.now
        )
        child = in_child(work, kill=kill, pause=pause, full=full)
        self.now += datetime.now(UTC) - began
        self.seconds += child.seconds
        if child.value is None:
            return Ran(None, traceback=child.traceback if not child.was_killed else "")
        code, problems, look_ups = child.value
        return Ran(code, tuple(problems), look_ups=look_ups)

    def run_here(self, *jobs: str) -> Ran:
        """Run jobs in this process."""
        code, problems, _ = _run(self.environ, jobs, self.now - datetime.now(UTC), self.now)
        return Ran(code, tuple(problems))

    def steer(self, action: str, name: str, *, kill: Kill | None = None) -> Child:
        """Decide on a document or a supplier, as a second person would."""
        return in_child(partial(_steer, self.environ, action, name, self.now), kill=kill)

    def is_read(self, number: str) -> bool:
        """Tell whether Springline knows a document with this number; nobody can see that while a run is at work."""
        return in_child(partial(_is_read, self.environ, number)).value is True

    def back_up(self) -> None:
        """Copy the control store, as `springline backup` does."""
        in_child(partial(_back_up, self.environ, self.copy))

    def recover(self, *, is_copy: bool) -> Child:
        """Lose the control store, then put the copy in its place, or make one anew from both systems."""
        for file in self.folder.glob(f"{STORE}*"):
            file.unlink()
        if self.databases is not None:
            self.databases.lose(self.folder)
        ahead = self.now - datetime.now(UTC)
        return in_child(partial(_recover, self.environ, self.copy if is_copy else None, ahead, self.now))

    def confirm(self) -> Child:
        """Let go what waits since the control store was lost."""
        return in_child(partial(_confirm, self.environ, self.now))

    @property
    def copy(self) -> Path:
        """Where the copy of the control store is."""
        return self.folder / "yesterday.sqlite"

    def ask(self, statement: str, *values: str | int) -> list[tuple[Any, ...]]:
        """Query the control store; nothing where there is none yet."""
        place = load_settings(None, environ=self.environ).control_place
        with closing(open_store(place, for_reading=True)) as store:
            return [tuple(row) for row in store.read(statement, values)]

    def writes(self) -> list[str]:
        """List what was written to either side since the last look, and begin to count anew."""
        counts = self.control("GET", "requests")
        self.control("DELETE", "requests")
        vms = [name for name in counts["vms"] if name.startswith(("PUT ", "DELETE ")) or "POST /ws/rest" in name]
        changing = ("add", "update", "delete")
        return vms + [name for name in counts["ledger"] if name.removeprefix("POST ").startswith(changing)]


def _served(state: Path, seed: Path) -> tuple[int, dict[str, str]]:
    """Serve both systems in a child that serves them again whenever they die; give its id and the settings."""
    listener = bind(0)
    lines = settings_lines(base_url(listener), seed=seed)
    watchman = fork()
    if watchman == 0:
        die_with_parent()
        serving = 0

        def end(_number: int, _frame: object) -> None:
            # Waited for, so that what it has used is counted.
            os.kill(serving, signal.SIGKILL)
            os.waitpid(serving, 0)
            os._exit(0)

        while True:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            serving = child = fork()
            if child == 0:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
                die_with_parent()
                server(build_app(state, seed)).run(sockets=[listener])
                os._exit(0)
            signal.signal(signal.SIGTERM, end)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            os.waitpid(child, 0)
    # What is asked while nobody serves waits in the queue of this address, whoever has it open.
    listener.close()
    return watchman, _settings(lines)


def _elsewhere(folder: Path) -> dict[str, str]:
    return {
        "SPRINGLINE_WAREHOUSE": str(folder / "springline.duckdb"),
        "SPRINGLINE_PUBLISHED": str(folder / "published"),
    }


def _settings(lines: Iterable[str]) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines)
    return {name: value for name, _, value in pairs}


def _run(
    environ: dict[str, str], jobs: tuple[str, ...], ahead: timedelta, now: datetime
) -> tuple[int, list[str], dict[str, int]]:
    with _counted_look_ups() as look_ups:
        code, problems = _ended(environ, jobs, ahead, now)
    return code, problems, look_ups


@contextmanager
def _counted_look_ups() -> Iterator[dict[str, int]]:
    """Count how often each entry of unknown fate is looked up on the other side."""
    counts, looked_up = Counter[str](), Delivery.looked_up

    def counting(self: Delivery, entries: Sequence[Entry], look_up: LookUp) -> list[Entry]:
        counts.update(entry.id for entry in entries if entry.state is State.UNKNOWN)
        return looked_up(self, entries, look_up)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Delivery, "looked_up", counting)
        yield counts


def _ended(environ: dict[str, str], jobs: tuple[str, ...], ahead: timedelta, now: datetime) -> tuple[int, list[str]]:
    try:
        result = run_batch(
            load_settings(None, environ=environ),
            jobs=chosen_jobs(jobs),
            operator="storm",
            now=lambda: datetime.now(UTC) + ahead,
            today=now.date(),
        )
    except Exception as error:
        # As the command line tells it.
        told = error if isinstance(error, SpringlineError) else disk_fault(error)
        if told is None:
            raise
        return told.exit_code, [str(told)]
    return result.exit_code, list(result.problems)


def _steer(environ: dict[str, str], action: str, name: str, now: datetime) -> bool | str:
    settings = load_settings(None, environ=environ)
    try:
        return steer(action, name, settings=settings, reason="as agreed", operator="kari", now=lambda: now).is_new
    except SpringlineError as error:
        return str(error)


def _is_read(environ: dict[str, str], number: str) -> bool:
    settings = load_settings(None, environ=environ)
    with closing(open_control(settings)) as control, open_tables(settings) as tables:
        found = find_document(number, control=control, tables=tables)
    return found is not None and found.key is not None


def _back_up(environ: dict[str, str], copy: Path) -> None:
    copy.unlink(missing_ok=True)
    back_up(load_settings(None, environ=environ).control_place, copy)


def _recover(environ: dict[str, str], copy: Path | None, ahead: timedelta, now: datetime) -> list[str]:
    """Return what went wrong, which is nothing; a schema comes back by way of a file (docs/how-to/postgres.md)."""
    target = load_settings(None, environ=environ).control_place
    settings = load_settings(None, environ={k: v for k, v in environ.items() if k != "SPRINGLINE_CONTROL"})
    options: BatchOptions = {"operator": "kari", "now": lambda: datetime.now(UTC) + ahead, "today": now.date()}
    done = run_restore(settings, copy, **options) if copy else run_rebuild(settings, **options)
    problems = done.batch.problems if done.batch else ()
    if done.is_done and target != settings.control_place:
        move_control(settings, target)
    return [] if done.is_done else [f"exit {done.exit_code}", *problems]


def _confirm(environ: dict[str, str], now: datetime) -> int:
    settings = load_settings(None, environ=environ)
    return confirm(settings, reason="decided again", operator="kari", now=lambda: now).released
