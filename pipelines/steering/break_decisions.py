"""What people decide on breaks: accept, reopen, comment; kept for good in the control store, also while a batch runs.

An acceptance is bound to the figures it was given for: when they move, the break stands again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.core.errors import UsageError
from pipelines.core.words import moment
from pipelines.stores.control import Control, named_statements, utc_text
from pipelines.stores.open_tables import Tables, open_tables

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

BY_NUMBER = "no:"
LONGEST_WORDS = 500
MOST_LISTED = 20
DAY_DIGITS, MONTH_DIGITS = 10, 7

# What the comparison knows of a break beside its words; the control store has neither months nor amounts.
_FIGURES = """
SELECT kind, subject, strftime(period_month, '%Y-%m') AS period, amount, currency_code FROM rec.breaks
"""
# The close notes what it has found itself under the period.
_CLOSE_FIGURES = """
SELECT kind, subject, strftime(period_month, '%Y-%m') AS period, amount, currency_code
FROM close.breaks WHERE starts_with(subject, strftime(period_month, '%Y-%m '))
"""


@dataclass(frozen=True, slots=True)
class ListedBreak:
    """One break as `breaks list` shows it; ``amount`` in ``currency``, ``age_days`` since it was first seen."""

    break_id: int
    kind: str
    subject: str
    company: str | None
    document_key: int | None
    document_no: str | None
    period: str
    amount: Decimal | None
    currency: str | None
    message: str
    next_step: str
    since: str
    until: str | None
    age_days: int
    is_accepted: bool
    accepted_by: str | None
    accepted_at: str | None
    comment: str | None

    def as_dict(self) -> dict[str, object]:
        """Return the object that `--json` prints."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Decided:
    """What a command came to; ``is_new`` is false when it had been decided so before and nothing was written."""

    action: str
    break_id: int
    kind: str
    subject: str
    is_new: bool
    message: str

    def as_dict(self) -> dict[str, object]:
        """Return the object that `--json` prints."""
        return asdict(self)


def list_breaks(
    settings: Settings, *, kind: str | None, period: str | None, is_all: bool, now: Callable[[], datetime]
) -> list[ListedBreak]:
    """Return the open breaks, with ``is_all`` those that are over too; the oldest first.

    ``kind`` is its beginning (`document`, `payment over paid`), ``period`` a month as 2026-10: that of the document or
    row, else the one in which the break was first seen. Raises UsageError for a period that is no month.
    """
    if period is not None:
        _check_period(period)
    control = Control(settings.control_path)
    try:
        rows = control.read(named_statements("breaks")["list"], {"is_all": int(is_all)})
    finally:
        control.close()
    with open_tables(settings) as tables:
        figures = _figures(tables)
    today = now().date()
    found = [_listed(row, figures.get((row["kind"], row["subject"]), {}), today) for row in rows]
    return [one for one in found if one.kind.startswith(kind or "") and period in {None, one.period}]


def decide(
    action: str, name: str, *, settings: Settings, words: str, operator: str, now: Callable[[], datetime]
) -> Decided:
    """Carry out accept, reopen or comment on the open break that ``name`` means: its number, subject or document.

    Raises UsageError for a name of none or of several, and for missing words.
    """
    text = " ".join(words.split())
    if not text or len(text) > LONGEST_WORDS:
        raise UsageError(f"The words have {len(text)} characters.", next_step=f"say why in 1 to {LONGEST_WORDS}.")
    control = Control(settings.control_path)
    try:
        with control.write() as connection:
            row = _find(connection, name.strip())
            return _decide(connection, action, row, text, operator=operator.strip(), at=utc_text(now()))
    finally:
        control.close()


def _decide(
    connection: sqlite3.Connection, action: str, row: sqlite3.Row, words: str, *, operator: str, at: str
) -> Decided:
    statements = named_statements("breaks")
    label = f"Break {row['break_id']} ({row['kind']}, {row['document_no'] or row['subject']})"
    if action == "accept" and _is_accepted(row):
        since = moment(row["accepted_at"])
        told = f"{label} is accepted already, by {row['accepted_by']} since {since}: {row['comment']}"
        return _decided(action, row, told, is_new=False)
    if action == "reopen" and row["accepted_hash"] is None:
        return _decided(action, row, f"{label} stands as it is: nobody has accepted it.", is_new=False)
    values = {
        "break_id": row["break_id"],
        "action": action,
        "words": words,
        "figures_hash": row["figures_hash"],
        "operator": operator,
        "at": at,
    }
    connection.execute(statements["decide"], values)
    connection.execute(statements[action], values)
    return _decided(action, row, f"{label} {_TOLD[action]}")


_TOLD: Mapping[str, str] = {
    "accept": "is accepted as it is, until its figures move.",
    "reopen": "stands again.",
    "comment": "has the comment.",
}


def _decided(action: str, row: sqlite3.Row, message: str, *, is_new: bool = True) -> Decided:
    return Decided(action, row["break_id"], row["kind"], row["subject"], is_new, message)


def _find(connection: sqlite3.Connection, name: str) -> sqlite3.Row:
    number = name.removeprefix(BY_NUMBER)
    values = {
        "number": int(number) if number.isdecimal() and int(number) < 2**63 else -1,
        "text": "" if name.startswith(BY_NUMBER) else name,
    }
    found = connection.execute(named_statements("breaks")["find"], values).fetchall()
    if len(found) == 1:
        row: sqlite3.Row = found[0]
        return row
    if not found:
        raise UsageError(f"No break {name} is open.", next_step="springline breaks list shows those that are.")
    raise UsageError(
        f"{name} means {len(found)} breaks: {_several(found)}.",
        next_step=f"name one of them by its number, as in {BY_NUMBER}{found[0]['break_id']}.",
    )


def _several(rows: Sequence[sqlite3.Row]) -> str:
    listed = "; ".join(f"{row['break_id']} ({row['kind']}, {row['subject']})" for row in rows[:MOST_LISTED])
    return listed + (f"; and {len(rows) - MOST_LISTED} more" if len(rows) > MOST_LISTED else "")


def _figures(tables: Tables | None) -> dict[tuple[str, str], Mapping[str, Any]]:
    rows = [] if tables is None else [*tables.rows(_CLOSE_FIGURES), *tables.rows(_FIGURES)]
    return {(row["kind"], row["subject"]): row for row in rows}


def _listed(row: sqlite3.Row, figures: Mapping[str, Any], today: date) -> ListedBreak:
    is_accepted = _is_accepted(row)
    return ListedBreak(
        break_id=row["break_id"],
        kind=row["kind"],
        subject=row["subject"],
        company=row["company"],
        document_key=row["document_key"],
        document_no=row["document_no"],
        period=figures.get("period") or _period_of(row),
        amount=figures.get("amount"),
        currency=figures.get("currency_code"),
        message=row["message"],
        next_step=row["next_step"],
        since=row["since"],
        until=row["until"],
        age_days=(today - date.fromisoformat(row["since"][:DAY_DIGITS])).days,
        is_accepted=is_accepted,
        accepted_by=row["accepted_by"] if is_accepted else None,
        accepted_at=row["accepted_at"] if is_accepted else None,
        comment=row["comment"],
    )


def _is_accepted(row: sqlite3.Row) -> bool:
    return row["accepted_hash"] is not None and row["accepted_hash"] == row["figures_hash"]


def _period_of(row: sqlite3.Row) -> str:
    """Return the month a subject begins with (a rate's day, a close's period), else the one of the first sight."""
    head = str(row["subject"])[:MONTH_DIGITS]
    return head if _is_period(head) else str(row["since"])[:MONTH_DIGITS]


def _check_period(period: str) -> None:
    if not _is_period(period):
        raise UsageError(f"--period {period} is no month.", next_step="write it as 2026-10.")


def _is_period(text: str) -> bool:
    try:
        return date.fromisoformat(f"{text}-01").isoformat() == f"{text}-01"
    except ValueError:
        return False
