"""A full disk is told from every other fault, whoever met it first."""

from __future__ import annotations

import errno
import sqlite3

import duckdb
import pytest

from pipelines.core.disk import disk_fault
from pipelines.core.errors import DiskFullError, ModelError, SettingsError, Terminal, UsageError


def caused(error: Exception, cause: Exception) -> Exception:
    try:
        raise error from cause
    except type(error) as raised:
        return raised


def of_sqlite(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = code
    return error


TOO_LARGE = OSError(errno.EFBIG, "File too large")
NO_SPACE = OSError(errno.ENOSPC, "No space left on device")
OF_DUCKDB = duckdb.IOException('Could not write file "x": No space left on device')
SPILLED = duckdb.OutOfMemoryException(
    "failed to offload data block. This limit was set by the 'max_temp_directory_size'"
)


@pytest.mark.parametrize(
    "error",
    [
        NO_SPACE,
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        of_sqlite(sqlite3.SQLITE_FULL),
        of_sqlite(4874),
        OF_DUCKDB,
        SPILLED,
        caused(ModelError("rec.documents could not be built."), OF_DUCKDB),
        caused(UsageError("answer.csv cannot be written."), NO_SPACE),
    ],
)
def test_a_full_disk_is_told(error: Exception) -> None:
    told = disk_fault(error)
    assert isinstance(told, DiskFullError)
    assert "df -h" in told.next_step


@pytest.mark.parametrize(
    "error",
    [
        TOO_LARGE,
        duckdb.IOException('Could not write file "x.wal": File too large'),
        caused(UsageError("a.csv cannot be written."), TOO_LARGE),
        caused(ModelError("springline.duckdb could not be written."), TOO_LARGE),
        caused(RuntimeError("[Errno 27] File too large"), TOO_LARGE),
    ],
)
def test_a_limit_on_files_is_told(error: Exception) -> None:
    told = disk_fault(error)
    assert isinstance(told, DiskFullError)
    assert "`ulimit -f`" in told.next_step


@pytest.mark.parametrize(
    "code",
    [
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_DELETE,
        sqlite3.SQLITE_IOERR_SHMOPEN,
    ],
)
def test_a_store_that_cannot_be_written_is_left_where_it_is(code: int) -> None:
    told = disk_fault(of_sqlite(code))
    assert isinstance(told, SettingsError)
    assert "leave it where it is" in told.next_step
    assert "put back" not in told.next_step


def test_no_place_for_temporary_files_is_told() -> None:
    told = disk_fault(FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"))
    assert isinstance(told, SettingsError)
    assert "TMPDIR" in told.next_step


@pytest.mark.parametrize(
    "error", [PermissionError(errno.EACCES, "Permission denied"), of_sqlite(sqlite3.SQLITE_READONLY)]
)
def test_what_may_not_be_written_is_a_fault_of_settings(error: Exception) -> None:
    assert isinstance(disk_fault(error), SettingsError)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a bug"),
        FileNotFoundError(errno.ENOENT, "No such file"),
        of_sqlite(sqlite3.SQLITE_CONSTRAINT),
        duckdb.BinderException("no such column"),
        # Who raised these knows better what could not be written.
        caused(UsageError("answer.csv cannot be written."), PermissionError(errno.EACCES, "Permission denied")),
        # What another system answers is about its own disks.
        Terminal("The VMS answers: No space left on device."),
    ],
)
def test_other_faults_are_left_alone(error: Exception) -> None:
    assert disk_fault(error) is None


def test_the_line_that_names_the_fault_is_told() -> None:
    told = disk_fault(RuntimeError("The pipeline failed:\n\nIO Error: x.wal: No space left on device\n"))
    assert told is not None
    assert told.message == "A disk is full: IO Error: x.wal: No space left on device."
