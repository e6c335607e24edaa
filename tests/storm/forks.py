"""Work in a child of this process, with everything imported already; it may be killed at a point of its work."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.stores.control import Control
from pipelines.wire.http import Answer, Call, HttpCaller
from tests.storm.points import count_steps

if TYPE_CHECKING:
    from pipelines.stores.control_types import ControlConnection


# linux/prctl.h
PR_SET_PDEATHSIG = 1


class Kill(NamedTuple):
    """Where a run ends: at its n-th write to the control store or its n-th request, before or after it was done.

    A ``step`` is any durable step there is (points.py).
    """

    what: str
    number: int
    is_after: bool
    # For a step: the folder of the stores, and where the names of all steps on the way are written, one a line.
    stores: Path = Path()
    names: Path | None = None


class Child(NamedTuple):
    """How a child ended: what it gave, None where it was killed, and the traceback of what it did not expect.

    ``seconds`` are those of the processor.
    """

    value: Any
    was_killed: bool
    traceback: str = ""
    seconds: float = 0.0


class Pause(NamedTuple):
    """Before which request the work stops, and what is done meanwhile by whoever began it."""

    call: int
    meanwhile: Callable[[], None]


def fork() -> int:
    """Fork, as ``os.fork`` does; the caller has no threads."""
    sys.stdout.flush()
    with warnings.catch_warnings():
        # Later Pythons warn of forks beside threads: a library may keep one that does nothing.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def die_with_parent() -> None:
    """Let this process end when its parent does, however that ends; Linux alone can."""
    with suppress(AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def in_child(
    work: Callable[[], Any], *, kill: Kill | None = None, pause: Pause | None = None, full: int | None = None
) -> Child:
    """Do the work in a child and give what it returned (a JSON value).

    After ``full`` writes to the control store no file may grow any more for it.
    """
    reading, writing = os.pipe()
    theirs, ours = socket.socketpair()
    child = fork()
    if child == 0:
        die_with_parent()
        os.close(reading)
        ours.close()
        with os.fdopen(writing, "w", encoding="utf-8") as pipe:
            pipe.write(json.dumps(_result(work, partial(_arm_all, kill, pause, full, theirs))))
        os._exit(0)
    os.close(writing)
    theirs.close()
    with ours:
        # Nothing comes from a child that ends before, or has no pause.
        if pause is not None and ours.recv(1):
            pause.meanwhile()
            with suppress(OSError):
                ours.send(b"go")
    with os.fdopen(reading, encoding="utf-8") as pipe:
        text = pipe.read()
    _, ended, used = os.wait4(child, 0)
    status, seconds = os.waitstatus_to_exitcode(ended), used.ru_utime + used.ru_stime
    if not text:
        trace = "" if status < 0 else f"status {status}"
        return Child(None, was_killed=status == -signal.SIGKILL, traceback=trace, seconds=seconds)
    value, trace = json.loads(text)
    return Child(value, was_killed=False, traceback=trace, seconds=seconds)


def _result(work: Callable[[], Any], arm: Callable[[], None]) -> tuple[Any, str]:
    try:
        arm()
        return work(), ""
    except BaseException:  # noqa: BLE001 whatever it was, the child must not go on as a second storm
        return None, traceback.format_exc()


def _arm_all(kill: Kill | None, pause: Pause | None, full: int | None, parent: socket.socket) -> None:
    if pause is not None:
        _before_call(pause.call, lambda: parent.send(b"here") and parent.recv(2))
    if full is not None:
        _before_write(full, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
    if kill is not None:
        _arm(kill)


def _before_call(number: int, do: Callable[[], object]) -> None:
    exchange, calls = HttpCaller._exchange, count(1)

    def stopping_exchange(self: HttpCaller, call: Call) -> Answer:
        if next(calls) == number:
            do()
        return exchange(self, call)

    setattr(HttpCaller, "_exchange", stopping_exchange)  # noqa: B010 mypy takes a method for no variable


def _before_write(number: int, do: Callable[[], object]) -> None:
    write, writes = Control.write, count(1)

    def failing_write(
        self: Control, within: ControlConnection | None = None
    ) -> AbstractContextManager[ControlConnection]:
        if within is None and next(writes) == number:
            do()
        return write(self, within)

    setattr(Control, "write", failing_write)  # noqa: B010 as above


def _arm(kill: Kill) -> None:
    """Let this process die at a point of its work."""
    if kill.what == "step":
        count_steps(kill.number, is_after=kill.is_after, stores=kill.stores, names=kill.names, die=_die)
        return
    numbers = count(1)

    def is_here() -> bool:
        return next(numbers) == kill.number

    if kill.what == "call":
        exchange = HttpCaller._exchange

        def dying_exchange(self: HttpCaller, call: Call) -> Answer:
            is_last = is_here()
            if is_last and not kill.is_after:
                _die()
            answer = exchange(self, call)
            if is_last:
                _die()
            return answer

        setattr(HttpCaller, "_exchange", dying_exchange)  # noqa: B010 mypy takes a method for no variable
        return
    _die_at_a_write(kill, is_here)


def _die_at_a_write(kill: Kill, is_here: Callable[[], bool]) -> None:
    write = Control.write

    @contextmanager
    def dying_write(self: Control, within: ControlConnection | None = None) -> Iterator[ControlConnection]:
        if within is not None:
            # A part of the transaction that is open.
            yield within
            return
        is_last = is_here()
        opened: AbstractContextManager[ControlConnection] = write(self)
        with opened as connection:
            yield connection
            # Everything is written, and nothing of it is committed.
            if is_last and not kill.is_after:
                _die()
        if is_last:
            _die()

    setattr(Control, "write", dying_write)  # noqa: B010 as above


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
