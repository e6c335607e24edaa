"""Says every few seconds that the watch is alive, also while a batch takes minutes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from pipelines.stores.lost import open_control
from pipelines.watch.orders import BEAT
from pipelines.watch.state import WatchState

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

log = structlog.get_logger(__name__)


class Pulse:
    """A thread with a connection of its own: in one with the loop's it would wait for the loop's transactions."""

    def __init__(self, settings: Settings, watch_id: str, *, now: Callable[[], datetime]) -> None:
        """Beat for a watch that is written down in the control store."""
        self._settings = settings
        self._watch_id = watch_id
        self._now = now
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def __enter__(self) -> None:
        """Begin."""
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        """End; a beat that waits for the store is not waited for."""
        self._end.set()
        self._thread.join(1)

    def _beat(self) -> None:
        has_failed = False
        while not self._end.wait(BEAT):
            try:
                with closing(open_control(self._settings)) as control:
                    WatchState(control, self._watch_id).beat(self._now())
                has_failed = False
            except Exception as error:  # noqa: BLE001 the thread must live on
                # A disk without room; the loop meets it as well, and says what it means.
                if not has_failed:
                    log.warning("no_pulse", error=str(error))
                has_failed = True
