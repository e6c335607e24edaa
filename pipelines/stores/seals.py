"""Closes of periods in the control store: every seal with what the period consisted of, and who did what about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from pipelines.stores.control import Control, named_statements
from pipelines.stores.control_types import ControlConnection

# The table in schema ctl with the rows of close.period_entries as they were at each period's newest seal.
SEALED_ENTRIES = "sealed_entries"
DRAFT, SEALED, REOPENED = "draft", "sealed", "reopened"


@dataclass(frozen=True, slots=True)
class Close:
    """A period that is or was closed: draft, sealed, or reopened after a seal.

    ``version`` counts its seals. ``sealed_at`` (UTC text), ``sealed_by`` and ``pack_hash`` are those of the newest,
    None before the first.
    """

    period: str
    state: str
    version: int
    sealed_at: str | None
    sealed_by: str | None
    pack_hash: str | None

    @property
    def is_sealed(self) -> bool:
        """Tell whether it is sealed now."""
        return self.state == SEALED

    @property
    def pack_version(self) -> int:
        """Return the version of the pack that a look is about: the sealed one, else the one that is drawn up."""
        return self.version if self.is_sealed else self.version + 1


@dataclass(frozen=True, slots=True)
class Seal:
    """What a period is sealed with: hash of its pack, figures as JSON, and its entries as a Parquet file."""

    pack_hash: str
    figures: str
    entries: bytes
    entry_count: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a close: which version, which batch, who, when (UTC text), how many breaks were open and accepted."""

    period: str
    version: int
    batch_id: str
    operator: str
    at: str
    break_count: int
    accepted_count: int


@dataclass(frozen=True, slots=True)
class Preparer:
    """Somebody who drew up a version of a pack, with the last time (UTC text) they did."""

    operator: str
    at: str


def read_close(control: Control, period: str) -> Close | None:
    """Return a period's close, None when nobody has drawn it up."""
    rows = control.read(named_statements("closes")["find"], {"period": period})
    return Close(**dict(rows[0])) if rows else None


def pack_hashes(control: Control, period: str) -> dict[int, str]:
    """Return what every sealed pack of a period is vouched for by, version by version."""
    rows = control.read("SELECT version, pack_hash FROM seals WHERE period = ? ORDER BY version", (period,))
    return {row["version"]: row["pack_hash"] for row in rows}


def preparers(control: Control, period: str, version: int) -> list[Preparer]:
    """Return who drew up a version of a period's pack before it was sealed, whoever did last first."""
    rows = control.read(named_statements("closes")["preparers"], {"period": period, "version": version})
    return [Preparer(**dict(row)) for row in rows]


def reopenings(control: Control, period: str) -> list[dict[str, str]]:
    """Return each reopening of a period in its order: the ``version`` it led to, who, when and why."""
    return [dict(row) for row in control.read(named_statements("closes")["reopenings"], {"period": period})]


def open_close(control: Control, period: str, *, at: str) -> None:
    """Draw up a period unless it is there: from now on the models show what it consists of and what stops it."""
    with control.write() as connection:
        connection.execute(named_statements("closes")["open"], {"period": period, "at": at})


def record_run(connection: ControlConnection, run: Run, *, action: str, pack_hash: str | None) -> None:
    """Append a run of a close inside the caller's transaction; ``action``: drawn up, sealed, looked at."""
    event = asdict(run) | {"action": action, "pack_hash": pack_hash, "reason": None}
    connection.execute(named_statements("closes")["append_event"], event)


def seal_period(control: Control, run: Run, seal: Seal) -> None:
    """Seal a version of a period in one transaction; sqlite3.IntegrityError when somebody has sealed it meanwhile."""
    statements = named_statements("closes")
    with control.write() as connection:
        # First: its key is taken when this version is sealed already.
        connection.execute(statements["seal"], asdict(run) | asdict(seal))
        connection.execute(statements["move"], asdict(run) | {"state": SEALED})
        # As bytes and not as rows: what was sealed must not change when a later release reads it otherwise.
        kept = {"version": run.version, "period": run.period, "entries_hash": hashlib.sha256(seal.entries).hexdigest()}
        connection.execute(statements["keep_entries"], asdict(seal) | kept)
        # In the same transaction: a seal without its event could not be explained to an auditor.
        record_run(connection, run, action="sealed", pack_hash=seal.pack_hash)


def reopen_period(control: Control, period: str, *, reason: str, operator: str, at: str) -> Close | None:
    """Reopen a sealed period, with who, when and why; return its close as it was, None when nobody has drawn it up.

    Of one that is not sealed nothing is written. Its seals, and what it consisted of at each, stay for good.
    """
    statements = named_statements("closes")
    with control.write() as connection:
        # Read inside: of two people who reopen at once, one does.
        close = read_close(control, period)
        if close is not None and close.is_sealed:
            values = {"period": period, "version": close.version, "at": at}
            connection.execute(statements["move"], values | {"state": REOPENED})
            connection.execute(
                statements["append_event"],
                # The event is about the version that comes next: it is why there is one.
                values
                | {"version": close.version + 1, "operator": operator, "action": "reopened", "reason": reason}
                | dict.fromkeys(("batch_id", "break_count", "accepted_count", "pack_hash")),
            )
    return close


def sealed_mark(control: Control) -> str:
    """Return a hash over all that was sealed, to see whether a copy of it is complete."""
    rows = control.read("SELECT period, version, entries_hash FROM sealed_packs ORDER BY period, version")
    return hashlib.sha256(repr([tuple(row) for row in rows]).encode()).hexdigest()


def sealed_files(control: Control) -> Iterator[bytes]:
    """Yield the entries of each sealed period, as they were at its newest seal, as a Parquet file."""
    for row in control.read("SELECT period, max(version) AS version FROM sealed_packs GROUP BY period ORDER BY period"):
        # One at a time: the entries of all months together may need much memory.
        one = "SELECT entries FROM sealed_packs WHERE period = ? AND version = ?"
        yield bytes(control.one(one, (row["period"], row["version"])))
