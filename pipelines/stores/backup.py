"""Backs up the control store while everything runs, and says how the copy is put back."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.core.control_place import Place, PostgresSchema
from pipelines.core.disk import store_fault
from pipelines.core.errors import SettingsError, UsageError
from pipelines.stores.control import Control
from pipelines.stores.copied_tables import copy_tables
from pipelines.stores.copies import copy_store, named, open_for_reading, read_only
from pipelines.stores.opening import open_store
from pipelines.stores.versions import is_up_to_date

FIRST_RUN = "name it in the setting `control`; the first `springline run` makes it."
# Beside a store in use SQLite keeps what is written last. Put beside another file of that name, it would damage it.
LOG_FILES = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of the control store: where it is, its bytes, and the last event of the outbox that it has.

    ``event_no`` is 0 and the other two are None when nothing was ever sent; ``event_at`` is UTC text.
    """

    control: str
    file: str
    size: int
    event_no: int
    event_at: str | None
    event_hash: str | None

    @property
    def put_back(self) -> str:
        """Say how the copy becomes the control store again."""
        return (
            f"`springline restore {self.file}`. What was sent after the copy is looked up on the other side and not "
            "sent again; what people decided after it has to be decided again."
        )

    def as_dict(self) -> dict[str, object]:
        """Name all of it."""
        return asdict(self) | {"put_back": self.put_back}


def back_up(control: Place, file: Path, *, is_forced: bool = False) -> Backup:
    """Copy the control store into a file (SQLite), which appears when it is complete and sound.

    Raises UsageError when the file exists and ``is_forced`` is false, or cannot be written, or is the store itself;
    SettingsError when there is no control store, or it is damaged, or it was written by a newer release.
    """
    if isinstance(control, Path):
        if not control.exists():
            raise SettingsError(f"There is no control store {control}.", next_step=FIRST_RUN)
        # Resolved: a link to the store is the store as well, and to copy onto it would destroy it.
        own = {os.path.realpath(control.with_name(control.name + ending)) for ending in ("", *LOG_FILES)}
        if os.path.realpath(file) in own:
            raise UsageError(f"{file} is the control store itself.", next_step="name another file.")
    if os.path.exists(file) and not file.is_file():  # noqa: PTH110 as below
        # Never replaced: root would put a file in the place of a device.
        raise UsageError(f"{file} is no file but a folder or a device.", next_step="name another file.")
    if os.path.exists(file) and not is_forced:  # noqa: PTH110 of a name that is too long the other one ends with an error
        raise UsageError(f"{file} exists.", next_step="name another file, or add --force to replace this one.")
    try:
        if isinstance(control, Path):
            _copy_file(control, file)
        else:
            _copy_schema(control, file)
    except (OSError, sqlite3.Error) as error:
        if isinstance(error, sqlite3.Error) and (told := store_fault(error)):
            raise told from error
        message = f"The control store {control} could not be copied to {file}: {error}."
        raise UsageError(message, next_step="name a file that can be written, on a disk with room.") from error
    # Asked of the copy and not of the store, which may have moved on meanwhile.
    number, at, event_hash = _last_event(file)
    return Backup(str(control), str(file), file.stat().st_size, number, at, event_hash)


def _copy_file(control: Path, file: Path) -> None:
    with named(control), closing(open_for_reading(control)) as store:
        # For the error alone: a store of a newer release is refused before it is copied, and one that is no store.
        is_up_to_date(store, control)
        store.execute("SELECT count(*) FROM outbox_events")
    copy_store(control, file)


def _copy_schema(control: PostgresSchema, file: Path) -> None:
    with closing(open_store(control, for_reading=True)) as store, TemporaryDirectory(dir=file.parent) as folder:
        if isinstance(store.place, Path):
            raise SettingsError(f"There is no control store {control}.", next_step=FIRST_RUN)
        made = Path(folder) / "copy.ctl.sqlite"
        # As it stands at one moment; whoever writes need not wait.
        with store.snapshot(), closing(Control(made)) as copy, copy.write() as connection:
            copy_tables(store, connection)
        copy_store(made, file)


def _last_event(file: Path) -> tuple[int, str | None, str | None]:
    with closing(sqlite3.connect(read_only(file), uri=True)) as copy:
        row = copy.execute("SELECT event_no, at, hash FROM outbox_events ORDER BY event_no DESC LIMIT 1").fetchone()
    return row or (0, None, None)
