"""A limit on requests: so many in any window of so many seconds, kept by several threads at once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable


class RateLimiter:
    """Lets at most ``requests`` through in any ``seconds``; first come, first served.

    A library was weighed against these lines: pyrate-limiter keeps a thread for each limiter, which a forked process
    loses, sleeps by the real clock only, and takes 0.12 s to import, more than an idle run spends on its work.
    """

    def __init__(
        self,
        requests: int,
        *,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the clock (monotonic seconds) and the sleep from the caller."""
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._slots: deque[float] = deque(maxlen=requests)

    def wait(self) -> None:
        """Return when one more request may be sent."""
        # A slot is reserved under the lock and waited for outside it, so that one sleeper holds up no other thread.
        with self._lock:
            now = self._clock()
            is_full = len(self._slots) == self._slots.maxlen
            slot = max(now, self._slots[0] + self._seconds) if is_full else now
            self._slots.append(slot)
        if slot > now:
            self._sleep(slot - now)
