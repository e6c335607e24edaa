"""Breaks: what differs between the two sides and needs a person, kept in the control store until it is gone."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from hashlib import sha256
from itertools import takewhile

from pipelines.stores.control import named_statements
from pipelines.stores.control_types import ControlConnection

# What writing a figure in another way changes: the currency before it, its groups of thousands, its idle zeros.
_CURRENCY = re.compile(r"\b[A-Z]{3} (?=-?\d)")
_GROUPS = re.compile(r"(?<=\d),(?=\d{3})")
_IDLE_ZEROS = re.compile(r"\.(?:(\d*?[1-9])0*|0+)(?!\d)")


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


def open_breaks(connection: ControlConnection, breaks: Iterable[Break], *, batch_id: str, at: str) -> None:
    """Open breaks inside the caller's transaction; one that is open already keeps its age and takes the new words.

    The caller's transaction, because a break and the move of an intent that causes it must not come apart: after a
    crash there is either both or neither. An acceptance stands where a release writes the same figures in another way.
    """
    statements = named_statements("breaks")
    accepted = {(row["kind"], row["subject"]): row for row in connection.execute(statements["accepted"])}
    for item in breaks:
        figures_hash = _hash(item.figures)
        row = accepted.get((item.kind, item.subject))
        if row and row["accepted_hash"] != figures_hash and _is_rewritten(item, row["message"], row["accepted_hash"]):
            connection.execute(statements["rebind"], {"break_id": row["break_id"], "figures_hash": figures_hash})
        connection.execute(
            statements["open"],
            {
                **asdict(item),
                "figures_hash": figures_hash,
                "at": at,
                "batch_id": batch_id,
                "period_month": item.period_month and item.period_month.isoformat(),
            },
        )


def close_breaks(
    connection: ControlConnection, ended: Iterable[tuple[str, str]], *, at: str, reason: str | None = None
) -> None:
    """Close the open breaks of these kinds and subjects inside the caller's transaction; none is ever deleted.

    ``reason`` says who ended them and why; None: they are gone by themselves.
    """
    statement = named_statements("breaks")["close"]
    values = [{"kind": kind, "subject": subject, "at": at, "reason": reason} for kind, subject in ended]
    connection.executemany(statement, values)


def _hash(figures: Mapping[str, str | int | None]) -> str:
    # Sorted, so that the hash follows from the figures alone. It outlives releases: one that is renamed ends every
    # acceptance of its kind.
    return sha256(json.dumps(dict(figures), sort_keys=True).encode()).hexdigest()


def _is_rewritten(item: Break, message: str, accepted_hash: str) -> bool:
    """Tell whether what was accepted under this message is what is found now, written in another way.

    The message alone does not prove it, because not all figures need stand in it: they are hashed once more with the
    message's earlier words in the place of those that it has now.
    """
    if _plain(message) != _plain(item.message):
        return False
    kept = _shared_start(message, item.message)
    # The words among the figures are those that the message ends with, at the end of the longest of them.
    name = max(item.figures, key=lambda name: len(str(item.figures[name])), default="")
    earlier = str(item.figures.get(name)).removesuffix(item.message[kept:]) + message[kept:]
    return _hash({**item.figures, name: earlier}) == accepted_hash


def _plain(message: str) -> str:
    """Write the figures of a message without currency, groups and idle zeros, so that equal figures are equal text.

    >>> _plain("the VMS has USD 1,250.50, the ledger 1250.5000")
    'the VMS has 1250.5, the ledger 1250.5'
    """
    plain = _GROUPS.sub("", _CURRENCY.sub("", message))
    return _IDLE_ZEROS.sub(lambda decimals: f".{decimals[1]}" if decimals[1] else "", plain)


def _shared_start(first: str, second: str) -> int:
    """Return how many characters two texts share from their first on."""
    return sum(1 for _ in takewhile(bool, map(operator.eq, first, second)))
