"""Cuts a story down to the smallest one that still goes wrong, by leaving out whatever is not needed for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec

from tests.storm.story import Run, Story

T = TypeVar("T")


def shrink(story: Story, *, is_wrong: Callable[[Story], bool]) -> Story:
    """Return the smallest story that is still wrong: without any one step, fault, job, kill or pause it is right.

    Source: Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input (2002).
    """
    while True:
        before = story
        story = _with_steps(story, _fewest(story.steps, is_wrong=lambda steps: is_wrong(_with_steps(story, steps))))  # noqa: B023 called at once
        for place in reversed(range(len(story.steps))):
            for simpler in _simpler(story, place):
                # Each is made from the story as it was: only one of them may be taken at a time.
                if is_wrong(simpler):
                    story = simpler
                    break
        if story == before:
            return story


def _fewest(parts: Sequence[T], *, is_wrong: Callable[[list[T]], bool]) -> list[T]:
    """Leave out halves, then quarters, down to single ones, as long as it stays wrong."""
    left, size = list(parts), max(len(parts) // 2, 1)
    while left:
        for start in reversed(range(0, len(left), size)):
            fewer = [*left[:start], *left[start + size :]]
            if is_wrong(fewer):
                left = fewer
        if size == 1:
            break
        size = max(min(size, len(left)) // 2, 1)
    return left


def _simpler(story: Story, place: int) -> Iterator[Story]:
    """Give the same story with one step made simpler, the greatest change first."""
    step = story.steps[place]
    if not isinstance(step, Run):
        return
    changes: list[dict[str, object]] = [{"faults": []}] if step.faults else []
    changes += [{name: None} for name in ("kill", "full", "meanwhile") if getattr(step, name) is not None]
    changes += [{name: 0} for name in ("skew", "minutes") if getattr(step, name)]
    changes += [{"faults": [*step.faults[:at], *step.faults[at + 1 :]]} for at in range(len(step.faults))]
    changes += [{"jobs": [*step.jobs[:at], *step.jobs[at + 1 :]]} for at in range(len(step.jobs)) if len(step.jobs) > 1]
    for change in changes:
        simpler = msgspec.structs.replace(step, **change)
        yield _with_steps(story, [*story.steps[:place], simpler, *story.steps[place + 1 :]])


def _with_steps(story: Story, steps: Sequence[object]) -> Story:
    return msgspec.structs.replace(story, steps=list(steps))
