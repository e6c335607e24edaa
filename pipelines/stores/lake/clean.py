"""Forgets earlier batches in an attached lake: their snapshots, and the files in which deleted rows still stand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.core.literals import literal
from pipelines.stores.lake.attach import LAKE

if TYPE_CHECKING:
    import duckdb


def clean_lake(connection: duckdb.DuckDBPyConnection, *, now: datetime, keep: timedelta) -> None:
    """Delete the files of snapshots older than ``keep``, and what a killed write left; small files become one.

    A file of which rows were deleted is written anew first: a bank account that was changed is in no file any more once
    the snapshots that had it are gone. ``now`` is an aware time.
    """
    before = f"CAST({literal((now - keep).astimezone(UTC).replace(tzinfo=None))} AS TIMESTAMP) AT TIME ZONE 'UTC'"
    connection.execute(f"CALL ducklake_rewrite_data_files('{LAKE}', delete_threshold => 0.0)")
    connection.execute(f"CALL ducklake_merge_adjacent_files('{LAKE}')")
    connection.execute(f"CALL ducklake_expire_snapshots('{LAKE}', older_than => {before})")
    connection.execute(f"CALL ducklake_cleanup_old_files('{LAKE}', cleanup_all => true)")
    connection.execute(f"CALL ducklake_delete_orphaned_files('{LAKE}', older_than => {before})")
