"""What a batch takes over of the batch before: cursors hold good for the warehouse that they were moved with."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from pipelines.batch.run import run_batch
from pipelines.core.errors import ModelError
from pipelines.core.settings import load_settings
from pipelines.step.counts import Counts
from pipelines.step.step import Job, Step
from pipelines.stores.control import Control
from pipelines.stores.unopened import unopened_step
from pipelines.stores.warehouse import open_warehouse, take_over
from tests.cli.springline import NOWHERE

if TYPE_CHECKING:
    from pipelines.step.context import Context


def begin(folder: Path, batch_id: str) -> int:
    """Begin a batch that reads something, and give how many cursors it found."""
    warehouse, control = open_warehouse(folder / "springline.duckdb"), Control(folder / "springline.ctl.sqlite")
    take_over(warehouse, control, batch_id=batch_id)
    found = int(control.one("SELECT count(*) FROM cursors"))
    with control.write() as store:
        store.execute("INSERT OR REPLACE INTO cursors VALUES ('vms.partners', ?, ?, ?)", (batch_id,) * 3)
    warehouse.close()
    control.close()
    return found


def test_cursors_stay_from_batch_to_batch(tmp_path: Path) -> None:
    assert [begin(tmp_path, batch) for batch in ("b1", "b2", "b3")] == [0, 1, 1]


def test_a_warehouse_that_was_deleted_is_read_anew(tmp_path: Path) -> None:
    begin(tmp_path, "b1")
    (tmp_path / "springline.duckdb").unlink()
    assert [begin(tmp_path, batch) for batch in ("b2", "b3")] == [0, 1]


def test_a_warehouse_put_back_from_a_copy_is_read_anew(tmp_path: Path) -> None:
    begin(tmp_path, "b1")
    shutil.copy(tmp_path / "springline.duckdb", tmp_path / "copy.duckdb")
    begin(tmp_path, "b2")
    shutil.move(tmp_path / "copy.duckdb", tmp_path / "springline.duckdb")
    assert [begin(tmp_path, batch) for batch in ("b3", "b4")] == [0, 1]


@pytest.mark.parametrize("store", ["warehouse", "control"])
def test_a_batch_killed_between_the_two_stores_is_no_harm(tmp_path: Path, store: str) -> None:
    begin(tmp_path, "b1")
    if store == "warehouse":
        warehouse = open_warehouse(tmp_path / "springline.duckdb")
        warehouse.execute("UPDATE ctl.last_batch SET batch_id = 'b2'")
        warehouse.close()
    else:
        with closing(Control(tmp_path / "springline.ctl.sqlite")) as control:
            control.keep_mark("warehouse.last_batch", "b2")
    assert [begin(tmp_path, batch) for batch in ("b3", "b4")] == [0, 1]


def cut(file: Path) -> None:
    with file.open("r+b") as warehouse:
        warehouse.truncate(file.stat().st_size // 3)


def of_a_newer_format(file: Path) -> None:
    body = bytearray(file.read_bytes())
    body[12:20] = (999).to_bytes(8, "little")
    file.write_bytes(body)


SPOILED: dict[str, Callable[[Path], object]] = {
    "cut": cut,
    "emptied": lambda file: file.write_bytes(b""),
    "garbage": lambda file: file.write_text("no database " * 1000),
    "garbage behind the head": lambda file: file.write_bytes(file.read_bytes()[:4096] + b"x" * 90_000),
    "newer": of_a_newer_format,
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_damaged_warehouse_is_set_aside_and_read_anew(tmp_path: Path, how: str) -> None:
    told: list[str] = []
    begin(tmp_path, "b1")
    file = tmp_path / "springline.duckdb"
    for batch in ("b2", "b3"):
        SPOILED[how](file)
        spoiled = file.read_bytes()
        open_warehouse(file, tell=told.append).close()
        assert begin(tmp_path, batch) == 0
        # One is kept, whatever happens how often.
        assert (tmp_path / "springline.duckdb.spoiled").read_bytes() == spoiled
    assert len(told) == 2
    assert told[0].startswith(f"The warehouse {file} was damaged: it is kept as springline.duckdb.spoiled, and all of ")
    assert len(list(tmp_path.glob("*.spoiled*"))) == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ctl.layout SET number = 2",
        "DROP TABLE ctl.layout; CREATE TABLE ctl.layout (release VARCHAR, number INTEGER)",
        "DELETE FROM ctl.layout",
        "ALTER TABLE ctl.contents ADD COLUMN rows BIGINT",
        "ALTER TABLE ctl.last_batch RENAME COLUMN batch_id TO id",
    ],
)
def test_a_warehouse_of_another_release_is_set_aside_and_read_anew(tmp_path: Path, change: str) -> None:
    told: list[str] = []
    begin(tmp_path, "b1")
    file = tmp_path / "springline.duckdb"
    with closing(duckdb.connect(str(file))) as warehouse:
        warehouse.execute("CREATE TABLE IF NOT EXISTS ctl.contents (table_name VARCHAR, digest VARCHAR)")
        warehouse.execute(change)
    open_warehouse(file, tell=told.append).close()
    kept = "it is kept as springline.duckdb.spoiled, and all of it is read again."
    assert told == [f"The warehouse {file} is of another release: {kept}"]
    assert begin(tmp_path, "b2") == 0


def test_a_warehouse_of_an_earlier_release_without_a_number_goes_on(tmp_path: Path) -> None:
    told: list[str] = []
    begin(tmp_path, "b1")
    with closing(duckdb.connect(str(tmp_path / "springline.duckdb"))) as warehouse:
        warehouse.execute("DROP TABLE ctl.layout")
    open_warehouse(tmp_path / "springline.duckdb", tell=told.append).close()
    assert (told, begin(tmp_path, "b2")) == ([], 1)


def test_another_programs_database_is_never_moved(tmp_path: Path) -> None:
    with closing(Control(tmp_path / "springline.duckdb")):
        pass
    with pytest.raises(ModelError, match="cannot be opened"):
        open_warehouse(tmp_path / "springline.duckdb")
    assert (tmp_path / "springline.duckdb").read_bytes().startswith(b"SQLite format 3")


def test_a_file_that_cannot_be_used_stays_where_it_is(tmp_path: Path) -> None:
    # Nobody can write there, whoever runs the test; below a file there is no folder.
    (tmp_path / "file").touch()
    for place in (Path("/proc/springline.duckdb"), tmp_path / "file" / "springline.duckdb"):
        with pytest.raises(ModelError, match="leave the file where it is"):
            open_warehouse(place)


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        ('IO Error: Cannot open file "w.duckdb": Read-only file system', "leave the file where it is"),
        ('IO Error: Cannot open file "w.duckdb": Permission denied', "leave the file where it is"),
        ('IO Error: Could not write file "w.duckdb": No space left on device', "leave the file where it is"),
        ('IO Error: Could not set lock on file "w.duckdb": Conflicting lock is held', "another program has it open"),
        ('IO Error: The file "w.duckdb" exists, but it is not a valid DuckDB database file!', "move the file away; x."),
    ],
)
def test_the_step_follows_from_what_is_wrong_with_a_file(fault: str, step: str) -> None:
    assert unopened_step(duckdb.IOException(fault), anew="x").startswith(step)


def test_damage_met_in_the_middle_is_set_aside_for_the_next_batch(tmp_path: Path) -> None:
    environ = {**NOWHERE, "SPRINGLINE_WAREHOUSE": str(tmp_path / "springline.duckdb")}
    settings = load_settings(None, environ=environ | {"SPRINGLINE_PUBLISHED": str(tmp_path / "published")})

    def meets(_ctx: Context) -> Counts:
        raise duckdb.IOException("IO Error: Corrupt database file: computed checksum 1 does not match 2")

    job = Job("documents", (Step("read", meets),))
    result = run_batch(settings, jobs=[job], operator="kari", now=lambda: datetime(2026, 11, 2, 8, tzinfo=UTC))
    assert (result.exit_code, "is damaged" in result.problems[0]) == (12, True)
    assert (tmp_path / "springline.duckdb.spoiled").exists()
    assert not (tmp_path / "springline.duckdb").exists()
    # The control store knows of that batch, so that the next one begins.
    fine = Job("documents", (Step("read", lambda _ctx: Counts()),))
    result = run_batch(settings, jobs=[fine], operator="kari", now=lambda: datetime(2026, 11, 2, 9, tzinfo=UTC))
    assert result.exit_code == 0
