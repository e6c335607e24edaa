"""The one clock of both sides: it can be set and stepped, and ticks with real time from there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.sandbox.state import read_setting, write_setting

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

# The offset is stored and not the time, so the time that passes while the sandbox is down counts for both sides.
_SETTING = "clock_offset_microseconds"


def _wall() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Real time plus a persisted offset, so that a restarted sandbox goes on in its own time."""

    def __init__(self, db: sqlite3.Connection, *, wall: Callable[[], datetime] = _wall) -> None:
        self._db = db
        self._wall = wall
        self._offset = timedelta(microseconds=read_setting(db, _SETTING, default=0))
        self._watchers: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """Give the sandbox's time, aware, in UTC."""
        return self._wall() + self._offset

    def watch(self, moved: Callable[[], None]) -> None:
        """Call ``moved`` after each time that somebody has moved the clock."""
        self._watchers.append(moved)

    def set(self, now: datetime) -> None:
        """Make it ``now`` (aware); raises ValueError for a time without zone."""
        # Each side writes its local time without a zone: nobody could say whose time such a text is.
        if now.tzinfo is None:
            raise ValueError(f"the clock needs a time with a zone, such as 2026-11-02T08:00:00Z, not {now.isoformat()}")
        self._store(now - self._wall())

    def advance(self, seconds: float) -> None:
        """Step forward, or back where ``seconds`` is negative."""
        self._store(self._offset + timedelta(seconds=seconds))

    def _store(self, offset: timedelta) -> None:
        write_setting(self._db, _SETTING, value=offset // timedelta(microseconds=1))
        self._offset = offset
        for moved in self._watchers:
            moved()
