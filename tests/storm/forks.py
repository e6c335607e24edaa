"""Work in a child of this process, with everything imported already; it may be killed at a point of its work."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.stores.control import Control
from pipelines.wire.http import Answer, Call, HttpCaller
from tests.storm.points import count_steps

if TYPE_CHECKING:
    import sqlite3


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
    """How a child ended: what it gave, None where it was killed, and the traceback of what it did not expect."""

    value: Any
    was_killed: bool
    traceback: str = ""


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


def in_child(work: Callable[[], Any], *, kill: Kill | None = None) -> Child:
    """Do the work in a child and give what it returned (a JSON value)."""
    reading, writing = os.pipe()
    child = fork()
    if child == 0:
        die_with_parent()
        os.close(reading)
        with os.fdopen(writing, "w", encoding="utf-8") as pipe:
            pipe.write(json.dumps(_result(work, kill)))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        text = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not text:
        return Child(None, was_killed=status == -signal.SIGKILL, traceback="" if status < 0 else f"status {status}")
    value, trace = json.loads(text)
    return Child(value, was_killed=False, traceback=trace)


def _result(work: Callable[[], Any], kill: Kill | None) -> tuple[Any, str]:
    try:
        if kill is not None:
            _arm(kill)
        return work(), ""
    except BaseException:  # noqa: BLE001 whatever it was, the child must not go on as a second storm
        return None, traceback.format_exc()


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
    write = Control.write

    @contextmanager
    def dying_write(self: Control) -> Iterator[sqlite3.Connection]:
        is_last = is_here()
        opened: AbstractContextManager[sqlite3.Connection] = write(self)
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
