"""What people decided on documents, as the control store keeps it: who, when, why, and what of it still stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from pipelines.core.errors import UsageError

if TYPE_CHECKING:
    import sqlite3

    from pipelines.steering.find_document import Document
    from pipelines.stores.control import Control

# A batch that was at work while somebody decided may have made its hold already: that one is not told twice.
_HOLDS_TO_COME = """
SELECT
    document_no, document_key, company, 'held_by_person' AS rule,
    'from the next run on: put on hold by ' || operator || ' (' || reason || '); `springline release` lifts it.'
        AS message,
    at AS since
FROM decisions AS held
WHERE
    action = 'hold' AND subject = 'document'
    AND at >= COALESCE((SELECT MAX(started_at) FROM batches), '')
    AND NOT EXISTS (
        SELECT 1 FROM decisions AS later
        WHERE
            later.decision_no > held.decision_no AND later.subject = 'document' AND later.action IN ('hold', 'release')
            AND later.document_no = held.document_no
            AND COALESCE(later.document_key = held.document_key, TRUE) AND COALESCE(later.company = held.company, TRUE)
    )
    AND NOT EXISTS (
        SELECT 1 FROM holds
        WHERE
            holds.until IS NULL AND holds.rule = 'held_by_person' AND holds.document_no = held.document_no
            AND COALESCE(holds.document_key = held.document_key, TRUE)
            AND COALESCE(holds.company = held.company, TRUE)
    )
ORDER BY at, document_no
"""
# How far retries have been carried out, as the number of the last decision.
RETRIED = "decisions.retried"
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of `ctl.decisions`; of a supplier ``document_no`` is the code."""

    action: str
    subject: str
    company: str | None
    document_key: int | None
    document_no: str
    reason: str
    operator: str
    at: str


def reason_text(text: str) -> str:
    """Return a reason or a comment on one line; UsageError when it is empty or too long."""
    line = " ".join(text.split())
    if not line or len(line) > LONGEST_REASON:
        raise UsageError(f"The reason has {len(line)} characters.", next_step=f"say why in 1 to {LONGEST_REASON}.")
    return line


def record(
    control: Control, decision: Decision, *, also: Callable[[sqlite3.Connection], None] = lambda _connection: None
) -> None:
    """Append a decision, and whatever follows from it, in one transaction.

    ``also`` writes what follows: a decision without its effect, or the other way round, must not be left by a crash.
    """
    with control.write() as connection:
        insert_decision(connection, decision)
        also(connection)


def insert_decision(connection: sqlite3.Connection, decision: Decision) -> None:
    """Append a decision inside the caller's transaction."""
    connection.execute(
        "INSERT INTO decisions (action, subject, company, document_key, document_no, reason, operator, at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        astuple(decision),
    )


def decisions_on(control: Control, document: Document) -> list[sqlite3.Row]:
    """Return the decisions on a document, oldest first; those by number alone count for every document that has it."""
    return control.read(
        "SELECT decision_no, action, company, document_key, document_no, reason, operator, at FROM decisions "
        "WHERE subject = 'document' AND (document_key = :key OR (document_no = :number AND document_key IS NULL "
        "AND (company IS NULL OR company = :company OR :company IS NULL))) ORDER BY decision_no",
        {"key": document.key, "number": document.number, "company": document.company},
    )


def standing_hold(control: Control, document: Document) -> sqlite3.Row | None:
    """Return the decision that holds a document now, None when none does."""
    # The last word counts: a hold after a release holds again.
    words = [row for row in decisions_on(control, document) if row["action"] in {"hold", "release"}]
    return words[-1] if words and words[-1]["action"] == "hold" else None


def holds_to_come(control: Control) -> list[dict[str, object]]:
    """Return what people have put on hold since the last batch began, in the columns of `status`' list of what is held.

    The next run makes holds of them; a hold by number may be of a document that no batch has read yet.
    """
    return [dict(row) for row in control.read(_HOLDS_TO_COME)]


def ignored_row(control: Control, document: Document) -> sqlite3.Row | None:
    """Return the entry of the ignore list that stands for a document now; ``row_no`` is its place."""
    # By number alone it counts for a document that had not been read when the person decided.
    rows = control.read(
        "SELECT rowid AS row_no, reason, operator, since FROM ignored WHERE until IS NULL "
        "AND (document_key = ? OR (document_key IS NULL AND document_no = ?))",
        (document.key, document.number),
    )
    return rows[0] if rows else None


def last_retry(control: Control, document: Document) -> sqlite3.Row | None:
    """Return the retry that has been asked for and not been carried out."""
    # Decisions are numbered in their order, so one number says which retries the batch has carried out.
    done = retried_up_to(control)
    rows = [row for row in decisions_on(control, document) if row["action"] == "retry" and row["decision_no"] > done]
    return rows[-1] if rows else None


def retried_up_to(control: Control) -> int:
    """Return the number of the last decision whose retry has been carried out."""
    return int(control.mark(RETRIED) or 0)
