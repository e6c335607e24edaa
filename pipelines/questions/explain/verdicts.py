"""What every rule found, or looked for and did not find, on a document, and what people decided on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipelines.checks.suites import load_rules
from pipelines.steering.bank_changes import RULE as BANK_CHANGE
from pipelines.steering.decisions import decisions_on, ignored_row
from pipelines.stores.control import named_statements

if TYPE_CHECKING:
    from pipelines.steering.find_document import Document
    from pipelines.stores.control import Control

FAILED, PASSED, NOT_CHECKED = "failed", "passed", "not checked"


def verdicts_on(holds: Sequence[dict[str, Any]], *, is_checked: bool) -> list[dict[str, Any]]:
    """Return one verdict for each rule, as of the last check; ``is_checked`` says that there was one."""
    # Only what a rule found is kept, so a rule without a standing hold has passed, if there was a check at all.
    standing = {hold["rule"]: hold for hold in holds if hold["until"] is None}
    otherwise = {"verdict": PASSED if is_checked else NOT_CHECKED, "message": None, "since": None}
    return [
        {
            "rule": rule.name,
            "severity": rule.severity,
            "title": rule.title,
            **(
                {"verdict": FAILED, "message": hold["message"], "since": hold["since"]}
                if (hold := standing.get(rule.name))
                else otherwise
            ),
        }
        for rule in load_rules().rules.values()
    ]


def holds_on(control: Control, document: Document) -> list[dict[str, Any]]:
    """Return every hold a document ever had, oldest first, also those that a person put on."""
    rows = control.read(named_statements("questions")["holds"], {"document_key": document.key})
    return [dict(row) for row in rows]


def breaks_on(control: Control, document: Document) -> list[dict[str, Any]]:
    """Return the open breaks of a document, oldest first; an acceptance counts while its figures stand."""
    named = {"document_key": document.key, "document_no": document.number}
    rows = control.read(named_statements("questions")["breaks_on"], named)
    return [{**row, "is_accepted": bool(row["is_accepted"])} for row in map(dict, rows)]


def decided_on(control: Control, document: Document) -> list[dict[str, Any]]:
    """Return what people decided on a document, oldest first."""
    # Without the number of the decision, which says nothing to a reader.
    members = ("at", "action", "operator", "reason", "document_key")
    return [{name: row[name] for name in members} for row in decisions_on(control, document)]


def ignored_since(control: Control, document: Document) -> dict[str, Any] | None:
    """Return the document's entry on the ignore list, None when it is not on it."""
    row = ignored_row(control, document)
    return None if row is None else {name: row[name] for name in ("reason", "operator", "since")}


def set_aside(control: Control, document: Document) -> str | None:
    """Return why the document cannot be read as the VMS has it now, None where it can."""
    message: str | None = control.one(
        named_statements("questions")["set_aside"], {"document_key": document.key, "document_no": document.number}
    )
    return message


def waiting_bank_change(control: Control, partner_code: str | None) -> str | None:
    """Return the message on a changed bank account of the partner that nobody has confirmed yet.

    It holds back the account, not the document.
    """
    message: str | None = control.one(
        named_statements("questions")["waiting_bank_change"], {"rule": BANK_CHANGE, "partner_code": partner_code}
    )
    return message
