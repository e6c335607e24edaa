"""Puts files and folders in place in one move: a reader sees all of the old, or all of the new."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.core.access import admit, make_folders

# Where things are made before they are put in place: on the same disk, so that one move does it.
STAGE = ".new"
# Where folders that were replaced stay until the next time.
KEPT = ".old"
# From the headers of Linux: Python has no call for it.
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def stage(folder: Path) -> Iterator[Path]:
    """Yield an empty folder inside ``folder`` to work in, and remove it at the end.

    What a killed run left in it is removed first. Only one batch publishes at a time: it holds the warehouse's lock.
    """
    aside = folder / STAGE
    shutil.rmtree(aside, ignore_errors=True)
    make_folders(folder)
    aside.mkdir()
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def put_file(made: Path, place: Path) -> None:
    """Put a file in place of another, for the readers of the folder; who has the old one open keeps it."""
    make_folders(place.parent)
    admit(made, into=place.parent)
    os.replace(made, place)  # noqa: PTH105 - Path.replace says the same in more words
    _sync(place.parent)


def put_folder(made: Path, place: Path, *, old: Path | None = None) -> None:
    """Put a folder in place of another, which is moved to ``old``, or removed where that is None.

    Somebody may be listing the old one at this moment: as long as it is kept, they see all of its names.
    """
    make_folders(place.parent)
    admit(made, into=place.parent)
    if not place.exists():
        made.rename(place)
    elif not _exchanged(made, place):
        # Systems that cannot exchange two folders: for a moment there is none, and a killed run makes it anew.
        aside = made.with_name(f"{made.name}.old")
        place.rename(aside)
        made.rename(place)
        made = aside
    if made.exists():
        if old is None:
            shutil.rmtree(made)
        else:
            make_folders(old.parent)
            made.rename(old)
    _sync(place.parent)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders at once; False where the system or its disk cannot."""
    # Elsewhere the caller moves twice.
    if sys.platform != "linux":
        return False
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename is None:
        return False
    done: int = rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    return done == 0


def _sync(folder: Path) -> None:
    """Write the move itself to the disk, so that it outlives a power cut."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
