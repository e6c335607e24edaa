"""A watch in a process of its own on a reduced sample world, on the world's own day."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.flow.world import CLOCK, Ended, Row, World, until, world
from tests.support.patience import PATIENCE
from tests.support.sandbox_server import REPOSITORY

# As if it were the day of the sample world, a Monday morning, in every process.
ON_THE_DAY = """
from datetime import UTC, datetime, timedelta
import pipelines.cli.common as common
common.utc_now = lambda: datetime.now(UTC) + timedelta(seconds={ahead})
from pipelines.cli.app import main
main()
"""


@dataclass
class Harbour:
    """A world, the watch at work on it, and what it has logged."""

    world: World
    code: str
    ready: Iterator[int]
    # Seconds that the clock of Springline is ahead of this machine's.
    ahead: float
    watch: subprocess.Popen[str] | None = None

    def start(self) -> None:
        # Into a file: nobody reads the log here, and a full pipe would stop the watch.
        with (self.world.folder / "watch.log").open("a") as log:
            self.watch = subprocess.Popen(  # noqa: S603 our own module
                [sys.executable, "-c", self.code, "watch"],
                stdout=log,
                stderr=log,
                text=True,
                cwd=self.world.folder,
                env={**os.environ, **self.world.environ, "PYTHONPATH": str(REPOSITORY)},
            )

    def until(self, is_so: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
        watch = self.watch
        assert watch is not None
        until(is_so, alive=lambda: watch.poll() is None, seconds=seconds)

    def kill(self) -> None:
        if self.watch is not None:
            self.watch.kill()
            self.watch.wait()

    def has_begun(self) -> bool:
        assert self.watch
        return bool(self.world.rows(f"SELECT 1 FROM watches WHERE pid = {self.watch.pid} AND ended_at IS NULL"))  # noqa: S608 a number

    def command(self, *arguments: str) -> Ended:
        process = self.world.start(*arguments, code=self.code)
        out, err = process.communicate(timeout=PATIENCE)
        return Ended(process.returncode, out, err)

    def make_ready(self) -> str:
        key = next(self.ready)
        self.world.change("Document", key, invoicingStatus="RFP")
        return f"N{key}"

    def is_posted(self, number: str) -> bool:
        return self.world.statuses()[number] == "POS"

    def batches(self, jobs: str = "%") -> int:
        [(number,)] = self.world.rows(
            f"SELECT count(*) FROM batches WHERE ended_at IS NOT NULL AND jobs LIKE '{jobs}'"  # noqa: S608 our words
        )
        return int(number)

    def lives(self) -> int:
        """Give how many watches have begun."""
        [(number,)] = self.world.rows("SELECT count(*) FROM watches")
        return int(number)

    def end(self, *signals: int) -> float:
        """Send signals, SIGTERM unless others are named, and give the seconds until it has ended."""
        assert self.watch is not None
        began = time.monotonic()
        for number in signals or (signal.SIGTERM,):
            self.watch.send_signal(number)
            time.sleep(0.1)
        self.watch.wait(PATIENCE)
        return time.monotonic() - began


@contextmanager
def harbour_of(
    folder: Path, documents: Iterable[Row], keys: Iterable[int], *, every: int = 1, **environ: str
) -> Iterator[Harbour]:
    """Serve a world with these documents, of which ``keys`` are assembled, and look at the VMS ``every`` seconds."""
    # Its own port each: several run at once.
    cadence = {"DOCUMENTS": str(every), "MASTER_DATA": str(every), "PORT": "0"}
    settings = {f"SPRINGLINE_WATCH__{name}": value for name, value in cadence.items()} | environ
    folder.mkdir(exist_ok=True)
    with world(folder, {"vms/Document": documents}, is_first_day=False, **settings) as served:
        ahead = (datetime.fromisoformat(CLOCK) - datetime.now(UTC)).total_seconds()
        harbour = Harbour(served, ON_THE_DAY.format(ahead=ahead), iter(keys), ahead)
        try:
            yield harbour
        finally:
            harbour.kill()
