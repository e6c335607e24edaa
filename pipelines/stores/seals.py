"""Sealed periods in the control store: what they consisted of, so that whatever comes later can be told."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from pipelines.stores.control import Control, named_statements

# The table in schema ctl with the rows of close.period_entries as they were at each seal.
SEALED_ENTRIES = "sealed_entries"


@dataclass(frozen=True, slots=True)
class Close:
    """A period that is or was closed; times are UTC text, ``pack_hash`` and ``sealed_at`` are None while a draft."""

    period: str
    state: str
    sealed_at: str | None
    sealed_by: str | None
    pack_hash: str | None

    @property
    def is_sealed(self) -> bool:
        """Tell whether its pack must stay as it is."""
        return self.state == "sealed"


@dataclass(frozen=True, slots=True)
class Seal:
    """What a period is sealed with: hash of its pack, figures as JSON, and its entries as a Parquet file."""

    pack_hash: str
    figures: str
    entries: bytes
    entry_count: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a close: which batch, who, when (UTC text), and how many breaks were open and accepted."""

    period: str
    batch_id: str
    operator: str
    at: str
    break_count: int
    accepted_count: int


def read_close(control: Control, period: str) -> Close | None:
    """Return a period's close, None when nobody has drawn it up."""
    rows = control.read("SELECT period, state, sealed_at, sealed_by, pack_hash FROM closes WHERE period = ?", (period,))
    return Close(**dict(rows[0])) if rows else None


def open_close(control: Control, period: str, *, at: str) -> None:
    """Draw up a period unless it is there: from now on the models show what it consists of and what stops it."""
    with control.write() as connection:
        connection.execute(named_statements("closes")["open"], {"period": period, "at": at})


def record_run(connection: sqlite3.Connection, run: Run, *, action: str, pack_hash: str | None) -> None:
    """Append a run of a close inside the caller's transaction; ``action``: drawn up, sealed, looked at."""
    event = asdict(run) | {"action": action, "pack_hash": pack_hash}
    connection.execute(named_statements("closes")["append_event"], event)


def seal_period(control: Control, run: Run, seal: Seal) -> None:
    """Seal a drawn-up period for good, in one transaction; sqlite3.IntegrityError when it is sealed already."""
    statements = named_statements("closes")
    with control.write() as connection:
        connection.execute(statements["seal"], asdict(run) | asdict(seal))
        kept = {"period": run.period, "entries_hash": hashlib.sha256(seal.entries).hexdigest()}
        # As bytes and not as rows: what was sealed must not change when a later release reads it otherwise.
        connection.execute(statements["keep_entries"], asdict(seal) | kept)
        # In the same transaction: a seal without its event could not be explained to an auditor.
        record_run(connection, run, action="sealed", pack_hash=seal.pack_hash)


def sealed_mark(control: Control) -> str:
    """Return a hash over all that was sealed, to see whether a copy of it is complete."""
    rows = control.read("SELECT period, entries_hash FROM sealed_packs ORDER BY period")
    return hashlib.sha256(repr([tuple(row) for row in rows]).encode()).hexdigest()


def sealed_files(control: Control) -> Iterator[bytes]:
    """Yield the entries of each sealed period as a Parquet file."""
    for row in control.read("SELECT period FROM sealed_packs ORDER BY period"):
        # One at a time: the entries of all months together may need much memory.
        yield bytes(control.one("SELECT entries FROM sealed_packs WHERE period = ?", (row["period"],)))
