"""The limit on requests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from pipelines.wire.limiter import RateLimiter


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []
        self._lock = Lock()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.waits.append(seconds)


def test_a_burst_passes_and_the_next_waits() -> None:
    clock = Clock()
    limiter = RateLimiter(3, seconds=5, clock=lambda: clock.now, sleep=clock.sleep)
    for _ in range(4):
        limiter.wait()
    assert clock.waits == [5.0]


def test_a_slot_is_free_again_after_the_window() -> None:
    clock = Clock()
    limiter = RateLimiter(1, seconds=5, clock=lambda: clock.now, sleep=clock.sleep)
    limiter.wait()
    clock.now = 5.0
    limiter.wait()
    assert clock.waits == []


def test_threads_share_one_limit() -> None:
    clock = Clock()
    limiter = RateLimiter(2, seconds=1, clock=lambda: clock.now, sleep=clock.sleep)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: limiter.wait(), range(10)))
    assert sorted(clock.waits) == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]
