"""A step and a job as values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipelines.step.context import Context
from pipelines.step.counts import Counts
from pipelines.stores.memory import little_memory


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name in `ctl.steps`, what it does, and whether a dry run leaves it out."""

    name: str
    run: Callable[[Context], Counts]
    # Also true of a step that only repeats work after one that writes: without that one nothing has changed.
    writes_outside: bool = False


def in_little_memory(run: Callable[[Context], Counts], ctx: Context) -> Counts:
    """Run a step while the warehouse keeps little of what it reads in memory."""
    with little_memory(ctx.warehouse):
        return run(ctx)


@dataclass(frozen=True, slots=True)
class Job:
    """One job of `springline run`."""

    name: str
    steps: tuple[Step, ...]
    # What is done after them and may wait: who runs the job again at once does it the last time.
    later: tuple[Step, ...] = ()
