"""What a watch shares with other programs: locks, its own row, and the runs it is asked for."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.core.errors import BusyError, SettingsError, UsageError
from pipelines.core.settings import Settings
from pipelines.stores.control import Control
from pipelines.watch import locks
from pipelines.watch.orders import TURN, as_problem, carry_out_beside, find_watch, from_problem, in_turn
from pipelines.watch.state import WatchState

if TYPE_CHECKING:
    from pytest import MonkeyPatch  # noqa: PT013 for its type alone

NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    given = {"vms": {"base_url": "http://vms"}, "ledger": {"token": "x"}, "warehouse": tmp_path / "springline.duckdb"}
    return Settings.model_validate(given)


def begin(settings: Settings, **row: object) -> WatchState:
    """Write a watch down; ``row`` changes what it says of itself."""
    state = WatchState.begin(Control(settings.control_path), operator="schedule", now=NOW)
    with state.control.write() as connection:
        for name, value in row.items():
            connection.execute(f"UPDATE watches SET {name} = ?", (value,))  # noqa: S608 our words
    return state


def test_a_disk_of_this_machine_locks(tmp_path: Path) -> None:
    locks.check_locks(tmp_path / "stores" / "springline.ctl.sqlite")
    assert [*(tmp_path / "stores").iterdir()] == []


def everybody_has_the_lock(_handle: int, _command: int, _lock: bytes) -> None:
    """Lock as a share does that keeps nobody out."""


def nobody_has_the_lock(_handle: int, _command: int, _lock: bytes) -> None:
    raise OSError(errno.ENOLCK, "No locks available")


@pytest.mark.parametrize("share", [everybody_has_the_lock, nobody_has_the_lock])
def test_a_share_that_does_not_lock_is_refused(
    tmp_path: Path, monkeypatch: MonkeyPatch, share: Callable[[int, int, bytes], None]
) -> None:
    monkeypatch.setattr("fcntl.fcntl", share)
    with pytest.raises(SettingsError, match=r"springline\.ctl\.sqlite lies where files do not lock") as refused:
        locks.check_locks(tmp_path / "springline.ctl.sqlite")
    assert "setting `control`" in refused.value.next_step


def test_a_second_watch_is_refused_and_names_the_first(settings: Settings) -> None:
    first = begin(settings)
    with closing(first.control), pytest.raises(BusyError, match=f"process {os.getpid()} on "):
        begin(settings)


@pytest.mark.parametrize(
    ("row", "later"),
    [({"ended_at": "2026-11-29"}, 0), ({"pid": 2**22 + 1}, 0), ({}, 61), ({}, -61), ({"host": "another"}, 61)],
    ids=["ended", "killed", "silent", "silent since a clock was set back", "silent on another machine"],
)
def test_a_watch_that_is_gone_is_in_nobodys_way(settings: Settings, row: dict[str, object], later: int) -> None:
    begin(settings, **row).control.close()
    assert find_watch(settings, now=NOW + timedelta(seconds=later)) is None


def test_a_watch_on_another_machine_counts_while_it_says_so(settings: Settings) -> None:
    begin(settings, host="another", pid=2**22 + 1).control.close()
    found = find_watch(settings, now=NOW + timedelta(seconds=59))
    assert found
    assert found.host == "another"


def test_without_a_watch_nothing_is_ordered(settings: Settings) -> None:
    assert order(settings) is None
    assert not settings.control_path.exists()


def order(settings: Settings, *, at: Callable[[], datetime] = lambda: NOW) -> object:
    return carry_out_beside(
        settings, jobs=["documents"], operator="kari", today=None, now=at, begin=lambda *_: None, tell=lambda _: None
    )


def test_an_order_of_a_watch_that_dies_ends_with_17(settings: Settings) -> None:
    begin(settings).control.close()
    times = iter([NOW, NOW])
    with pytest.raises(BusyError, match="has ended before it"):
        order(settings, at=lambda: next(times, NOW + timedelta(minutes=2)))
    with closing(Control(settings.control_path)) as control:
        # The next watch must not carry out what nobody waits for.
        assert control.one("SELECT ended_at FROM orders")


def test_a_problem_comes_back_as_it_was() -> None:
    told = from_problem(as_problem(UsageError("No job x.", next_step="choose one.")))
    assert (type(told), str(told), told.exit_code) == (UsageError, "No job x. Next: choose one.", 2)


def test_without_a_watch_a_held_warehouse_is_told_at_once(settings: Settings) -> None:
    def held() -> None:
        raise BusyError("Another batch holds the warehouse.")

    with pytest.raises(BusyError):
        in_turn(settings, held, now=lambda: NOW, tell=pytest.fail)


def test_beside_a_watch_a_held_warehouse_is_waited_for(settings: Settings) -> None:
    begin(settings).control.close()
    told: list[str] = []
    tries = iter([True, True, False])

    def work() -> str:
        if next(tries):
            raise BusyError("Another batch holds the warehouse.")
        return "done"

    assert in_turn(settings, work, now=lambda: NOW, tell=told.append) == "done"
    with closing(Control(settings.control_path)) as control:
        # By this the watch leaves it after the batch at work.
        assert control.mark(TURN)
    assert told == ["Another program holds the warehouse. Waiting for its turn, for up to 30 minutes."]
