"""Keeps telling the status: drawn anew on a terminal when something has changed, a line for each change elsewhere."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.words import moment, plural

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.core.control_place import Place
    from pipelines.watch.observe.health import Health

Read = Callable[[], "tuple[Health, dict[str, Any]]"]
Show = Callable[["Health", "dict[str, Any]"], None]
# Of each file when it was written, in nanoseconds, and its size.
Written = tuple[tuple[int, int], ...]

# Seconds between two looks at the control store's files, and after which everything is read though nothing was written:
# some things come about by time alone.
LOOK, ANEW = 2.0, 60.0
# And after which a store is read that has no files to look at.
PACE = 10.0


def follow(store: Place, read: Read, show: Show, console: Console, *, as_json: bool) -> None:
    """Tell what ``read`` gives until Ctrl-C, which is how it ends well; ``show`` draws it on a terminal.

    With ``as_json`` each change is one JSON object on one line.
    """
    before, read_at = "", float("-inf")
    written: Written = ()
    try:
        while True:
            now = _written(store) if isinstance(store, Path) else ((int(time.monotonic() // PACE), 0),)
            if now != written or time.monotonic() - read_at >= ANEW:
                written, read_at = now, time.monotonic()
                health, status = read()
                before = _tell(health, status, show, console, before=before, as_json=as_json)
            time.sleep(LOOK)
    except KeyboardInterrupt:
        return


def _tell(health: Health, status: dict[str, Any], show: Show, console: Console, *, before: str, as_json: bool) -> str:
    """Tell what is news, and return what the next news is told by."""
    is_drawn = console.is_terminal and not as_json
    # The pace of requests moves with every minute, and is no news.
    whole = {name: value for name, value in status.items() if name != "requests"}
    news = json.dumps([health.in_words(), whole], default=str) if is_drawn or as_json else _story(health, status)
    if news == before:
        return news
    if as_json:
        line = json.dumps({"health": health.as_dict(), **status}, default=str, ensure_ascii=False)
        console.print(line, markup=False, highlight=False)
    elif is_drawn:
        console.clear()
        show(health, status)
        console.print(f"As of {moment(health.as_of)}; Ctrl-C ends.", style="dim", highlight=False)
    else:
        console.print(f"{moment(health.as_of)} {news}", markup=False, highlight=False)
    return news


def _story(health: Health, status: Mapping[str, Any]) -> str:
    """Return in one line what is news when it changes."""
    needs = status["needs"]
    standing = (
        plural(needs["held"], "document held", "documents held"),
        f"{needs['undelivered']:,} not delivered",
        plural(needs["breaks"], "break"),
    )
    parts = [health.in_words(), f"{', '.join(standing)}."]
    if status["batches"]:
        last = status["batches"][0]
        came_to = "at work" if last["ended_at"] is None else f"exit code {last['exit_code']}"
        parts.append(f"Last run {moment(last['started_at'])}: {came_to}.")
    return " ".join(parts)


def _written(store: Path) -> Written:
    """Return what changes whenever something is written: of the store and of its write-ahead log."""
    found = []
    for path in (store, store.with_name(f"{store.name}-wal")):
        try:
            stat = path.stat()
            found.append((stat.st_mtime_ns, stat.st_size))
        except OSError:
            found.append((0, 0))
    return tuple(found)
