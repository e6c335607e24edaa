"""Tells a disk or a control store that cannot be used, by the error of whatever met it first."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.core.errors import BusyError, DiskFullError, SettingsError, SpringlineError, WireError

# 4874: the file that SQLite shares between its readers could not grow (SQLITE_IOERR_SHMSIZE, sqlite.org/rescode.html).
_SQLITE_FULL = {sqlite3.SQLITE_FULL, 4874}
_SQLITE_LOCKED_UP = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
# Locked by a program that keeps others out for longer than we wait.
_SQLITE_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_SQLITE_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR}
# What could not be written says nothing against the file: it is as it was before.
_SQLITE_UNWRITTEN = {
    sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE, sqlite3.SQLITE_IOERR_DELETE, sqlite3.SQLITE_IOERR_SHMOPEN,
    sqlite3.SQLITE_IOERR_SHMMAP,
}  # fmt: skip
# A file of SQLite that is not ours, or from which something was cut out: it has no number of its own.
_SQLITE_DAMAGED_WORDS = ("no such table", "no such column")
# What the triggers of a store say that was moved; the place follows.
MOVED_WORDS = "the control store was moved to "
MEGABYTE = 1_000_000
# The low byte is the kind of an error, the others say more about it.
_KIND = 0xFF
_FULL = {errno.ENOSPC, errno.EDQUOT}
_TOO_LARGE = {errno.EFBIG}
_LOCKED_UP = {errno.EROFS, errno.EACCES, errno.EPERM}
# DuckDB, and what is built on it or on Arrow, has the system's words and no number.
_FULL_WORDS = ("No space left on device", "Disk quota exceeded", "max_temp_directory_size")
# Of the standard library, which has tried every folder that it knows, and names them.
_NO_PLACE_WORDS = "No usable temporary directory"
_TOO_LARGE_WORDS = ("File too large",)
_LOCKED_UP_WORDS = ("Read-only file system", "Permission denied")

ROOM = "make room there (`df -h` shows which disk is full), then do it again. Nothing is lost, and nothing goes twice."
LEAVE = (
    "let this user into the folders of the warehouse, the control store and the published files, or name others "
    "in the settings `warehouse`, `control` and `published`."
)
WAIT = (
    "end the program that holds it (a backup, a database browser, a springline that hangs), or wait for it; then do it "
    "again. Nothing is lost, and nothing goes twice."
)
NO_PLACE = (
    "make room there (`df -h` shows which disk is full), or name a folder that this user may write in the variable "
    "TMPDIR."
)
LIMIT = (
    "raise the limit (`ulimit -f` shows that of this user; some file systems have one of their own), or write to "
    "another disk; then do it again. Nothing is lost, and nothing goes twice."
)
UNWRITTEN = (
    "see that its disk is sound, has room (`df -h`) and lets this user write; then do it again. The file itself is as "
    "it was: leave it where it is."
)
PUT_BACK = (
    "`springline restore BACKUP` puts the last sound copy in its place; without one, `springline rebuild` makes a new "
    "one from both systems. Either keeps the damaged file, and sends nothing twice."
)


def disk_fault(error: BaseException) -> SpringlineError | None:
    """Return what to say where a disk or a store is behind an error, or behind what it was raised from, else None.

    DiskFullError when there is no room or a file may not grow, SettingsError when this user may not write there or the
    control store is damaged, BusyError when another program keeps it locked.

    >>> str(disk_fault(OSError(errno.ENOSPC, "No space left on device")))[:58]
    'A disk is full: [Errno 28] No space left on device. Next: '
    """
    for cause in _chain(error):
        # What another system answers is about its disks.
        if isinstance(cause, WireError):
            return None
        if full := _room_fault(error, cause):
            return full
        # Who raised an error of ours knows what could not be written, and says it better.
        if not isinstance(error, SpringlineError) and _is(cause, _LOCKED_UP, _SQLITE_LOCKED_UP, _LOCKED_UP_WORDS):
            return SettingsError(f"This user may not read or write a file: {_telling_line(cause)}", next_step=LEAVE)
        if isinstance(cause, FileNotFoundError) and _NO_PLACE_WORDS in str(cause.strerror):
            return SettingsError(f"No temporary file can be written: {cause.strerror}.", next_step=NO_PLACE)
        if isinstance(cause, sqlite3.Error) and (told := store_fault(cause)):
            return told
    return None


def _room_fault(error: BaseException, cause: BaseException) -> DiskFullError | None:
    if isinstance(cause, DiskFullError):
        return cause
    # The system itself does not say which file it was; SQLite and DuckDB do, where they know.
    names_file = isinstance(cause, OSError) and isinstance(error, SpringlineError)
    if _is(cause, _FULL, _SQLITE_FULL, _FULL_WORDS):
        return DiskFullError(f"A disk is full: {_telling_line(error if names_file else cause)}", next_step=ROOM)
    if _is(cause, _TOO_LARGE, set(), _TOO_LARGE_WORDS):
        return DiskFullError(f"A file may not grow: {_telling_line(error if names_file else cause)}", next_step=LIMIT)
    return None


def store_fault(error: sqlite3.Error) -> SpringlineError | None:
    """Return what to say of a control store that is locked, damaged or moved, None for any other error of SQLite's."""
    if told := moved_fault(str(error)):
        return told
    if _is(error, set(), _SQLITE_BUSY, ()):
        return BusyError(f"The control store is locked: {_telling_line(error)}", next_step=WAIT)
    if getattr(error, "sqlite_errorcode", 0) in _SQLITE_UNWRITTEN:
        return SettingsError(f"The control store cannot be written: {_telling_line(error)}", next_step=UNWRITTEN)
    if _is(error, set(), _SQLITE_DAMAGED, ()) or str(error).startswith(_SQLITE_DAMAGED_WORDS):
        return SettingsError(f"The control store cannot be read: {_telling_line(error)}", next_step=PUT_BACK)
    return None


def moved_fault(text: str) -> SettingsError | None:
    """Return what to say where a trigger has refused a write because the store was moved meanwhile, else None."""
    if not text.startswith(MOVED_WORDS):
        return None
    place = text.removeprefix(MOVED_WORDS)
    return SettingsError(
        f"The control store was moved to {place} while this was at work; nothing more was sent.",
        next_step=f'set control = "{place}" in the settings, and do it again.',
    )


def room_on(places: Iterable[Path]) -> str:
    """Say how much room there is where files are written, each disk once, the fullest first."""
    rooms: dict[int, tuple[int, Path]] = {}
    for place in places:
        # A folder that is not there yet is made by whoever writes into it.
        folder = next(folder for folder in (place.absolute(), *place.absolute().parents) if folder.exists())
        rooms.setdefault(folder.stat().st_dev, (shutil.disk_usage(folder).free, folder))
    return ", ".join(f"{folder} has {free // MEGABYTE:,} MB free" for free, folder in sorted(rooms.values()))


def _is(error: BaseException, numbers: set[int], codes: set[int], words: tuple[str, ...]) -> bool:
    if isinstance(error, OSError):
        return error.errno in numbers
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0)
        return code in codes or code & _KIND in codes
    # Of our own errors only what they were raised from counts: their words quote documents.
    return not isinstance(error, SpringlineError) and any(word in str(error) for word in words)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        # Also what was met while another error was cleaned up after, as by a rollback.
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


def _telling_line(error: BaseException) -> str:
    """Return the line of an error that names the disk's fault, else its first, and the file where that was noted."""
    lines = (error.message if isinstance(error, SpringlineError) else str(error)).splitlines() or [""]
    words = (*_FULL_WORDS, *_TOO_LARGE_WORDS, *_LOCKED_UP_WORDS)
    line = next((line for line in lines if any(word in line for word in words)), lines[0])
    files = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
    return f"{line.strip().rstrip('.')}{files}."
