"""What people decide on breaks: accept, reopen, comment; kept for good in the control store, also while a batch runs.

An acceptance is bound to the figures it was given for: when they move, the break stands again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.core.errors import UsageError
from pipelines.core.periods import read_period
from pipelines.core.words import moment
from pipelines.reconcile.kinds import CLOSE, kinds_found_by
from pipelines.steering.decisions import note_login, reason_text
from pipelines.steering.find_document import listed
from pipelines.stores.control import named_statements, utc_text
from pipelines.stores.control_types import ControlConnection, ControlRow
from pipelines.stores.lost import open_control
from pipelines.stores.open_tables import Tables, open_tables

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

BY_NUMBER = "no:"
DAY_DIGITS = 10

# The control store has no amounts: they are taken from who found the break. Of a break that belongs into several
# months close.breaks has a row for each, so only the close's own kinds are taken there.
_COMPARED_AMOUNTS = "SELECT kind, subject, amount, currency_code FROM rec.breaks"
_CLOSE_AMOUNTS = "SELECT kind, subject, amount, currency_code FROM close.breaks"
# Of what the jobs note by themselves; of a match that was undone it is what the VMS has too much.
_JOBS_AMOUNTS = (
    "SELECT kind, subject, company_amount AS amount, company_currency_code AS currency_code FROM post.actual_breaks",
    "SELECT kind, subject, coalesce(sent_amount - settled_amount, settled_amount) AS amount, currency_code "
    "FROM post.payment_breaks",
    "SELECT 'payment not placed' AS kind, subject, paid_ledger AS amount, currency_code FROM rec.stray_payments",
)


@dataclass(frozen=True, slots=True)
class ListedBreak:
    """One break as `breaks list` shows it; ``amount`` in ``currency``, ``age_days`` since it was first seen.

    ``figures_hash`` stands for its figures: an acceptance of what was shown holds for these and no others.
    ``end_reason`` says who ended it, where it is over and did not go by itself.
    """

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
    end_reason: str | None
    figures_hash: str
    age_days: int
    is_accepted: bool
    accepted_by: str | None
    accepted_at: str | None
    accepted_reason: str | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class BreakDecision:
    """What a command has decided; ``is_new`` is false when it had been decided so before and nothing was written."""

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
    settings: Settings,
    *,
    kind: str | None,
    period: str | None,
    now: Callable[[], datetime],
    company: str | None = None,
    is_all: bool = False,
    is_published: bool = False,
) -> list[ListedBreak]:
    """Return the open breaks, with ``is_all`` those that are over too; the oldest first.

    ``kind`` is how a kind begins (`document`, `payment over paid`), ``company`` one of the VMS, ``period`` a month as
    2026-10: the one noted with the break, else the one in which it was first seen. ``is_published`` takes amounts from
    the published file alone. Raises UsageError for a period that is no month.
    """
    if period is not None:
        read_period(period)
    with closing(open_control(settings, for_reading=True)) as control:
        rows = control.read(named_statements("breaks")["list"], {"is_all": int(is_all)})
    # After the control store, which is never locked for long: while these tables are open no batch can begin.
    with open_tables(settings, is_published=is_published) as tables:
        amounts = amounts_of_breaks(tables)
    today = now().date()
    breaks = [_listed(row, amounts.get((row["kind"], row["subject"]), {}), today) for row in rows]
    return [
        item
        for item in breaks
        if item.kind.startswith(kind or "") and period in {None, item.period} and company in {None, item.company}
    ]


def decide(
    action: str, names: Sequence[str], *, settings: Settings, words: str, operator: str, now: Callable[[], datetime]
) -> list[BreakDecision]:
    """Carry out accept, reopen or comment on the open breaks that ``names`` mean: numbers, subjects or documents.

    Raises UsageError for a name of none or of several, and for missing words; then nothing is decided on any of them.
    """
    text = reason_text(words)
    with closing(open_control(settings)) as control, control.write() as connection:
        rows = [_find(connection, name.strip()) for name in names]
        at = utc_text(now())
        return [decide_on(connection, action, row, text, operator=operator.strip(), at=at) for row in rows]


def decide_on(
    connection: ControlConnection, action: str, row: ControlRow, words: str, *, operator: str, at: str
) -> BreakDecision:
    """Carry out accept, reopen or comment on one open break inside the caller's transaction."""
    statements = named_statements("breaks")
    outcome = OUTCOMES[action]
    is_new = True
    if action == "accept" and row["accepted_hash"] == row["figures_hash"]:
        is_new = False
        since = moment(row["accepted_at"])
        outcome = f"is accepted already, by {row['accepted_by']} since {since}: {row['accepted_reason']}"
    # Asked of the acceptance itself and not of whether it still holds: one that fell because the figures moved would
    # hold again, without anybody's word, when they move back. Reopening ends it for good.
    if action == "reopen" and row["accepted_hash"] is None:
        is_new = False
        outcome = "stands as it is: nobody has accepted it."
    if is_new:
        values = {
            "break_id": row["break_id"],
            "action": action,
            "words": words,
            "figures_hash": row["figures_hash"],
            "operator": operator,
            "at": at,
        }
        note_login(action, subject=f"break {row['break_id']}", operator=operator)
        # First the record, then the effect, in one transaction: no break changes without a name behind it.
        connection.execute(statements["decide"], values)
        connection.execute(statements[action], values)
    label = f"Break {row['break_id']} ({row['kind']}, {row['document_no'] or row['subject']})"
    return BreakDecision(action, row["break_id"], row["kind"], row["subject"], is_new, f"{label} {outcome}")


OUTCOMES: Mapping[str, str] = {
    "accept": "is accepted as it is, until its figures move.",
    "reopen": "stands again.",
    "comment": "has the comment.",
}


def _find(connection: ControlConnection, name: str) -> ControlRow:
    number = name.removeprefix(BY_NUMBER)
    # SQLite keeps 64 bits: a longer number is no number of a break, but may be a subject.
    values = {
        "number": int(number) if number.isdecimal() and int(number) < 2**63 else -1,
        "text": "" if name.startswith(BY_NUMBER) else name,
    }
    rows = connection.execute(named_statements("breaks")["find"], values).fetchall()
    if len(rows) == 1:
        row: ControlRow = rows[0]
        return row
    if not rows:
        raise UsageError(f"No break {name} is open.", next_step="springline breaks list shows those that are.")
    texts = [f"{row['break_id']} ({row['kind']}, {row['subject']})" for row in rows]
    raise UsageError(
        f"{name} means {len(rows)} breaks: {listed(texts)}.",
        next_step=f"name one of them by its number, as in {BY_NUMBER}{rows[0]['break_id']}.",
    )


def amounts_of_breaks(tables: Tables | None) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Return ``amount`` and ``currency_code`` of each break by kind and subject; the control store has none."""
    if tables is None:
        return {}
    own = kinds_found_by(CLOSE)
    rows = [row for row in tables.rows(_CLOSE_AMOUNTS) if row["kind"] in own]
    rows += [row for statement in (*_JOBS_AMOUNTS, _COMPARED_AMOUNTS) for row in tables.rows(statement)]
    return {(row["kind"], row["subject"]): row for row in rows}


def _listed(row: ControlRow, amounts: Mapping[str, Any], today: date) -> ListedBreak:
    found = dict(row) | {"is_accepted": bool(row["is_accepted"])}
    return ListedBreak(
        **found,
        amount=amounts.get("amount"),
        currency=amounts.get("currency_code"),
        # The clock of another machine may have noted it.
        age_days=max(0, (today - date.fromisoformat(row["since"][:DAY_DIGITS])).days),
    )
