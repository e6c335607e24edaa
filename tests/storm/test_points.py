"""A step is counted once, whatever it is made of; a kill before it leaves nothing of it, and one behind it all."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import pytest

from pipelines.core.control_place import Place
from pipelines.stores.opening import open_store
from pipelines.stores.warehouse import transaction
from tests.storm.forks import Kill, in_child
from tests.support.control_stores import KINDS, new_place

# In the order of the work below: the store itself, a write, a table, two of them together, and a move.
STEPS = (
    "control store made or migrated",
    "control store insert meta",
    "DuckDB create alone",
    "DuckDB commit of create one, create other",
    "file replace made to placed",
)


def _work(folder: Path, place: Place) -> None:
    control = open_store(place)
    control.keep_mark("written", "yes")
    # As a batch does: else a child that ends would leave a connection that nobody has closed.
    control.close()
    with duckdb.connect(str(folder / "warehouse.duckdb")) as warehouse:
        warehouse.execute("CREATE TEMP TABLE passing (n INTEGER)")
        warehouse.execute("CREATE TABLE alone (n INTEGER)")
        with transaction(warehouse):
            warehouse.execute("CREATE TABLE one (n INTEGER)")
            warehouse.execute("CREATE TABLE other (n INTEGER)")
        (folder / "made").touch()
        os.replace(folder / "made", folder / "placed")  # noqa: PTH105 as the product does it


def _is_written(_folder: Path, place: Place) -> bool:
    control = open_store(place)
    written = control.mark("written") == "yes"
    control.close()
    return written


def _has(*tables: str) -> Callable[[Path, Place], bool]:
    def look(folder: Path, _place: Place) -> bool:
        with duckdb.connect(str(folder / "warehouse.duckdb")) as warehouse:
            return {*tables} <= {name for name, *_ in warehouse.execute("SHOW TABLES").fetchall()}

    return look


# Of all but the first.
LOOKS: tuple[Callable[[Path, Place], bool], ...] = (
    _is_written,
    _has("alone"),
    _has("one", "other"),
    lambda folder, _place: (folder / "placed").exists(),
)


@pytest.mark.parametrize("kind", KINDS)
def test_each_step_has_its_name(tmp_path: Path, kind: str) -> None:
    names = tmp_path / "names"
    work = partial(_work, tmp_path, new_place(kind, tmp_path))
    done = in_child(work, kill=Kill("step", 0, is_after=False, stores=tmp_path, names=names))
    assert done.traceback == ""
    assert names.read_text("utf-8").splitlines() == [f"start\t{name}" for name in STEPS]


@pytest.mark.parametrize("number", range(2, len(STEPS) + 1))
@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_leaves_all_of_a_step_or_nothing(tmp_path: Path, number: int, kind: str) -> None:
    for is_after in (False, True):
        folder = tmp_path / str(is_after)
        folder.mkdir()
        place = new_place(kind, folder)
        killed = in_child(partial(_work, folder, place), kill=Kill("step", number, is_after=is_after, stores=folder))
        assert killed.was_killed
        assert LOOKS[number - 2](folder, place) is is_after


def _remove_nothing(folder: Path) -> None:
    (folder / "never made").unlink(missing_ok=True)


def test_a_kill_behind_a_step_that_failed_is_one_too(tmp_path: Path) -> None:
    killed = in_child(partial(_remove_nothing, tmp_path), kill=Kill("step", 1, is_after=True, stores=tmp_path))
    assert killed.was_killed
