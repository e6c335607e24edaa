"""The versions of the control store: a new one is made at the newest, an older one is brought there by migrations.

The version is SQLite's ``user_version``. sql/control/schema.sql is the newest version; each file of
sql/control/migrations leads from the version before to its own number. See docs/decisions/0011.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from pipelines import __version__
from pipelines.core.control_place import Place
from pipelines.core.disk import PUT_BACK
from pipelines.core.errors import SettingsError
from pipelines.core.resources import sql_folder
from pipelines.stores.control_types import ControlConnection
from pipelines.stores.copies import PARTIAL, copy_store

_OF_EVERY_RELEASE = "outbox_events"
# Added to the version of a store that was moved, and of one that is being made by moving: no release knows a version of
# that size, so that earlier ones refuse both as well. pipelines/stores/moving.py keeps where to, and where from.
MOVED, BEING_MADE = 1_000_000, 2_000_000
MOVED_TO, MADE_FROM = "moved.to", "moved.from"
_MARK = "SELECT value FROM meta WHERE name = ?"


def control_folder() -> Path:
    """Return the folder with the control store's DDL, migrations and statements."""
    return sql_folder() / "control"


@cache
def migrations(folder: Path) -> tuple[Path, ...]:
    """Return the migrations in their order: 0001_….sql, 0002_….sql and so on, without a gap."""
    return tuple(sorted((folder / "migrations").glob("[0-9][0-9][0-9][0-9]_*.sql")))


def is_up_to_date(
    connection: sqlite3.Connection, path: Path, *, folder: Path | None = None, is_moving: bool = False
) -> bool:
    """Tell whether a control store has the newest version; reads its number and its tables' names alone.

    Raises SettingsError when a newer release wrote it, whose tables this one cannot know, or another program did, and
    when it was moved; ``is_moving`` takes that too.
    """
    newest = len(migrations(folder or control_folder()))
    version = version_of(connection)
    if is_moving:
        version %= MOVED
    refuse_version(connection, path, version, newest=newest)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    # A file of another program may have any number; it is neither read nor migrated.
    if names and _OF_EVERY_RELEASE not in names:
        message = f"The control store {path} is no control store of Springline: it has no table {_OF_EVERY_RELEASE}."
        raise SettingsError(message, next_step=f"name another file in the setting `control`; or {PUT_BACK}")
    return version == newest


def refuse_version(connection: ControlConnection, place: Place, version: int, *, newest: int) -> None:
    """Raise SettingsError for a store that was moved elsewhere, is being moved here, or is of a newer release."""
    if version <= newest:
        return
    if version < MOVED:
        message = (
            f"The control store {place} has version {version}, which a newer release of Springline made. "
            f"This is release {__version__}, which knows versions up to {newest}."
        )
        raise SettingsError(message, next_step="install the newer release again; nothing was read or changed.")
    is_moved = version < BEING_MADE
    [name] = connection.execute(_MARK, (MOVED_TO if is_moved else MADE_FROM,)).fetchone()
    if is_moved:
        message = f"The control store {place} was moved to {name}, and nobody goes on with this one."
        raise SettingsError(message, next_step=f'set control = "{name}" in the settings.')
    message = f"The control store {place} is being copied from {name}, or that was stopped in between."
    step = f'set control = "{name}" in the settings, and do `springline control copy` once more: it goes on from there.'
    raise SettingsError(message, next_step=step)


def bring_up_to_date(
    connection: sqlite3.Connection, path: Path, *, folder: Path | None = None, is_copied: bool = True
) -> None:
    """Make the tables of a new control store, or migrate an older one, in one transaction: all of it, or nothing.

    Before a migration a copy of the store is put beside it (``is_copied``), named by its version and the time. Of two
    processes that come at once one migrates, and the other finds it done. Raises SettingsError when it fails.
    """
    folder = folder or control_folder()
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again: another process may have migrated the store while this one waited for the lock.
        if not is_up_to_date(connection, path, folder=folder):
            _migrate(connection, path, folder, is_copied=is_copied)
        connection.execute("COMMIT")
    except BaseException as error:
        # On a full disk SQLite has rolled back by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error | OSError):
            message = f"The control store {path} could not be brought to this release's version: {error}."
            raise SettingsError(message, next_step="the store is as it was; correct this and run again.") from error
        raise


def _migrate(connection: sqlite3.Connection, path: Path, folder: Path, *, is_copied: bool) -> None:
    version, steps = version_of(connection), migrations(folder)
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        if is_copied:
            for left in path.parent.glob(f"{path.name}.version-*{PARTIAL}*"):
                left.unlink()  # a migration was killed while it copied; the lock says that none is copying now
            # The copying reads through a connection of its own; the lock held here keeps other writers out meanwhile.
            copy_store(path, copy_beside(path, version=version, at=datetime.now(UTC)))
        due = steps[version:]
    else:
        due = (folder / "schema.sql",)
    for file in due:
        for statement in statements_of(file):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(steps)}")


def copy_beside(path: Path, *, version: int, at: datetime) -> Path:
    """Name the copy of a store that is made before it is migrated.

    >>> copy_beside(Path("springline.ctl.sqlite"), version=1, at=datetime(2026, 11, 2, 8, 0, tzinfo=UTC)).name
    'springline.ctl.sqlite.version-1.20261102T080000Z'
    """
    # Release 0.1.0 wrote no number: what it left is version 1.
    return path.with_name(f"{path.name}.version-{max(version, 1)}.{at:%Y%m%dT%H%M%SZ}")


def version_of(connection: sqlite3.Connection) -> int:
    """Return the number that a file has."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def statements_of(file: Path) -> Iterator[str]:
    """Yield the statements of a file one by one."""
    # executescript would commit the surrounding transaction, so the statements are run one by one.
    statement = ""
    for line in file.read_text(encoding="utf-8").splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
