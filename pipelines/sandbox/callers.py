"""Calls that a vendor's system makes by itself: who is called when, and how one call is made.

One receiver is called by one thread at a time, and no receiver waits for another: one that is slow or out of reach
delays its own calls only.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.sandbox.clock import Clock

    # Does what is due for one receiver, and gives when it is due again by the sandbox's clock; None until it is woken.
    Work = Callable[[int], datetime | None]

# Beyond so many receivers that are slow at the same time, others wait.
_MAX_THREADS = 32
_CLOSE_SECONDS = 1.0
# A wait never overflows what the system can count, however far away the sandbox's clock puts its end.
_LONGEST_WAIT = timedelta(hours=1)
_AT_ONCE = datetime.min.replace(tzinfo=UTC)
_OK = range(200, 300)


class Callers:
    """Does the work of each receiver when it is due; threads start with the first call and end with ``close``."""

    def __init__(self, clock: Clock, work: Work) -> None:
        self._clock = clock
        self._work = work
        self._changed = threading.Condition()
        self._due: dict[int, datetime] = {}
        self._busy: set[int] = set()
        self._threads: list[threading.Thread] = []
        self._waiting = 0
        self.is_closed = False
        # Who waits for a moment must look again when the clock was moved.
        clock.watch(self._look_again)

    def wake(self, receiver: int) -> None:
        """Make a receiver's work due at once; safe from every thread, and never blocks for long."""
        with self._changed:
            self._due[receiver] = _AT_ONCE
            self._staff()
            self._changed.notify()

    def close(self) -> None:
        """Stop, without waiting for a slow receiver.

        Work that comes back from its call after this must write nothing: what it did is done again after a restart.
        """
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()
            threads = list(self._threads)
        end = time.monotonic() + _CLOSE_SECONDS
        for thread in threads:
            thread.join(max(end - time.monotonic(), 0.0))

    def _look_again(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _staff(self) -> None:
        # There is always one thread that only waits: otherwise a receiver's moment could pass while all others call.
        if self._due and not self._waiting and not self.is_closed and len(self._threads) < _MAX_THREADS:
            thread = threading.Thread(target=self._serve, name=f"caller-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self) -> None:
        with self._changed:
            while not self.is_closed:
                receiver, pause = self._next()
                if receiver is None:
                    self._waiting += 1
                    self._changed.wait(pause)
                    self._waiting -= 1
                else:
                    self._do(receiver)

    def _next(self) -> tuple[int | None, float | None]:
        """Give the receiver that has been due for longest, or none and the seconds to wait for the next one."""
        free = [(due, receiver) for receiver, due in self._due.items() if receiver not in self._busy]
        if not free:
            return None, None
        due, receiver = min(free)
        now = self._clock.now()
        return (receiver, None) if due <= now else (None, min(due - now, _LONGEST_WAIT).total_seconds())

    def _do(self, receiver: int) -> None:
        del self._due[receiver]
        self._busy.add(receiver)
        self._staff()
        again: datetime | None = None
        self._changed.release()
        try:
            again = self._work(receiver)
        finally:
            self._changed.acquire()
            self._busy.discard(receiver)
            if again is not None:
                # It may have been woken meanwhile.
                self._due[receiver] = min(again, self._due.get(receiver, again))


def is_address(url: object) -> bool:
    """Tell whether an address can be called at all: http or https, with a host and a port that is one."""
    try:
        address = urlsplit(str(url))
        return address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    # What urlsplit and port raise for a host or a port that is none.
    except ValueError:
        return False


def post(url: str, body: bytes, headers: Mapping[str, str], *, timeout: float) -> str:
    """Send one JSON body and say what went wrong; nothing where the receiver answered 2xx in time."""
    try:
        address = urlsplit(url)
        kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
        connection = kind(address.hostname or "", address.port, timeout=timeout)
        target = f"{address.path or '/'}?{address.query}" if address.query else address.path or "/"
        try:
            connection.request("POST", target, body, {"Content-Type": "application/json", **headers})
            status = connection.getresponse().status
        finally:
            connection.close()
    # ValueError: an address that cannot be written into a request.
    except (OSError, HTTPException, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return "" if status in _OK else f"HTTP {status}"
