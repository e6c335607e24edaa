"""Tells a control store that is lost: missing or empty beside a warehouse or a published file that has seen batches.

A new one in its place would know nothing of what was sent and decided, and what a person holds would go out.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pipelines.core.control_place import Place, PostgresSchema
from pipelines.core.errors import BusyError, SettingsError
from pipelines.stores.control import Control
from pipelines.stores.copies import open_for_reading
from pipelines.stores.opening import open_store

if TYPE_CHECKING:
    import duckdb

    from pipelines.core.settings import Settings

# As pipelines/stores/open_tables.py names it; not imported, or every command would load DuckDB for a word.
PUBLISHED_FILE = "springline.duckdb"
# What is left of a warehouse that could not be read (pipelines/stores/spoiled.py) has seen batches too.
SPOILED = ".spoiled"
BRING_BACK = (
    "`springline restore BACKUP` puts a copy in its place, `springline rebuild` makes one from both systems; either "
    "sends nothing twice. Only to begin anew on purpose, move the warehouse and the published files away as well."
)
BRING_BACK_SCHEMA = (
    "name the schema that has it in the setting `control`, or put it back from a dump (`pg_restore`). Without one, "
    "name a file in `control`, do `springline restore BACKUP` or `springline rebuild` there, and bring it here with "
    "`springline control copy ADDRESS`; either sends nothing twice. Only to begin anew on purpose, move the warehouse "
    "and the published files away."
)
# The mark of the warehouse is kept before the batch is recorded: a batch killed in between is one too.
_HAS_HISTORY = "SELECT EXISTS (SELECT 1 FROM batches) OR EXISTS (SELECT 1 FROM meta)"


def open_control(settings: Settings, *, for_reading: bool = False, busy_seconds: float | None = None) -> Control:
    """Open the control store that the settings name; the first time, in a place without history, it is made.

    The door of everybody who is no batch: `Control` itself begins an empty store in the place of a lost one.

    Raises SettingsError when the store is lost, BusyError when a batch holds the warehouse that would tell.
    """
    place = settings.control_place
    if for_reading and isinstance(place, PostgresSchema):
        return _open_to_read(settings, place)
    refuse_lost_control(settings)
    return open_store(place, for_reading=for_reading, busy_seconds=busy_seconds)


def refuse_lost_control(settings: Settings, *, warehouse: duckdb.DuckDBPyConnection | None = None) -> None:
    """Raise SettingsError when the control store has no batch and something beside it has seen one.

    ``warehouse`` is the open one of a batch, which cannot be opened again meanwhile.
    """
    if not _has_history(settings.control_place):
        _refuse_witnessed(settings, warehouse)


def _open_to_read(settings: Settings, place: PostgresSchema) -> Control:
    # Read alone, nothing is made: one connection does for both, and to make one takes longer than to ask.
    opened = open_store(place, for_reading=True)
    try:
        if not opened.one(_HAS_HISTORY):
            _refuse_witnessed(settings, None)
    except BaseException:
        opened.close()
        raise
    return opened


def _refuse_witnessed(settings: Settings, warehouse: duckdb.DuckDBPyConnection | None) -> None:
    control = settings.control_place
    witness = _witness(settings, warehouse)
    if witness is None:
        return
    raise _lost(control, witness)


def refuse_empty_control(settings: Settings, witness: str) -> NoReturn:
    """Raise SettingsError: the control store has no batch, and ``witness`` has seen one."""
    raise _lost(settings.control_place, witness)


def _lost(control: Place, witness: str) -> SettingsError:
    is_file = isinstance(control, Path)
    what = "is missing" if isinstance(control, Path) and not control.exists() else "is empty"
    message = f"The control store {control} {what}, but {witness} has seen batches: what was sent and decided is lost."
    return SettingsError(message, next_step=BRING_BACK if is_file else BRING_BACK_SCHEMA)


def _has_history(control: Place) -> bool:
    """Tell whether a control store has seen a batch; one that cannot be read has, and its own error says more."""
    if isinstance(control, PostgresSchema):
        # One that was moved has one too, and whoever opens it says where it is.
        with closing(open_store(control, for_reading=True, is_moving=True)) as opened:
            return bool(opened.one(_HAS_HISTORY))
    try:
        if not control.exists() or (control.is_file() and not control.stat().st_size):
            return False
        with closing(open_for_reading(control)) as store:
            if not store.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                return False
            return bool(store.execute(_HAS_HISTORY).fetchone()[0])
    except (sqlite3.Error, OSError):
        return True


def _witness(settings: Settings, warehouse: duckdb.DuckDBPyConnection | None) -> str | None:
    path = settings.warehouse_path
    if (path.exists() or warehouse is not None) and _names_a_batch(path, warehouse):
        return f"the warehouse {path}"
    spoiled, published = path.with_name(path.name + SPOILED), settings.published / PUBLISHED_FILE
    if spoiled.exists():
        return f"the spoiled warehouse {spoiled}"
    return f"the published file {published}" if published.exists() else None


def _names_a_batch(path: Path, warehouse: duckdb.DuckDBPyConnection | None) -> bool:
    import duckdb  # noqa: PLC0415 a store with history is opened without it

    opened: duckdb.DuckDBPyConnection | None = None
    try:
        opened = None if warehouse is not None else _open(path)
        asked = warehouse if warehouse is not None else opened
        return asked is not None and asked.execute("SELECT 1 FROM ctl.last_batch").fetchone() is not None
    except duckdb.CatalogException:
        # Opened by a batch that was killed before it had begun.
        return False
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            message = f"A batch holds the warehouse {path}, and the control store {path.name} goes with has no batch."
            raise BusyError(message, next_step="wait for the batch to end, then do it again.") from error
        # What cannot be read may have seen anything.
        return True
    finally:
        if opened is not None:
            opened.close()


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    import duckdb  # noqa: PLC0415 as above

    with suppress(duckdb.Error):
        return duckdb.connect(str(path), read_only=True)
    # A killed batch leaves changes behind that only a writer may take in.
    return duckdb.connect(str(path))
