"""Every durable step of a run has a number and a name: a crash leaves what was there between two of them.

A step is a transaction of the control store, one of a DuckDB file, a move or removal of a file, and a request. What
happens inside a transaction, and in dlt's own working folder, is gone with the process.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.batch import run as batch_run
from pipelines.publish.edition import swap
from pipelines.stores import versions
from pipelines.stores.control import Control
from pipelines.stores.postgres.control import PostgresControl
from pipelines.wire.http import Answer, Call, HttpCaller

if TYPE_CHECKING:
    from pipelines.stores.control_types import ControlConnection

CHANGES = ("CREATE", "INSERT", "UPDATE", "DELETE", "DROP", "ALTER", "MERGE", "COPY", "DETACH", "CHECKPOINT", "TRUNCATE")
# Both databases: the verb, and the table that it changes.
_CHANGE = re.compile(
    r"(INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|MERGE|COPY|DETACH|CHECKPOINT|TRUNCATE)\b(?:\s+OR\s+REPLACE)?"
    r"(?:\s+(?:INTO|FROM|TABLE|SCHEMA|VIEW|IF\s+NOT\s+EXISTS|IF\s+EXISTS))*\s*([\w.\"]*)",
    re.IGNORECASE,
)
# What is there already is not made, and tables for a moment have no schema.
_IDLE = re.compile(
    r"\s*(CREATE\s+(SCHEMA|TABLE)\s+IF\s+NOT\s+EXISTS|CREATE\s+(OR\s+REPLACE\s+)?TEMP|INSERT\s+INTO\s+\"?\w+\"?[\s(])",
    re.IGNORECASE,
)
_VARYING = re.compile(r"[0-9a-f]{8,}|\d+")
# dlt makes hundreds of files there, and each landing begins with an empty one.
WORKING = ".landing"
# published/.new/springline.duckdb: what lies deeper is of one table.
_DEPTH = 3


@dataclass(slots=True)
class Steps:
    """Counts the durable steps of this process, and ends it before or after one of them."""

    number: int
    is_after: bool
    stores: Path
    names: Path | None
    die: Callable[[], None]
    reached: int = 0
    # The job and the step of the batch, and what has changed in the transaction that is open, by connection.
    place: str = "start"
    changed: dict[int, Counter[str]] = field(default_factory=dict)
    is_inside: bool = False

    def area(self, place: Path) -> str:
        """Name a file by where it lies: tables are published one like the other."""
        inside = place.relative_to(self.stores) if place.is_relative_to(self.stores) else Path("elsewhere")
        shown = str(inside)
        if inside.parts[1:2] in {(".new",), (".old",), ("tables",)} and len(inside.parts) > _DEPTH:
            shown = "/".join((*inside.parts[:2], "…"))
        return _VARYING.sub("#", shown)

    @contextmanager
    def step(self, name: Callable[[], str]) -> Iterator[None]:
        """Be one step; what it is made of inside is none."""
        if self.is_inside:
            yield
            return
        self.reached += 1
        is_last = self.reached == self.number
        if self.names is not None:
            with self.names.open("a", encoding="utf-8") as file:
                file.write(f"{self.place}\t{name()}\n")
        if is_last and not self.is_after:
            self.die()
        self.is_inside = True
        try:
            yield
        finally:
            self.is_inside = False
            # Also behind one that failed: a file to be removed was not there.
            if is_last:
                self.die()


def count_steps(number: int, *, is_after: bool, stores: Path, names: Path | None, die: Callable[[], None]) -> None:
    """Count the steps of this process from here on, which is a child; die at one of them, at none where it is 0."""
    steps = Steps(number, is_after, stores, names, die)
    _count_requests(steps)
    _count_control(steps)
    _count_warehouse(steps)
    _count_files(steps)
    _note_places(steps)


def _put(owner: object, name: str, value: object) -> None:
    setattr(owner, name, value)


def _note_places(steps: Steps) -> None:
    whole: Any = batch_run._run_step

    def noted(context: object, job: Any, step: Any, *more: object) -> object:  # noqa: ANN401 the batch's own
        steps.place = f"{job.name}: {step.name}"
        return whole(context, job, step, *more)

    _put(batch_run, "_run_step", noted)


def _count_requests(steps: Steps) -> None:
    exchange = HttpCaller._exchange

    def counted(self: HttpCaller, call: Call) -> Answer:
        with steps.step(lambda: f"request {call.method} {call.operation}"):
            return exchange(self, call)

    _put(HttpCaller, "_exchange", counted)


def _count_control(steps: Steps) -> None:
    write = Control.write

    @contextmanager
    def counted(self: Control, within: ControlConnection | None = None) -> Iterator[ControlConnection]:
        if within is not None:
            # A part of the transaction that is open.
            yield within
            return
        seen: list[str] = []
        with ExitStack() as committed, write(self) as connection:
            with _told(connection, seen):
                yield connection
            # Begins when all is written and nothing of it is committed; ends after the commit.
            committed.enter_context(steps.step(lambda: f"control store {_words(Counter(map(change_of, seen)))}"))

    _put(Control, "write", counted)
    bring = versions.bring_up_to_date

    def brought(connection: sqlite3.Connection, path: Path, **named: Any) -> None:  # noqa: ANN401 as it comes
        with steps.step(lambda: "control store made or migrated"):
            bring(connection, path, **named)

    _put(versions, "bring_up_to_date", brought)
    make = PostgresControl._make

    def made(self: PostgresControl, *more: Any) -> None:  # noqa: ANN401 as it comes
        if self._for_reading:
            make(self, *more)
            return
        with steps.step(lambda: "control store made or migrated"):
            make(self, *more)

    _put(PostgresControl, "_make", made)


@contextmanager
def _told(connection: ControlConnection, seen: list[str]) -> Iterator[None]:
    """Have the statements of a transaction told; a file tells them itself."""
    if isinstance(connection, sqlite3.Connection):
        connection.set_trace_callback(seen.append)
        yield
        connection.set_trace_callback(None)
        return
    names = ("execute", "executemany")
    wholes: dict[str, Any] = {name: getattr(connection, name) for name in names}

    def telling(name: str, statement: str, *more: object) -> object:
        seen.append(statement)
        return wholes[name](statement, *more)

    for name in names:
        _put(connection, name, partial(telling, name))
    try:
        yield
    finally:
        for name in names:
            delattr(connection, name)


def _count_warehouse(steps: Steps) -> None:
    connection = duckdb.DuckDBPyConnection
    wholes: dict[str, Any] = {name: getattr(connection, name) for name in ("begin", "commit", "rollback")}
    for name in ("execute", "executemany"):
        _put(connection, name, _counted_statement(steps, getattr(connection, name), execute=connection.execute))

    def begin(self: Any) -> object:  # noqa: ANN401 DuckDB's own
        steps.changed[id(self)] = Counter()
        return wholes["begin"](self)

    def commit(self: Any) -> object:  # noqa: ANN401 as above
        changed = steps.changed.pop(id(self), Counter())
        if not changed:
            return wholes["commit"](self)
        with steps.step(lambda: f"DuckDB commit of {_words(changed)}"):
            return wholes["commit"](self)

    def roll_back(self: Any) -> object:  # noqa: ANN401 as above
        steps.changed.pop(id(self), None)
        return wholes["rollback"](self)

    for name, method in {"begin": begin, "commit": commit, "rollback": roll_back}.items():
        _put(connection, name, method)


def _counted_statement(steps: Steps, whole: Callable[..., object], *, execute: Any) -> Callable[..., object]:  # noqa: ANN401 as above
    """Count a statement that is a transaction of its own, and note what one changes inside of another."""

    def run(self: Any, query: object, *more: object, **named: object) -> object:  # noqa: ANN401 as above
        text = _bare(str(query))
        change = "" if _IDLE.match(text) else change_of(text)
        if text[:5].upper() == "BEGIN":
            steps.changed[id(self)] = Counter()
        if change and id(self) in steps.changed:
            steps.changed[id(self)][change] += 1
        elif change and _is_on_disk(execute, self):
            with steps.step(lambda: f"DuckDB {change}"):
                return whole(self, query, *more, **named)
        return whole(self, query, *more, **named)

    return run


def _is_on_disk(execute: Any, connection: Any) -> bool:  # noqa: ANN401 DuckDB's own
    found = execute(connection.cursor(), "SELECT 1 FROM duckdb_databases() WHERE path IS NOT NULL").fetchone()
    return found is not None


def _count_files(steps: Steps) -> None:
    def counted(owner: object, name: str) -> None:
        whole = getattr(owner, name)

        def done(path: Any, *more: Any, **named: Any) -> object:  # noqa: ANN401 as the functions of os
            places = [Path(os.fspath(one)) for one in (path, *more) if isinstance(one, str | Path)]
            inside = any(place.is_relative_to(steps.stores) for place in places)
            if not inside or any(WORKING in str(place) for place in places):
                return whole(path, *more, **named)
            # A folder that is there already is not made.
            if name == "mkdir" and places[0].exists():
                return whole(path, *more, **named)
            with steps.step(lambda: f"file {name.strip('_')} {' to '.join(map(steps.area, places))}"):
                return whole(path, *more, **named)

        _put(owner, name, done)

    for name in ("replace", "rename", "link", "unlink", "mkdir"):
        counted(os, name)
    counted(swap, "_exchanged")
    counted(shutil, "rmtree")
    counted(shutil, "copyfile")


def change_of(statement: str) -> str:
    """Name what a statement changes; empty where it is a question.

    >>> change_of("INSERT INTO outbox (id) VALUES (1)"), change_of("SELECT 1")
    ('insert outbox', '')
    """
    text = _bare(statement)
    found = _CHANGE.match(text)
    if found is None and text[:4].upper() == "WITH":
        found = _CHANGE.search(text)
    return "" if found is None else f"{found[1].lower()} {found[2]}".replace('"', "").strip()


def _bare(statement: str) -> str:
    return re.sub(r"--[^\n]*|/\*.*?\*/", " ", statement, flags=re.DOTALL).lstrip()


def _words(changed: Counter[str]) -> str:
    changed.pop("", None)
    shown = ", ".join(sorted(changed)[:4])
    return f"{shown} and {len(changed) - 4} more" if len(changed) > 4 else shown
