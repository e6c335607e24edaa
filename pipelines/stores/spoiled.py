"""Sets a warehouse aside that cannot be read or gone on with: everything in it is read from both systems again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from pipelines.stores.lost import SPOILED
from pipelines.stores.unopened import is_no_database

if TYPE_CHECKING:
    from pathlib import Path

# Another program's database, named in the setting by mistake, is never moved.
_SQLITE = b"SQLite format 3"


def is_spoiled(error: BaseException, path: Path) -> bool:
    """Tell whether an error, or what it was raised from, says that the warehouse file at ``path`` is damaged."""
    seen: BaseException | None = error
    while seen is not None and not (isinstance(seen, duckdb.Error) and is_no_database(seen)):
        seen = seen.__cause__
    return seen is not None and path.is_file() and not _head(path).startswith(_SQLITE)


def set_aside(path: Path, *, what: str = "was damaged") -> str:
    """Move a warehouse to its name with `.spoiled`, in the place of the one before; ``what`` says why in the answer."""
    spoiled = path.with_name(path.name + SPOILED)
    # The log first: replayed into another file, it would damage that one as well.
    for ending in (".wal", ""):
        left = path.with_name(path.name + ending)
        if left.exists():
            left.replace(spoiled.with_name(spoiled.name + ending))
    return f"The warehouse {path} {what}: it is kept as {spoiled.name}, and all of it is read again."


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_SQLITE))
