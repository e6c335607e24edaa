"""What has failed is left alone for a while, longer each time, and told once: a watch goes on with the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog

from pipelines.batch.jobs import JOBS
from pipelines.core.disk import disk_fault
from pipelines.core.errors import SpringlineError
from pipelines.watch.cadence import is_over

# What can fail beside the jobs and the looks.
ALL, HOOKS = "the watch", "hooks"
# A job that failed is tried again after so many seconds, twice as many each time, up to the longest.
FIRST_PAUSE, LONGEST_PAUSE, LONGEST_UNSETTLED = 10, 300, 3600
# A look costs one small request.
LONGEST_BLIND = 60

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Pause:
    """How often something has failed in a row, and until when it is left alone."""

    longest: int = LONGEST_PAUSE
    failures: int = 0
    since: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        """Tell whether it may be tried again."""
        return not self.failures or is_over(self.since, now, seconds=self.seconds)

    @property
    def seconds(self) -> int:
        """How long it is left alone after its last failure."""
        return min(self.longest, FIRST_PAUSE << min(self.failures - 1, 10))

    def fail(self, now: datetime) -> None:
        """Note one more failure."""
        self.failures, self.since = self.failures + 1, now


class Pauses:
    """The pauses of jobs, looks and whatever else can fail, by name."""

    def __init__(self) -> None:
        """Begin with nothing that has failed."""
        self._by_name: dict[str, Pause] = {}

    def is_over(self, what: str, now: datetime) -> bool:
        """Tell whether something may be tried."""
        return what not in self._by_name or self._by_name[what].is_over(now)

    def put_off(self, job: str, now: datetime, *, longest: int) -> None:
        """Leave a job alone whose batch has ended without it, or without settling all of it."""
        pause = self._of(job)
        pause.longest = longest
        pause.fail(now)

    def failed(self, what: str, error: Exception, now: datetime) -> None:
        """Say what cannot be done, and leave it alone for a while; said again only when it is something else."""
        told = error if isinstance(error, SpringlineError) else disk_fault(error)
        pause = self._of(what)
        pause.fail(now)
        values = {"what": what, "tries": pause.failures, "again_in_seconds": pause.seconds}
        if told is None:
            log.error("bug", exc_info=error, **values)
        elif pause.failures == 1:
            log.error("cannot", error=str(told), **values)
        else:
            log.info("still_cannot", error=told.message, **values)

    def recovered(self, what: str) -> None:
        """Say that something can be done again, where it could not."""
        if (pause := self._by_name.pop(what, None)) is None:
            return
        log.info("can_again", what=what, tries=pause.failures)
        # A look that is answered again: what failed for the same reason need not wait out its pause.
        for job in JOBS if what != HOOKS else ():
            self.end(job)

    def end(self, job: str) -> None:
        """Let a job go again that came to its end."""
        self._by_name.pop(job, None)

    def _of(self, what: str) -> Pause:
        return self._by_name.setdefault(what, Pause(LONGEST_PAUSE if what in JOBS else LONGEST_BLIND))
