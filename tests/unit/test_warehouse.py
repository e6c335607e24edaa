"""What a batch takes over of the batch before: cursors hold good for the warehouse that they were moved with."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from pipelines.core.errors import ModelError
from pipelines.stores.control import Control
from pipelines.stores.unopened import unopened_step
from pipelines.stores.warehouse import open_warehouse, take_over


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


def test_a_batch_killed_between_the_two_stores_is_no_harm(tmp_path: Path) -> None:
    begin(tmp_path, "b1")
    warehouse = open_warehouse(tmp_path / "springline.duckdb")
    warehouse.execute("UPDATE ctl.last_batch SET batch_id = 'b2'")
    warehouse.close()
    assert [begin(tmp_path, batch) for batch in ("b3", "b4")] == [0, 1]


def test_only_a_file_that_is_no_database_is_moved_away(tmp_path: Path) -> None:
    (tmp_path / "springline.duckdb").write_text("no database " * 1000)
    with pytest.raises(ModelError, match="move the file away; the next run rebuilds it"):
        open_warehouse(tmp_path / "springline.duckdb")
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
