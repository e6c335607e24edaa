"""Shows what a batch is doing: a line for each job on a terminal, nothing where nobody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

if TYPE_CHECKING:
    from rich.console import Console

Report = Callable[[str, int, int], None]
# Together with the bar and the figures they fill 80 columns.
JOB_WIDTH, DOING_WIDTH, BAR_WIDTH = 11, 34, 10


class Lines:
    """The lines on a terminal: one for each job of a batch, or a single one where there are no jobs."""

    def __init__(self, bars: Progress) -> None:
        """Draw on ``bars``."""
        self._bars = bars
        self._job = ""
        self._doing = ""
        self._line: TaskID | None = None

    def title(self, text: str, done: int, total: int) -> None:
        """Put a title in place of all lines, for the jobs that follow, and how many of such parts are done."""
        for task in self._bars.task_ids:
            self._bars.remove_task(task)
        self._job, self._doing, self._line = "", "", None
        self.report(text, done, total)
        self._line = None

    def begin(self, job: str, step: str) -> None:
        """Say which step has begun; a job's first ends the line of the job before."""
        if job != self._job:
            if self._line is not None:
                self._bars.update(self._line, doing="done", completed=1, total=1)
            self._job, self._line = job, None
        self._doing = step
        self.report(step, 0, 0)

    def report(self, what: str, done: int, total: int) -> None:
        """Say what is being done, how many are done, how many there are (0 when unknown)."""
        # Not before there is something to show: while lines are drawn, rich takes over what a command prints.
        self._bars.start()
        if self._line is None:
            self._line = self._bars.add_task(self._job, total=None, doing="")
        # A job's line keeps the name of its step: a build names a hundred models, and reading every kind of object.
        self._bars.update(self._line, doing=self._doing if self._job else what, completed=done, total=total or None)


@contextmanager
def progress(console: Console, *, is_shown: bool) -> Iterator[Lines]:
    """Yield the lines that a batch reports to; they are gone when the context ends."""
    doing = Column(width=DOING_WIDTH, no_wrap=True, overflow="ellipsis")
    bars = Progress(
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}", markup=False, table_column=Column(width=JOB_WIDTH, no_wrap=True)),
        TextColumn("{task.fields[doing]}", markup=False, table_column=doing),
        BarColumn(bar_width=BAR_WIDTH), MofNCompleteColumn(), TimeElapsedColumn(),
        # Transient: when a command ends its answer stands alone, and without a terminal nothing is drawn at all.
        console=console, transient=True, disable=not is_shown,
    )  # fmt: skip
    try:
        yield Lines(bars)
    finally:
        bars.stop()
