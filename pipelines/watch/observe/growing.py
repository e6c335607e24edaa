"""Counts what grows with every document and batch: read once, and from then on what came since the last scrape."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate

from pipelines.stores.control import Control, named_statements

# Seconds. What is asked of a watch, 2 s by webhook and 12 s by polling, is a bound, and so is each a minute's multiple.
BOUNDS = (0.5, 1.0, 2.0, 5.0, 12.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0)
# At a scrape no more than this is taken in at once; the rest follows in the same scrape.
PAGE = 20_000


@dataclass(slots=True)
class Seconds:
    """Durations, counted by BOUNDS."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one; a clock that was set back makes none less than nothing."""
        seconds = max(seconds, 0.0)
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def buckets(self) -> Sequence[tuple[str, int]]:
        """Return how many were at most each bound, as Prometheus has them."""
        return list(zip((*map(str, BOUNDS), "+Inf"), accumulate(self.counts), strict=True))


class Growing:
    """The outbox by kind and state, and durations since this began; used by one thread at a time."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self.outbox: Counter[tuple[str, str]] = Counter()
        self.waits: dict[str, Seconds] = {"voucher": Seconds(), "acknowledgement": Seconds()}
        self.batches: defaultdict[str, Seconds] = defaultdict(Seconds)
        self.steps: defaultdict[tuple[str, str], Seconds] = defaultdict(Seconds)
        self._event: int | None = None
        self._batch = ""

    def read(self, control: Control) -> None:
        """Take in what has come since the last time."""
        statements = named_statements("observe")
        last = int(control.one(statements["last_event"]))
        # Events are never taken back: with fewer than before it is a backup that was put in place.
        if self._event is None or last < self._event:
            self.outbox.clear()
            for row in control.read(statements["outbox"]):
                self.outbox[row["kind"], row["state"]] = row["number"]
            self._event = self.outbox.pop(("event", "last"))
            self._batch = str(control.one(statements["last_batch"]))
            return
        while self._event < last:
            page = {"after": self._event, "until": min(self._event + PAGE, last)}
            for row in control.read(statements["moves"], page):
                if row["from_state"] is not None:
                    self.outbox[row["kind"], row["from_state"]] -= row["number"]
                self.outbox[row["kind"], row["to_state"]] += row["number"]
            for row in control.read(statements["sent"], page):
                self.waits[row["kind"]].add(_seconds(row["ready_at"], row["at"]))
            self._event = page["until"]
        self._read_batches(control)

    def _read_batches(self, control: Control) -> None:
        statements = named_statements("observe")
        rows = control.read(statements["batches"], {"after": self._batch})
        # One batch is at work at a time: only the newest may still end, and one before it that has no end was killed.
        if rows and rows[-1]["ended_at"] is None:
            rows.pop()
        if not rows:
            return
        until = rows[-1]["batch_id"]
        for row in rows:
            if row["ended_at"] is not None:
                self.batches[str(row["exit_code"])].add(_seconds(row["started_at"], row["ended_at"]))
        for row in control.read(statements["steps"], {"after": self._batch, "until": until}):
            self.steps[row["job"], row["step"]].add(_seconds(row["started_at"], row["ended_at"]))
        self._batch = until


def _seconds(since: str, until: str) -> float:
    return (datetime.fromisoformat(until) - datetime.fromisoformat(since)).total_seconds()
