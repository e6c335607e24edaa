"""The same work for many items, each in a child of its own, some of them side by side."""

from __future__ import annotations

import json
import os
import select
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from tests.storm.forks import Child, die_with_parent, fork


def in_children(work: Callable[[Any], Any], items: Iterable[Any], *, processes: int, seconds: int) -> Iterator[Child]:
    """Give what each came to (a JSON value) as it comes; one that takes so many seconds is killed."""
    running: dict[int, int] = {}
    left = iter(items)
    for item in islice(left, processes):
        _begin(work, item, running, seconds)
    while running:
        reading = select.select([*running], [], [])[0][0]
        child = running.pop(reading)
        with os.fdopen(reading, encoding="utf-8") as pipe:
            text = pipe.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        for item in islice(left, 1):
            _begin(work, item, running, seconds)
        value, trace = json.loads(text) if text else (None, f"ended with {status}")
        yield Child(value, was_killed=False, traceback=trace)


def _begin(work: Callable[[Any], Any], item: object, running: dict[int, int], seconds: int) -> None:
    reading, writing = os.pipe()
    child = fork()
    if child:
        os.close(writing)
        running[reading] = child
        return
    die_with_parent()
    os.close(reading)
    signal.alarm(seconds)
    result: tuple[Any, str]
    try:
        result = work(item), ""
    except BaseException:  # noqa: BLE001 whatever it was, the child must not go on as a second parent
        result = None, traceback.format_exc()
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        pipe.write(json.dumps(result))
    os._exit(0)
