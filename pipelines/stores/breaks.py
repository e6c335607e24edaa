"""Breaks: what differs between the two sides and needs a person, kept in the control store until it is gone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from hashlib import sha256

from pipelines.stores.control import named_statements


@dataclass(frozen=True, slots=True)
class Break:
    """One difference: ``kind`` and ``subject`` name it, ``figures`` are what an acceptance of it is bound to.

    Amounts among the figures are text, because JSON has no decimals. ``period_month`` is the first day of the month in
    which it counts at a close. It is None where the document, or the ledger's row, says the month, and where nothing
    does: then it counts in the month it was first seen in.
    """

    kind: str
    subject: str
    message: str
    next_step: str
    company: str | None = None
    document_key: int | None = None
    document_no: str | None = None
    period_month: date | None = None
    figures: Mapping[str, str | int | None] = field(default_factory=dict)


def open_breaks(connection: sqlite3.Connection, breaks: Iterable[Break], *, batch_id: str, at: str) -> None:
    """Open breaks inside the caller's transaction; one that is open already keeps its age and takes the new words.

    The caller's transaction, because a break and the move of an intent that causes it must not come apart: after a
    crash there is either both or neither.
    """
    connection.executemany(
        named_statements("breaks")["open"],
        [
            {
                **asdict(item),
                # Sorted, so that the hash follows from the figures alone. It outlives releases: a figure that is
                # renamed, or written in another way, would end every acceptance of its kind.
                "figures_hash": sha256(json.dumps(dict(item.figures), sort_keys=True).encode()).hexdigest(),
                "at": at,
                "batch_id": batch_id,
                "period_month": item.period_month and item.period_month.isoformat(),
            }
            for item in breaks
        ],
    )


def close_breaks(connection: sqlite3.Connection, ended: Iterable[tuple[str, str]], *, at: str) -> None:
    """Close the open breaks of these kinds and subjects inside the caller's transaction; none is ever deleted."""
    statement = named_statements("breaks")["close"]
    connection.executemany(statement, [{"kind": kind, "subject": subject, "at": at} for kind, subject in ended])
