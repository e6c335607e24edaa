"""What people decided on documents, as the control store keeps it: who, when, why, and what of it still stands."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import structlog

from pipelines.core.errors import UsageError
from pipelines.core.operators import login_name
from pipelines.stores.control import named_statements
from pipelines.stores.control_types import ControlConnection, ControlRow

if TYPE_CHECKING:
    from pipelines.steering.find_document import Document
    from pipelines.stores.control import Control

log = structlog.get_logger()

# How far retries have been carried out, as the number of the last decision.
RETRIED = "decisions.retried"
LONGEST_REASON = 500
# The reason of the holds that a rebuilt or restored control store puts on: no person has given it.
RECOVERED = "the control store was made anew, and what people decided may be lost"


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


def decision_on(document: Document, action: str, *, reason: str, operator: str, at: str) -> Decision:
    """Make a decision on a document; ``at`` is UTC text."""
    return Decision(action, "document", document.company, document.key, document.number, reason, operator, at)


def reason_text(text: str) -> str:
    """Return a reason or a comment on one line; UsageError when it is empty or too long."""
    line = " ".join(text.split())
    if not line or len(line) > LONGEST_REASON:
        raise UsageError(f"The reason has {len(line)} characters.", next_step=f"say why in 1 to {LONGEST_REASON}.")
    return line


def note_login(action: str, *, subject: str, operator: str) -> None:
    """Put a decision into the log with the name it is recorded under, and the login, which nobody can choose."""
    log.info("decided", action=action, subject=subject, operator=operator, login=login_name())


def insert_decision(connection: ControlConnection, decision: Decision) -> None:
    """Append a decision inside the caller's transaction, and say in the log under which login it was taken."""
    note_login(decision.action, subject=f"{decision.subject} {decision.document_no}", operator=decision.operator)
    connection.execute(named_statements("decisions")["append"], asdict(decision))


def decisions_on(control: Control, document: Document) -> list[ControlRow]:
    """Return the decisions on a document, oldest first; those by number alone count for every document that has it."""
    return control.read(named_statements("decisions")["on_document"], asdict(document))


def standing_hold(control: Control, document: Document) -> ControlRow | None:
    """Return the decision that holds a document now, None when none does."""
    # The last word counts: a hold after a release holds again.
    words = [row for row in decisions_on(control, document) if row["action"] in {"hold", "release"}]
    return words[-1] if words and words[-1]["action"] == "hold" else None


def holds_to_come(control: Control) -> list[dict[str, object]]:
    """Return what people have put on hold since the last batch began, in the columns of `status`' list of what is held.

    The next run makes holds of them; a hold by number may be of a document that no batch has read yet.
    """
    return [dict(row) for row in control.read(named_statements("decisions")["holds_to_come"])]


def ignored_row(control: Control, document: Document) -> ControlRow | None:
    """Return the entry of the ignore list that stands for a document now; ``row_no`` is its place."""
    rows = control.read(named_statements("decisions")["ignored"], asdict(document))
    return rows[0] if rows else None


def last_retry(control: Control, document: Document) -> ControlRow | None:
    """Return the retry that has been asked for and not been carried out."""
    # Decisions are numbered in their order, so one number says which retries the batch has carried out.
    done = retried_up_to(control)
    rows = [row for row in decisions_on(control, document) if row["action"] == "retry" and row["decision_no"] > done]
    return rows[-1] if rows else None


def retried_up_to(control: Control) -> int:
    """Return the number of the last decision whose retry has been carried out."""
    return int(control.mark(RETRIED) or 0)
