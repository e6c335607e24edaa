"""Tells what PostgreSQL, or the way to it, refuses, as the faults of a file are told; no password and no row in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from pipelines.core.disk import ROOM, WAIT, moved_fault
from pipelines.core.errors import BusyError, DiskFullError, SettingsError, SpringlineError
from pipelines.core.hiding import hide_in_text

if TYPE_CHECKING:
    from pipelines.core.control_place import PostgresSchema

REACH = (
    "see that the server runs, that the setting `control` names it, and that user and password (PGPASSWORD, or a "
    "password file) are right; then do it again. Nothing is lost, and nothing goes twice."
)
AGAIN = "do it again when the server is back: what was sent is recorded or looked up. Nothing is lost or goes twice."
ALLOW = 'have the owner of the database run: CREATE SCHEMA {} AUTHORIZATION "<the user>"; then do it again.'
WRITABLE = "name the server that takes writes in the setting `control` (`&target_session_attrs=read-write` finds it)."
PUT_BACK = ""
_LOST = (BusyError, "The connection to the control store {} is lost", AGAIN)
# By SQLSTATE, or how it begins: https://www.postgresql.org/docs/current/errcodes-appendix.html
_FAULTS: Mapping[tuple[str, ...], tuple[type[SpringlineError], str, str]] = {
    ("55P03",): (BusyError, "The control store {} is locked", WAIT),
    ("53100",): (DiskFullError, "The disk of the control store {} is full", ROOM),
    ("42501",): (SettingsError, "This user may not use the control store {}", ALLOW),
    ("25006",): (SettingsError, "The control store {} cannot be written", WRITABLE),
    ("42P01", "42703", "3F000"): (SettingsError, "The control store {} cannot be read", PUT_BACK),
    # No connection, no room for one more, and an operator who ends sessions.
    ("08", "53", "57P"): _LOST,
}


class StatementError(Exception):
    """A statement that the store refuses: a constraint, a trigger, or a fault of ours. Its words hold no row."""


@contextmanager
def told(place: PostgresSchema) -> Iterator[None]:
    """Raise every error of psycopg's in words of our own: SpringlineError where it is expected, else StatementError."""
    try:
        yield
    except psycopg.Error as error:
        # Not from it: behind its first line stand the values of rows, and with them bank accounts.
        words = _first_line(error)
        raise fault(error, place) or moved_fault(words) or StatementError(words) from None


def fault(error: psycopg.Error, place: PostgresSchema) -> SpringlineError | None:
    """Return what to say of an error that is no fault of ours, else None."""
    state, what = error.sqlstate or "", f"{_first_line(error)}."
    known = next((each for states, each in _FAULTS.items() if state.startswith(states)), None)
    # Without a state: the connection itself has ended.
    if known is None and not state and isinstance(error, psycopg.OperationalError):
        known = _LOST
    if known is None:
        return None
    kind, words, step = known
    step = put_back(place) if step == PUT_BACK else step.format(place.schema)
    return kind(f"{words.format(place)}: {what}", next_step=step)


def unreachable(error: psycopg.Error, place: PostgresSchema) -> SettingsError:
    """Return what to say where no connection could be made."""
    return SettingsError(f"The control store {place} cannot be reached: {_first_line(error)}.", next_step=REACH)


def lost_batch(place: PostgresSchema) -> BusyError:
    """Return what to say where the batch's own connection has ended, and with it the lock that keeps others out."""
    return BusyError(f"The connection to the control store {place} is lost: that of the batch.", next_step=AGAIN)


def shared_session(place: PostgresSchema) -> SettingsError:
    """Return what to say where a pool gives each transaction another session."""
    return SettingsError(
        f"The control store {place} is behind a pool that gives each transaction another session (`pool_mode = "
        "transaction` or `statement` of PgBouncer): its locks would keep nobody out.",
        next_step="name the server itself, or a pool with `pool_mode = session`, in the setting `control`.",
    )


def put_back(place: PostgresSchema) -> str:
    """Say how a lost or damaged schema comes back."""
    return (
        f"put the schema {place.schema} back from a dump (`pg_restore`); without one, name a file in the setting "
        "`control`, make the store there with `springline restore BACKUP` or `springline rebuild`, and bring it here "
        "with `springline control copy ADDRESS`. Either sends nothing twice."
    )


def _first_line(error: psycopg.Error) -> str:
    text = error.diag.message_primary or next(iter(str(error).splitlines()), "") or type(error).__name__
    return hide_in_text(text.strip().rstrip("."))
