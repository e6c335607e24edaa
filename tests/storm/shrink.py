"""Cuts a story down to the smallest one that still goes wrong, by leaving out whatever is not needed for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import msgspec

from tests.storm.story import Run, Story

T = TypeVar("T")
Judge = Callable[[Story], bool]


def shrink(story: Story, *, is_wrong: Judge) -> Story:
    """Return the smallest story that is still wrong: without any one step, fault, job, kill or pause it is right.

    Each story takes seconds to play, so none is played twice. Source: Zeller and Hildebrandt, Simplifying and Isolating
    Failure-Inducing Input (2002).
    """
    judge = _once(is_wrong)
    while True:
        before = story
        story = _with_steps(story, _fewest(story.steps, is_wrong=partial(_is_wrong_with_steps, story, judge)))
        for place in reversed(range(len(story.steps))):
            story = _with_simplest(story, place, judge)
        if story == before:
            return story


def _once(is_wrong: Judge) -> Judge:
    known: dict[str, bool] = {}

    def judge(story: Story) -> bool:
        told = story.yaml()
        if told not in known:
            known[told] = is_wrong(story)
        return known[told]

    return judge


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


def _with_simplest(story: Story, place: int, is_wrong: Judge) -> Story:
    """Make one run as simple as it may be."""
    if not isinstance(story.steps[place], Run):
        return story
    for name, value in _plainer(story.steps[place]):
        if is_wrong(simpler := _with(story, place, {name: value})):
            story = simpler
    for name in ("faults", "jobs"):
        fewest = _fewest(
            getattr(story.steps[place], name), is_wrong=partial(_is_wrong_with_parts, story, place, name, is_wrong)
        )
        story = _with(story, place, {name: fewest})
    return story


def _plainer(run: Any) -> Iterator[tuple[str, object]]:  # noqa: ANN401 a run, told apart by the caller
    """Give what may be left out of a run as a whole."""
    yield from ((name, None) for name in ("kill", "full", "meanwhile") if getattr(run, name) is not None)
    yield from ((name, 0) for name in ("skew", "minutes") if getattr(run, name))


def _is_wrong_with_parts(story: Story, place: int, name: str, is_wrong: Judge, parts: list[object]) -> bool:
    # A run without a job is none.
    return (bool(parts) or name == "faults") and is_wrong(_with(story, place, {name: parts}))


def _is_wrong_with_steps(story: Story, is_wrong: Judge, steps: list[Any]) -> bool:
    return is_wrong(_with_steps(story, steps))


def _with(story: Story, place: int, change: dict[str, object]) -> Story:
    simpler = msgspec.structs.replace(story.steps[place], **change)
    return _with_steps(story, [*story.steps[:place], simpler, *story.steps[place + 1 :]])


def _with_steps(story: Story, steps: Sequence[object]) -> Story:
    return msgspec.structs.replace(story, steps=list(steps))
