"""A step and a job as values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipelines.step.context import Context
from pipelines.step.counts import Counts


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name in `ctl.steps`, what it does, whether a dry run leaves it out, and what it needs."""

    name: str
    run: Callable[[Context], Counts]
    # Also true of a step that only repeats work after one that writes: without that one nothing has changed.
    writes_outside: bool = False
    # It finds few rows in a long history, of which DuckDB would keep in memory whatever was read.
    is_sparing: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One job of `springline run`."""

    name: str
    steps: tuple[Step, ...]
    # What is done after them and may wait: who runs the job again at once does it the last time.
    later: tuple[Step, ...] = ()
