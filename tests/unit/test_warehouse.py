"""What a batch takes over of the batch before: cursors hold good for the warehouse that they were moved with."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from pipelines.stores.control import Control
from pipelines.stores.warehouse import open_warehouse, take_over

if TYPE_CHECKING:
    from pathlib import Path


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
