"""Whether files lock where the control store lies: some network shares take a lock and keep nobody out."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import tempfile
from pathlib import Path

from pipelines.core.errors import SettingsError

# Of the whole file, as SQLite's are; those of an open file and not of a process, so that one process can try both.
_LOCK = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
_SET = getattr(fcntl, "F_OFD_SETLK", None)
_KEPT_OUT = {errno.EACCES, errno.EAGAIN}
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


def check_locks(store: Path) -> None:
    """Raise SettingsError where a lock on a file beside the control store keeps nobody out.

    Two programs would then write into it at once, and damage it.
    """
    if _SET is None:
        return
    store.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.NamedTemporaryFile(dir=store.parent, prefix=f"{store.name}.", suffix=".lock") as one,
        Path(one.name).open("r+b") as other,
    ):
        if _is_locked(one.fileno()) and not _is_locked(other.fileno()):
            return
    raise SettingsError(
        f"The control store {store} lies where files do not lock, as on some network shares: two programs that write "
        "at once would damage it.",
        next_step="name a file on a disk of this machine in the setting `control`, and copy the store there.",
    )


def _is_locked(handle: int) -> bool:
    try:
        fcntl.fcntl(handle, _SET or 0, _LOCK)
    except OSError as error:
        if error.errno not in _KEPT_OUT | _NO_LOCKS:
            raise
        return False
    return True
