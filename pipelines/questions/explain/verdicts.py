"""What every rule says of a document, those it meets too, and what people decided on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.checks.hold import HELD_BY_PERSON
from pipelines.checks.suites import load_rules
from pipelines.steering.bank_changes import RULE as BANK_CHANGE
from pipelines.steering.decisions import decisions_on, ignored_row

if TYPE_CHECKING:
    import sqlite3

    from pipelines.steering.find_document import Document
    from pipelines.stores.control import Control

FAILED, PASSED, NOT_CHECKED = "failed", "passed", "not checked"


def verdicts_on(control: Control, document: Document, *, is_checked: bool) -> list[dict[str, Any]]:
    """Return one verdict for each rule, as of the last check; ``is_checked`` says that there was one."""
    standing = {row["rule"]: row for row in holds_on(control, document) if row["until"] is None}
    return [
        {
            "rule": rule.name,
            "severity": rule.severity,
            "title": rule.title,
            "verdict": FAILED if rule.name in standing else PASSED if is_checked else NOT_CHECKED,
            "message": standing[rule.name]["message"] if rule.name in standing else None,
            "since": standing[rule.name]["since"] if rule.name in standing else None,
        }
        for rule in load_rules().rules.values()
    ]


def holds_on(control: Control, document: Document) -> list[sqlite3.Row]:
    """Return every hold a document ever had, oldest first, those by people too."""
    return control.read(
        "SELECT rule, severity, message, since, until FROM holds WHERE document_key = ? ORDER BY hold_id",
        (document.key,),
    )


def decided_on(control: Control, document: Document) -> list[dict[str, Any]]:
    """Return what people decided on a document, oldest first."""
    members = ("at", "action", "operator", "reason", "document_key")
    return [{name: row[name] for name in members} for row in decisions_on(control, document)]


def ignored_since(control: Control, document: Document) -> dict[str, Any] | None:
    """Return the entry of the ignore list that stands for a document."""
    row = ignored_row(control, document)
    return None if row is None else {name: row[name] for name in ("reason", "operator", "since")}


def set_aside(control: Control, document: Document) -> str | None:
    """Return why the document as it stands in the VMS cannot be read, None where it can."""
    message: str | None = control.one(
        "SELECT message FROM rejected WHERE side = 'vms' AND entity = 'Document' AND until IS NULL "
        "AND (object_key = CAST(? AS TEXT) OR document_no = ?) ORDER BY rejected_id DESC",
        (document.key, document.number),
    )
    return message


def waiting_bank_change(control: Control, partner_code: str | None) -> str | None:
    """Return what is said of a bank change of the partner that waits for a second person; it holds no document."""
    message: str | None = control.one(
        "SELECT message FROM holds WHERE rule = ? AND document_no = ? AND until IS NULL", (BANK_CHANGE, partner_code)
    )
    return message


def is_held_by_person(row: sqlite3.Row) -> bool:
    """Tell a person's hold from a rule's."""
    return bool(row["rule"] == HELD_BY_PERSON)
