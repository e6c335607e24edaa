"""Opens the control store, whichever the settings name: a file, or a schema of PostgreSQL."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pipelines.core.control_place import Place, PostgresSchema
from pipelines.core.errors import SettingsError
from pipelines.stores.control import Control
from pipelines.stores.copies import is_busy


def open_store(
    place: Place, *, for_reading: bool = False, busy_seconds: float | None = None, is_moving: bool = False
) -> Control:
    """Open the control store of a place, making it when it is not there; ``for_reading`` it is empty then.

    A write waits for others ``busy_seconds`` at most. Raises SettingsError for a store of a newer release, for one that
    was moved (unless ``is_moving``), and for a place that cannot be used.
    """
    if isinstance(place, PostgresSchema):
        return _open_postgres(place, for_reading=for_reading, busy_seconds=busy_seconds, is_moving=is_moving)
    return Control(place, for_reading=for_reading, busy_seconds=busy_seconds, is_moving=is_moving)


def open_for_question(place: Place) -> Control:
    """Open a store to read it and to count requests in it; where it cannot be written, to read it alone."""
    try:
        return open_store(place)
    except (sqlite3.OperationalError, OSError) as error:
        # Who reads alone would wait as long once more.
        if is_busy(error):
            raise
        return open_store(place, for_reading=True)


def _open_postgres(place: PostgresSchema, *, for_reading: bool, busy_seconds: float | None, is_moving: bool) -> Control:
    try:
        from pipelines.stores.postgres.control import NoStoreError, PostgresControl  # noqa: PLC0415 only when asked for
    except ImportError as error:
        raise SettingsError(
            f"The control store {place} is in PostgreSQL, and the package that speaks to it is missing: {error}.",
            next_step="`pip install 'springline[postgres]'`, or name a file in the setting `control`.",
        ) from error
    try:
        return PostgresControl(place, for_reading=for_reading, busy_seconds=busy_seconds, is_moving=is_moving)
    except NoStoreError:
        # In memory, as a file that is not there is read.
        return Control(Path(str(place)), for_reading=True)
