"""What every rule says of a document, also the rules it meets, and what people decided on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipelines.checks.suites import load_rules
from pipelines.steering.bank_changes import RULE as BANK_CHANGE
from pipelines.steering.decisions import decisions_on, ignored_row

if TYPE_CHECKING:
    from pipelines.steering.find_document import Document
    from pipelines.stores.control import Control

FAILED, PASSED, NOT_CHECKED = "failed", "passed", "not checked"


def verdicts_on(holds: Sequence[dict[str, Any]], *, is_checked: bool) -> list[dict[str, Any]]:
    """Return one verdict for each rule, as of the last check; ``is_checked`` says that there was one."""
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
    rows = control.read(
        "SELECT rule, severity, message, since, until FROM holds WHERE document_key = ? ORDER BY hold_id",
        (document.key,),
    )
    return [dict(row) for row in rows]


def decided_on(control: Control, document: Document) -> list[dict[str, Any]]:
    """Return what people decided on a document, oldest first."""
    members = ("at", "action", "operator", "reason", "document_key")
    return [{name: row[name] for name in members} for row in decisions_on(control, document)]


def ignored_since(control: Control, document: Document) -> dict[str, Any] | None:
    """Return the document's entry on the ignore list, None when it is not on it."""
    row = ignored_row(control, document)
    return None if row is None else {name: row[name] for name in ("reason", "operator", "since")}


def set_aside(control: Control, document: Document) -> str | None:
    """Return why the document cannot be read as the VMS has it now, None where it can."""
    # The key is text in this table, because the ledger's objects stand in it too; a broken document may have none.
    message: str | None = control.one(
        "SELECT message FROM rejected WHERE side = 'vms' AND entity = 'Document' AND until IS NULL "
        "AND (object_key = CAST(? AS TEXT) OR document_no = ?) ORDER BY rejected_id DESC",
        (document.key, document.number),
    )
    return message


def waiting_bank_change(control: Control, partner_code: str | None) -> str | None:
    """Return the message on a changed bank account of the partner that nobody has confirmed yet.

    It holds back the account, not the document. `ctl.holds` has the partner's code in the place of a document number.
    """
    message: str | None = control.one(
        "SELECT message FROM holds WHERE rule = ? AND document_no = ? AND until IS NULL", (BANK_CHANGE, partner_code)
    )
    return message
