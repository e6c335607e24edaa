"""Copies of the control store: one consistent file, written beside its place and moved in when it is complete."""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pipelines.core.errors import SettingsError

BUSY_SECONDS = 30.0
# How the name of a copy ends that is still being written, or was left by a process that was killed meanwhile.
PARTIAL = ".partial"


def copy_store(source: Path, target: Path) -> None:
    """Copy a control store that others may be writing to; the copy has the state of one moment, for this user alone.

    SQLite's own copying takes in what still stands in the write-ahead log; a copy of the file alone would lack it.
    Raises sqlite3.Error or OSError when the copy cannot be made, SettingsError when it is not sound; then ``target`` is
    as it was.
    """
    # A name of its own, so that two copyings at once do not write into one file; for nobody else to read (mode 600)
    # before the first byte of bank data is in it.
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}.", suffix=PARTIAL)
    os.close(handle)
    partial = Path(name)
    try:
        _write(source, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    _flush(target.parent)


def _write(source: Path, partial: Path) -> None:
    with named(source):
        store = open_for_reading(source)
    with closing(store), closing(sqlite3.connect(partial, isolation_level=None)) as copy:
        try:
            store.backup(copy)
        except sqlite3.Error as error:
            # SQLite has one error for two files. A store that can be opened is read, so it is the copy that failed, and
            # nobody may be told to put another file in the place of the store.
            if getattr(error, "sqlite_errorname", "").startswith("SQLITE_IOERR"):
                raise OSError(errno.EIO, str(error), str(partial)) from None
            error.add_note(str(source))
            raise
        # One file that needs no other: in WAL mode every reader would make two more beside it.
        copy.execute("PRAGMA journal_mode = DELETE")
        faults = [text for (text,) in copy.execute("PRAGMA integrity_check(5)") if text != "ok"]
    if faults:
        message = f"The control store {source} is damaged: {'; '.join(faults)}."
        raise SettingsError(message, next_step="keep the file as it is, and put back the last sound copy of it.")
    _flush(partial)


def read_only(path: Path) -> str:
    """Return the address under which SQLite opens a file without writing to it."""
    return f"{Path(os.path.realpath(path)).as_uri()}?mode=ro"


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Add the file to an error of SQLite's, which says `unable to open database file` and not which."""
    try:
        yield
    except sqlite3.Error as error:
        if str(path) not in getattr(error, "__notes__", ()):
            error.add_note(str(path))
        raise


def is_busy(error: Exception) -> bool:
    """Tell whether an error says that another program keeps a store locked."""
    # The low byte is the kind of an error.
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a control store to read it alone, also in a folder that cannot be written, as on a full disk.

    Raises sqlite3.Error when it cannot be read.
    """
    # Not `mode=ro` first: in WAL mode such a reader makes two files beside the store and cannot take them away again.
    # `query_only` refuses every write, and `mode=rw` makes no store where there is none.
    try:
        return _reader(f"{Path(os.path.realpath(path)).as_uri()}?mode=rw")
    except sqlite3.OperationalError as error:
        # Read past the lock, what is just being written would come torn.
        if is_busy(error):
            raise
        log = path.with_name(f"{path.name}-wal")
        # What was written last stands in the log, which cannot be taken in without a file beside it.
        if log.exists() and log.stat().st_size:
            raise
        # SQLite then asks for no file beside the store. Whoever could write meanwhile would have left that log.
        return _reader(f"{read_only(path)}&immutable=1")


def _reader(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA query_only = ON")
        # Sorting needs no disk then.
        connection.execute("PRAGMA temp_store = MEMORY")
        # The first statement that looks into the file; until then every file opens.
        connection.execute("SELECT count(*) FROM sqlite_schema")
    except BaseException:
        connection.close()
        raise
    return connection


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
