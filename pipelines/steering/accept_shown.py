"""Accepts many breaks at once, and of them only what was shown and is still as it was shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.steering.break_decisions import ListedBreak, decide_on, list_breaks
from pipelines.steering.decisions import reason_text
from pipelines.stores.control import named_statements, utc_text
from pipelines.stores.control_types import ControlRow
from pipelines.stores.lost import open_control

if TYPE_CHECKING:
    from pipelines.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Left:
    """One break that was shown and is not accepted: ``why`` in words."""

    break_id: int
    kind: str
    subject: str
    why: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of the breaks that were shown: each is either accepted or left."""

    accepted: tuple[ListedBreak, ...]
    left: tuple[Left, ...]

    def as_dict(self) -> dict[str, object]:
        """Return the object that `--json` prints."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Sum:
    """The breaks of one kind with amounts in one currency; ``currency`` is None where no amount is known.

    ``net`` adds the amounts with their signs, ``gross`` without: a net sum near zero may hide large amounts.
    """

    kind: str
    currency: str | None
    count: int
    net: Decimal
    gross: Decimal


def to_accept(
    settings: Settings, *, kind: str, company: str | None, period: str | None, now: Callable[[], datetime]
) -> list[ListedBreak]:
    """Return the open breaks of a kind that nobody has accepted; the filters are those of `list_breaks`."""
    rows = list_breaks(settings, kind=kind, company=company, period=period, now=now)
    return [row for row in rows if not row.is_accepted]


def sums(rows: Sequence[ListedBreak]) -> Iterator[Sum]:
    """Add breaks up by kind and currency: amounts of two currencies are never one sum."""
    for kind, currency in sorted({_total_of(row) for row in rows}, key=lambda key: (key[0], key[1] or "")):
        amounts = [row.amount or Decimal(0) for row in rows if _total_of(row) == (kind, currency)]
        yield Sum(kind, currency, len(amounts), sum(amounts, Decimal(0)), sum(map(abs, amounts), Decimal(0)))


def _total_of(row: ListedBreak) -> tuple[str, str | None]:
    return row.kind, None if row.amount is None else row.currency or ""


def accept_shown(
    shown: Sequence[ListedBreak], *, settings: Settings, words: str, operator: str, now: Callable[[], datetime]
) -> Accepted:
    """Accept breaks as they were shown, with one reason; what has changed or is over since then is left.

    A batch may have run while a person was reading. One transaction: killed in between, none is accepted.
    """
    text = reason_text(words)
    with closing(open_control(settings)) as control, control.write() as connection:
        numbers = json.dumps([row.break_id for row in shown])
        found = connection.execute(named_statements("breaks")["as_they_are"], (numbers,))
        present: Mapping[int, ControlRow] = {row["break_id"]: row for row in found}
        left = {row.break_id: why for row in shown if (why := _moved(row, present[row.break_id]))}
        accepted = tuple(row for row in shown if row.break_id not in left)
        at = utc_text(now())
        for row in accepted:
            decide_on(connection, "accept", present[row.break_id], text, operator=operator.strip(), at=at)
    return Accepted(
        accepted,
        tuple(Left(row.break_id, row.kind, row.subject, left[row.break_id]) for row in shown if row.break_id in left),
    )


def _moved(shown: ListedBreak, now: ControlRow) -> str:
    """Say why a break is no longer what was shown; an empty text when it is."""
    if now["until"] is not None:
        return "is over"
    # The words too: kinds that are bound to no figures have nothing else that could move.
    if (now["figures_hash"], now["message"]) != (shown.figures_hash, shown.message):
        return "has changed since it was shown"
    return f"was accepted by {now['accepted_by']} meanwhile" if now["accepted_hash"] == now["figures_hash"] else ""
