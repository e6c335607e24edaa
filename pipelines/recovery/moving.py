"""Moves the control store from a file to PostgreSQL, from there back, or on; the old one is marked and refuses all.

The new one says that it is being made until the old one is marked, so that at no moment both can be gone on with.
Killed in between, the same command goes on from there.
"""

# ruff: noqa: S608 - statements are made of our own names, never of data

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.core.disk import MOVED_WORDS
from pipelines.core.errors import SettingsError, UsageError
from pipelines.outbox.chain import verify_chain
from pipelines.stores.control_schema import control_tables
from pipelines.stores.copied_tables import copy_tables
from pipelines.stores.lost import refuse_lost_control
from pipelines.stores.opening import open_store
from pipelines.stores.versions import BEING_MADE, MADE_FROM, MOVED, MOVED_TO
from pipelines.stores.warehouse import open_warehouse

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.core.control_place import Place
    from pipelines.core.settings import Settings
    from pipelines.stores.control import Control


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved: from where to where, the rows by table, and the last event of the outbox with its hash."""

    source: str
    target: str
    rows: Mapping[str, int]
    event_no: int
    event_hash: str | None

    @property
    def next_step(self) -> str:
        """Say how everybody goes on with the new one."""
        return f'set control = "{self.target}" in the settings of every machine that works on it.'

    def as_dict(self) -> dict[str, object]:
        """Return the object that `--json` prints."""
        return asdict(self) | {"next_step": self.next_step}


def move_control(settings: Settings, target: Place) -> Moved:
    """Copy the control store that the settings name to an empty place, compare both, and mark the old one as moved.

    Raises UsageError when the place is the same or is not empty, SettingsError when the store is lost, damaged or was
    moved elsewhere, BusyError while a batch is at work.
    """
    source = settings.control_place
    if name_of(source) == name_of(target):
        raise UsageError(f"{target} is the control store itself.", next_step="name another place.")
    refuse_lost_control(settings)
    if isinstance(source, Path) and not source.exists():
        message = f"There is no control store {source}."
        raise SettingsError(message, next_step=f'set control = "{target}"; the first `springline run` makes it there.')
    with ExitStack() as stack:
        # Its lock keeps out a batch of this folder, and that of the store a batch of any other.
        if settings.warehouse_path.exists():
            stack.enter_context(closing(open_warehouse(settings.warehouse_path)))
        old = stack.enter_context(closing(open_store(source, is_moving=True)))
        old.hold_batch()
        is_marked = old.version() >= MOVED
        if is_marked and old.mark(MOVED_TO) != name_of(target):
            # Opened as anybody opens it, it says where it is.
            open_store(source).close()
        new = stack.enter_context(closing(open_store(target, is_moving=True)))
        if not is_marked:
            _copy(old, new, source, target)
        return _finished(new, source, target)


def name_of(place: Place) -> str:
    """Return how a place is named in the mark of another: the whole path of a file, an address without its password."""
    return str(place.absolute() if isinstance(place, Path) else place)


def _copy(old: Control, new: Control, source: Place, target: Place) -> None:
    if new.version() >= MOVED or any(_counts(new).values()):
        raise UsageError(
            f"{target} holds a control store already, or a copy that was stopped in between.",
            next_step="name an empty place; or, when you are sure that nobody needs what is there, remove it first.",
        )
    # Held from the first row that is read until the old one is marked: nobody writes into it in between.
    with old.write() as reading:
        if faults := verify_chain(old):
            raise SettingsError(
                f"The control store {source} is not whole: {faults[0].subject} {faults[0].message}. Nothing was moved.",
                next_step="`springline verify` lists all that is wrong with it; put back a sound copy first.",
            )
        with new.write() as connection:
            copy_tables(old, connection)
            new.keep_mark(MADE_FROM, name_of(source), within=connection)
            new.set_version(new.version() + BEING_MADE, within=connection)
        _compare(old, new, target)
        old.keep_mark(MOVED_TO, name_of(target), within=reading)
        old.set_version(old.version() + MOVED, within=reading)
        old.refuse_writes(MOVED_WORDS + name_of(target), within=reading)


def _compare(old: Control, new: Control, target: Place) -> None:
    """Raise SettingsError unless both have as many rows in each table, and the same chain of events."""
    before, after = _counts(old), _counts(new)
    # The mark of where it is made from.
    after["meta"] -= 1
    differing = [table for table, count in before.items() if after[table] != count]
    if differing or verify_chain(new) or _last_event(old) != _last_event(new):
        what = f"in {', '.join(differing)}" if differing else "in its chain of events"
        message = f"The copy {target} differs {what}. Nothing was moved, and the copy is used by nobody."
        raise SettingsError(message, next_step="remove the copy, and do it again.")


def _finished(new: Control, source: Place, target: Place) -> Moved:
    # Killed before, it is asked for once more: then it may be done already.
    if new.version() >= BEING_MADE:
        with new.write() as connection:
            connection.execute("DELETE FROM meta WHERE name = ?", (MADE_FROM,))
            new.set_version(new.version() - BEING_MADE, within=connection)
    number, event_hash = _last_event(new)
    return Moved(name_of(source), name_of(target), _counts(new), number, event_hash)


def _counts(control: Control) -> dict[str, int]:
    return {table: int(control.one(f"SELECT COUNT(*) FROM {table}")) for table in control_tables()}


def _last_event(control: Control) -> tuple[int, str | None]:
    rows = control.read("SELECT event_no, hash FROM outbox_events ORDER BY event_no DESC LIMIT 1")
    return (rows[0]["event_no"], rows[0]["hash"]) if rows else (0, None)


def show_moved(moved: Moved, console: Console) -> None:
    """Print what was moved, and what to do now."""
    chain = f"the chain of {moved.event_no:,} events is whole" if moved.event_no else "nothing was sent yet"
    for line in (
        f"Copied the control store {moved.source} to {moved.target}: {sum(moved.rows.values()):,} rows in "
        f"{len(moved.rows)} tables, counted on both sides; {chain}.",
        f"{moved.source} is marked as moved: no command goes on with it.",
        f"Next: {moved.next_step}",
    ):
        console.print(line, markup=False, highlight=False)
