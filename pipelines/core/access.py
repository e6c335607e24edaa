"""Who may read what is written: this user alone, and of published files one group where a setting names it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from pipelines.core.errors import SettingsError

# What is taken from every file and folder of ours: it holds bank accounts, and what the company owes.
OTHERS = 0o077
# What a group of readers gets: never to write.
READERS = 0o050
NEXT_STEP = "name a group of this machine that `id` lists for the user who runs Springline, or take it out."


def keep_private() -> None:
    """Make every file of this process 0600 and every folder 0700, whatever the umask it was started with.

    Of the whole process, and not file by file: SQLite, DuckDB and dlt make files of their own beside ours.
    """
    os.umask(OTHERS)


def narrow(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """Take group and others out of what is there; yield what was wider, and whether it could be changed.

    Links are left alone, and a file that goes away meanwhile, as those beside a store in use do.
    """
    for path in paths:
        with suppress(FileNotFoundError):
            mode = path.lstat().st_mode
            if _has_modes() and not stat.S_ISLNK(mode) and mode & OTHERS:
                yield path, _set(path, stat.S_IMODE(mode) & ~OTHERS)


def group_number(name: str | None) -> int | None:
    """Return the number of the group of `published_group`, None where it is not set.

    Raises SettingsError where this machine does not know it, or this user may not give files to it.
    """
    if name is None:
        return None
    try:
        import grp  # noqa: PLC0415 not on every system

        number = grp.getgrnam(name).gr_gid
    except (ImportError, KeyError):
        raise _no_group(name, "is no group of this machine") from None
    if os.geteuid() and number not in {os.getegid(), *os.getgroups()}:
        raise _no_group(name, "is a group that this user is not in")
    return number


def _no_group(name: str, problem: str) -> SettingsError:
    return SettingsError(f"Settings: published_group = {name!r} {problem}.", next_step=NEXT_STEP)


def open_folder(folder: Path, *, group: int | None) -> bool:
    """Make a folder that this user alone may enter, or a ``group`` (its number) as well; tell whether that is new.

    Raises OSError where it is somebody else's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not _has_modes():
        return False
    found = folder.stat()
    is_right = not found.st_mode & OTHERS if group is None else _is_open_to(found, group)
    if not is_right:
        _give(folder, group)
    return not is_right


def admit(made: Path, *, into: Path) -> None:
    """Give a file, or a folder with all that is in it, the readers of the folder in which it will lie.

    A folder that all may enter is none of ours, and nobody's but this user's is what lies there.
    """
    if not _has_modes():
        return
    found = into.stat()
    group = found.st_gid if found.st_mode & OTHERS == READERS else None
    for path in (made, *(made.rglob("*") if made.is_dir() else ())):
        if not path.is_symlink():
            _give(path, group)


def make_folders(folder: Path) -> None:
    """Make a folder, and those above it that are missing, each with the readers of the one it lies in."""
    if not folder.is_dir():
        make_folders(folder.parent)
        folder.mkdir(exist_ok=True)
        admit(folder, into=folder.parent)


def _give(path: Path, group: int | None) -> None:
    found = path.stat()
    own = stat.S_IMODE(found.st_mode) & ~OTHERS
    if group is not None:
        # First whose it is: for a moment the group of before would be let in.
        if found.st_gid != group:
            os.chown(path, -1, group)
        own |= (own & 0o700) >> 3 & READERS
    if own != stat.S_IMODE(found.st_mode):
        path.chmod(own)


def _is_open_to(found: os.stat_result, group: int) -> bool:
    return found.st_gid == group and found.st_mode & OTHERS == READERS


def _set(path: Path, mode: int) -> bool:
    try:
        path.chmod(mode)
    except OSError:
        # Somebody else's, or on a disk that cannot be written.
        return False
    return True


def _has_modes() -> bool:
    return os.name == "posix"
