"""A control store is moved whole, its old place refuses everybody, and a kill in between loses neither."""

# ruff: noqa: S608 - our own names

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from pipelines.core.control_place import Place
from pipelines.core.disk import disk_fault
from pipelines.core.errors import BusyError, SettingsError, UsageError
from pipelines.core.settings import Settings
from pipelines.outbox.chain import verify_chain
from pipelines.outbox.entry import Move
from pipelines.outbox.states import State
from pipelines.recovery import moving
from pipelines.recovery.moving import move_control, name_of
from pipelines.recovery.rebuild import run_rebuild, run_restore
from pipelines.stores.backup import back_up
from pipelines.stores.control import Control
from pipelines.stores.control_schema import control_tables
from pipelines.stores.copied_tables import copy_tables
from pipelines.stores.lost import open_control
from pipelines.stores.opening import open_for_question, open_store
from pipelines.stores.versions import MADE_FROM
from tests.support.control_stores import FILLED, KINDS, free_of_triggers, new_place
from tests.support.delivery_world import World, make_settings, voucher

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)


@pytest.fixture(params=KINDS)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Give a store in which much has happened."""
    place = new_place(request.param, tmp_path)
    world = World(place)
    with closing(world.control):
        world.outbox().store_intents([voucher(key) for key in range(1, 4)])
        world.outbox().begin([voucher(1).id])
        world.outbox().apply([Move(voucher(1).id, State.SENT, "Ærlig 'talt' %s :x ?")])
        with world.control.write() as connection:
            for table, row in FILLED.items():
                if not table.startswith("outbox"):
                    places = ", ".join("?" * len(row))
                    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", [*row.values()])
    return place


def target_of(source: Place, folder: Path) -> Place:
    """Give an empty place of the other kind."""
    return new_place("postgres" if isinstance(source, Path) else "sqlite", folder)


def settings_of(place: Place, folder: Path) -> Settings:
    return make_settings(control=place, warehouse=folder / "w.duckdb", published=folder / "published")


def content(place: Place) -> dict[str, Sequence[tuple[object, ...]]]:
    """Read every table, each row with its type, in the order of writing."""
    with closing(open_store(place, for_reading=True, is_moving=True)) as control:
        return {
            table: [
                tuple(row) for row in control.read(f"SELECT {', '.join(declared.types)} FROM {table} ORDER BY rowid")
            ]
            for table, declared in control_tables().items()
        }


def test_there_and_back_it_is_the_same(tmp_path: Path, source: Place) -> None:
    before, between = content(source), target_of(source, tmp_path)
    moved = move_control(settings_of(source, tmp_path), between)
    assert (moved.event_no, moved.rows["outbox"], moved.target) == (5, 3, name_of(between))
    assert content(between) == before
    back = new_place("sqlite" if isinstance(source, Path) else "postgres", tmp_path)
    move_control(settings_of(between, tmp_path), back)
    assert content(back) == before
    with closing(open_store(back)) as control:
        assert verify_chain(control) == []
        # Numbers are counted on where they stood.
        with control.write() as connection:
            connection.execute(
                "INSERT INTO breaks (kind, subject, message, next_step, figures_hash, since, batch_id) "
                "VALUES ('k', 's', '', '', '', '', 'b')"
            )
        assert control.one("SELECT max(break_id) FROM breaks") == 2


DOORS: dict[str, Callable[[Settings, Path], object]] = {
    "a batch": lambda settings, _: open_store(settings.control_place),
    "a command": lambda settings, _: open_control(settings),
    "a reader": lambda settings, _: open_control(settings, for_reading=True),
    "check": lambda settings, _: open_for_question(settings.control_place),
    "backup": lambda settings, folder: back_up(settings.control_place, folder / "backup"),
    "a copy of it": lambda settings, folder: move_control(settings, folder / "elsewhere.sqlite"),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_moved_store_says_where_it_is(tmp_path: Path, source: Place, door: str) -> None:
    settings, target = settings_of(source, tmp_path), target_of(source, tmp_path)
    move_control(settings, target)
    with pytest.raises(SettingsError, match="was moved to") as caught:
        DOORS[door](settings, tmp_path)
    assert caught.value.next_step == f'set control = "{name_of(target)}" in the settings.'
    # Earlier releases know the number alone, and refuse it as one of a newer release.
    if isinstance(source, Path):
        with closing(sqlite3.connect(source)) as file:
            assert file.execute("PRAGMA user_version").fetchone()[0] > 1_000_000


def test_nothing_is_put_in_the_place_of_a_moved_store(tmp_path: Path) -> None:
    source, copy = tmp_path / "old.ctl.sqlite", tmp_path / "copy"
    open_store(source).close()
    back_up(source, copy)
    settings = settings_of(source, tmp_path)
    with closing(open_store(source)) as control:
        control.keep_mark("a", "1")
    move_control(settings, tmp_path / "new.ctl.sqlite")
    with pytest.raises(SettingsError, match="was moved to"):
        run_restore(settings, copy, operator="o", now=lambda: NOW)
    with pytest.raises(SettingsError, match="was moved to"):
        run_rebuild(settings, operator="o", now=lambda: NOW)


def test_who_has_it_open_writes_no_more(tmp_path: Path, source: Place) -> None:
    with closing(open_store(source)) as open_before:
        move_control(settings_of(source, tmp_path), target_of(source, tmp_path))
        with pytest.raises((sqlite3.IntegrityError, SettingsError), match="was moved to") as caught:
            open_before.keep_mark("a", "1")
        told = disk_fault(caught.value) or caught.value
        assert isinstance(told, SettingsError)
        assert "set control" in told.next_step


def test_a_place_that_holds_anything_is_left_alone(tmp_path: Path, source: Place) -> None:
    settings, target = settings_of(source, tmp_path), target_of(source, tmp_path)
    with closing(open_store(target)) as other:
        other.keep_mark("a", "1")
    with pytest.raises(UsageError, match="holds a control store already"):
        move_control(settings, target)
    with closing(open_store(target)) as other, closing(open_store(source)):
        assert other.mark("a") == "1"
    with pytest.raises(UsageError, match="is the control store itself"):
        move_control(settings, source)


def test_a_batch_at_work_keeps_it_where_it_is(tmp_path: Path, source: Place) -> None:
    settings = settings_of(source, tmp_path)
    with closing(open_store(source)) as batch, duckdb.connect(str(settings.warehouse_path)):
        batch.hold_batch()
        # The warehouse's lock is one of processes: here it is that of the store that speaks, where it has one.
        if not isinstance(source, Path):
            with pytest.raises(BusyError, match="Another batch"):
                move_control(settings, target_of(source, tmp_path))


def test_a_store_that_is_not_whole_is_not_moved(tmp_path: Path, source: Place) -> None:
    with closing(open_store(source)) as control, control.write() as connection:
        free_of_triggers(connection, "outbox_events")
        connection.execute("DELETE FROM outbox_events WHERE event_no = 5")
    with pytest.raises(SettingsError, match="is not whole: event 5"):
        move_control(settings_of(source, tmp_path), target_of(source, tmp_path))
    open_store(source).close()


class Kill(BaseException):
    """The process is killed here."""


def killed(*_: object, **__: object) -> None:
    raise Kill


@pytest.mark.parametrize("moment", ["copy_tables", "_compare", "_finished"])
def test_killed_in_between_one_of_both_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: Place, moment: str
) -> None:
    settings, target, before = settings_of(source, tmp_path), target_of(source, tmp_path), content(source)
    with monkeypatch.context() as dying:
        dying.setattr(moving, moment, killed)
        with pytest.raises(Kill):
            move_control(settings, target)
    if moment == "_finished":
        with pytest.raises(SettingsError, match="is being copied from"):
            open_store(target)
        move_control(settings, target)
        assert content(target) == before
        # Once more it is done already.
        assert move_control(settings, target).event_no == 5
        return
    # The old one is as it was, and goes on.
    open_store(source).close()
    assert content(source) == before
    if moment == "copy_tables":
        move_control(settings, target)
        assert content(target) == before
        return
    with pytest.raises(SettingsError, match="is being copied from"):
        open_store(target)
    with pytest.raises(UsageError, match="or a copy that was stopped"):
        move_control(settings, target)


def test_a_copy_that_differs_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: Place) -> None:
    def all_but_holds(old: Control, connection: object) -> None:
        copy(old, connection)  # type: ignore[arg-type]
        connection.execute("UPDATE outbox SET payload = '2'")  # type: ignore[attr-defined]

    copy = copy_tables
    monkeypatch.setattr(moving, "copy_tables", all_but_holds)
    with pytest.raises(SettingsError, match="differs in its chain of events"):
        move_control(settings_of(source, tmp_path), target_of(source, tmp_path))
    with closing(open_store(source)) as control:
        assert control.mark(MADE_FROM) is None
