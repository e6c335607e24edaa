"""Shows what a batch is doing: bars on a terminal, nothing where nobody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from rich.console import Console

Report = Callable[[str, int, int], None]


@contextmanager
def progress(console: Console, *, is_shown: bool) -> Iterator[Report]:
    """Yield what a step reports to: what is being done, how many are done, how many there are (0 when unknown)."""
    bars = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        # Transient: when a command ends its answer stands alone, and without a terminal nothing is drawn at all.
        console=console, transient=True, disable=not is_shown,
    )  # fmt: skip
    tasks: dict[str, TaskID] = {}

    def report(what: str, done: int, total: int) -> None:
        # Not before there is something to show: while bars are drawn, rich takes over what a command prints.
        bars.start()
        if what not in tasks:
            tasks[what] = bars.add_task(what, total=None)
        bars.update(tasks[what], completed=done, total=total or None)

    try:
        yield report
    finally:
        bars.stop()
