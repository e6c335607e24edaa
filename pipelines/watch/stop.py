"""How a watch is ended by a signal: between two objects where it can, and within five seconds in any case.

A batch may be left at any moment: what it had begun to send is looked up by the next one (docs/architecture.md#outbox).
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

# Seconds after the signal: then the batch is left wherever it waits, and then the process ends whatever keeps it.
LEAVE_AFTER, END_AFTER = 1.5, 3.5
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(BaseException):
    """The watch is to end: no failure of the batch that it leaves, so nothing that expects failures may catch it."""


@dataclass(slots=True)
class Stop:
    """Whether the watch is to end; asked between two objects."""

    # A plain value: an Event takes a lock, and a signal may come while the same thread has it.
    is_asked: bool = False

    def check(self) -> None:
        """Raise Stopped when the watch is to end."""
        if self.is_asked:
            raise Stopped


@contextmanager
def stopped_by_signals(stop: Stop, *, end: Callable[[int], object] = os._exit) -> Iterator[None]:
    """Let SIGTERM and SIGINT end the watch while the block runs; the second of them changes nothing.

    Only the main thread can be asked so. ``end`` ends the process.
    """
    asked, over = threading.Event(), threading.Event()

    def wait_and_end() -> None:
        asked.wait()
        if not over.wait(END_AFTER):
            end(0)

    # Started beforehand: to start a thread takes a lock that whatever the signal interrupts may hold.
    last = threading.Thread(target=wait_and_end, name="last resort", daemon=True)
    last.start()

    def ask(_number: int, _frame: FrameType | None) -> None:
        if stop.is_asked:
            return
        stop.is_asked = True
        asked.set()
        signal.setitimer(signal.ITIMER_REAL, LEAVE_AFTER)

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise Stopped

    before = {number: signal.signal(number, ask) for number in SIGNALS} | {
        signal.SIGALRM: signal.signal(signal.SIGALRM, leave)
    }
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        over.set()
        asked.set()
        for number, handler in before.items():
            signal.signal(number, handler)
