"""What another command shares with a running watch: a run it asks for, and its turn at the warehouse."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.core.errors import BusyError, SpringlineError
from pipelines.core.words import moment
from pipelines.stores.control import Control, named_statements, utc_text
from pipelines.stores.control_types import ControlRow
from pipelines.stores.copies import is_busy
from pipelines.stores.lost import open_control

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

T = TypeVar("T")

# A watch says so often that it is alive, and counts as gone when it has not for so long.
BEAT = 10
GONE = timedelta(seconds=60)
# How often a command looks how far its order is, and whether the warehouse is free.
LOOK = 0.2
# The mark of the last one who waits for the warehouse: until when.
TURN = "watch.turn_asked_until"
# How long a command waits for its turn at the warehouse; a batch of a first run may take as long.
LONGEST_WAIT = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class RunningWatch:
    """A watch that is alive, as it wrote itself down."""

    watch_id: str
    started_at: str
    host: str
    pid: int
    operator: str

    def __str__(self) -> str:
        """Name it: process, host, who started it and when."""
        return f"process {self.pid} on {self.host}, started by {self.operator} at {moment(self.started_at)}"


def running_watch(control: Control, *, now: datetime) -> RunningWatch | None:
    """Return the watch that works on this store, None when there is none, or only one that was killed."""
    for row in control.read(named_statements("watch")["open_watches"]):
        # Both ways: a clock that was set back makes its last sign of life lie ahead.
        is_recent = abs(now - datetime.fromisoformat(row["seen_at"])) < GONE
        if is_recent and (row["host"] != socket.gethostname() or is_process(row["pid"])):
            return RunningWatch(row["watch_id"], row["started_at"], row["host"], row["pid"], row["operator"])
    return None


def is_process(pid: int) -> bool:
    """Tell whether there is such a process on this machine, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def find_watch(settings: Settings, *, now: datetime) -> RunningWatch | None:
    """Return the watch that works on the control store, without making a store where there is none.

    Raises SettingsError when the store is lost.
    """
    with closing(open_control(settings, for_reading=True)) as control:
        return running_watch(control, now=now)


def carry_out_beside(
    settings: Settings,
    *,
    jobs: Sequence[str],
    operator: str,
    today: date | None,
    now: Callable[[], datetime],
    begin: Callable[[str, str], None],
    tell: Callable[[str], None],
) -> dict[str, Any] | None:
    """Have a running watch carry out a run, and return the object that `run --json` prints; None when no watch runs.

    ``tell`` receives at once who carries it out, ``begin`` job and step as each begins. Raises BusyError when the watch
    ends before the run does, and what kept the run from beginning.
    """
    if (watch := find_watch(settings, now=now())) is None:
        return None
    tell(f"The watch carries it out, when the batch it may have at work is over ({watch}).")
    with closing(open_control(settings)) as control:
        order = _Order(control, now)
        order.place(jobs, operator, today)
        try:
            return order.follow(begin)
        except BaseException:
            order.withdraw()
            raise


class _Order:
    def __init__(self, control: Control, now: Callable[[], datetime]) -> None:
        self._control = control
        self._now = now
        self._statements = named_statements("watch")
        self._id = 0

    def place(self, jobs: Sequence[str], operator: str, today: date | None) -> None:
        values = {"operator": operator, "jobs": ",".join(jobs), "today": today.isoformat() if today else None}
        with self._control.write() as connection:
            cursor = connection.execute(self._statements["place_order"], {"at": utc_text(self._now()), **values})
            (self._id,) = cursor.fetchone()

    def follow(self, begin: Callable[[str, str], None]) -> dict[str, Any]:
        position = 0
        while True:
            (row,) = self._control.read(self._statements["order"], {"order_id": self._id})
            if row["batch_id"]:
                seen = {"batch_id": row["batch_id"], "position": position}
                for step in self._control.read(self._statements["steps_since"], seen):
                    position = step["position"]
                    begin(step["job"], step["step"])
            if row["ended_at"]:
                return self._ended(row)
            if running_watch(self._control, now=self._now()) is None:
                raise BusyError(
                    "The watch that was asked for this run has ended before it.",
                    next_step="run again; what was sent is recorded, and nothing goes twice.",
                )
            time.sleep(LOOK)

    def withdraw(self) -> None:
        with self._control.write() as connection:
            values = {
                "order_id": self._id,
                "at": utc_text(self._now()),
                "problem": as_problem(BusyError("It was withdrawn.")),
            }
            connection.execute(self._statements["withdraw_order"], values)

    @staticmethod
    def _ended(row: ControlRow) -> dict[str, Any]:
        if row["problem"]:
            raise from_problem(row["problem"])
        summary: dict[str, Any] = json.loads(row["summary"])
        return summary


def as_problem(error: SpringlineError) -> str:
    """Write down why an order was not carried out, so that the command which placed it can end as it says."""
    return json.dumps({"error": error.message, "next_step": error.next_step, "exit_code": error.exit_code})


def from_problem(text: str) -> SpringlineError:
    """Return the error that ``as_problem`` wrote down, with its exit code."""
    told = json.loads(text)
    kinds = {kind.exit_code: kind for kind in _kinds(SpringlineError)}
    return kinds.get(told["exit_code"], SpringlineError)(told["error"], next_step=told["next_step"])


def _kinds(kind: type[SpringlineError]) -> list[type[SpringlineError]]:
    # Those with more to say than message and next step are of the wire, and never keep a run from beginning.
    return [one for sub in kind.__subclasses__() for one in (sub, *_kinds(sub)) if one.__init__ is kind.__init__]


def in_turn(
    settings: Settings, work: Callable[[], T], *, now: Callable[[], datetime], tell: Callable[[str], None]
) -> T:
    """Do what needs the warehouse, as soon as a batch of a running watch has left it.

    ``tell`` receives, once, who holds it and how long it is waited for. Raises BusyError when no watch runs, and when
    the wait is over.
    """
    end: datetime | None = None
    while True:
        try:
            return work()
        except BusyError as error:
            if is_busy_store(error) or find_watch(settings, now=now()) is None:
                raise
            if end is None:
                end = datetime.now(UTC) + LONGEST_WAIT
                minutes = LONGEST_WAIT // timedelta(minutes=1)
                _ask_for_turn(settings, end)
                tell(f"{_holder(settings)} Waiting for its turn, for up to {minutes} minutes.")
            if datetime.now(UTC) >= end:
                raise
        time.sleep(LOOK)


def is_busy_store(error: BusyError) -> bool:
    """Tell whether it is the control store that is locked, which was waited for already, and not the warehouse."""
    return error.__cause__ is not None and isinstance(error.__cause__, Exception) and is_busy(error.__cause__)


def _ask_for_turn(settings: Settings, end: datetime) -> None:
    # Who may not write there gets a turn all the same, only later.
    with suppress(SpringlineError), closing(open_control(settings)) as control:
        control.keep_mark(TURN, utc_text(end))


def _holder(settings: Settings) -> str:
    with closing(open_control(settings, for_reading=True)) as control:
        rows = control.read(named_statements("watch")["latest_batch"])
    if not rows or rows[0]["ended_at"]:
        return "Another program holds the warehouse."
    jobs = rows[0]["jobs"].replace(",", ", ")
    return f"Batch {rows[0]['batch_id']} ({jobs}) holds the warehouse since {moment(rows[0]['started_at'])}."
