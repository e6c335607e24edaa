"""Writes the sentence an accountant reads: which document, which rule, what was found, what to change and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Formatter
from typing import TYPE_CHECKING

from pipelines.core.errors import CheckError
from pipelines.core.words import show

if TYPE_CHECKING:
    from pipelines.checks.suites import Rule

Row = Mapping[str, object]
LABEL_COLUMNS = ("document_key", "document_no", "document_type", "partner_name", "company_code")
MOST_FINDINGS = 5


def write_message(rule: Rule, *, findings: Sequence[str], row: Row) -> str:
    """Join document, title, findings and next step into one line; ``findings`` are filled in already."""
    shown = list(dict.fromkeys(finding for finding in findings if finding))
    if len(shown) > MOST_FINDINGS:
        shown = [*shown[:MOST_FINDINGS], f"and {len(shown) - MOST_FINDINGS} more"]
    found = f" ({'; '.join(shown)})" if shown else ""
    return f"{document_label(row)}: {rule.title}{found}. {fill(rule.next_step, row=row)}"


def document_label(row: Row) -> str:
    """Name a document as people know it.

    >>> document_label({"document_type": "INI", "document_no": "2707400", "partner_name": "Nordic Agency AS"})
    'INI 2707400 (Nordic Agency AS)'
    """
    number = row["document_no"] or f"with key {row['document_key']}"
    partner = row["partner_name"]
    return show(f"{row['document_type']} {number}") + (f" ({show(partner)})" if partner else "")


def fill(template: str, *, row: Row) -> str:
    """Put the values of a row into the braces of a template.

    Raises CheckError when the row has no such column.
    """
    try:
        return template.format_map({name: show(row[name]) for name in fields(template)})
    except KeyError as error:
        message = f"The template {template!r} names a column that the checked table does not have: {error}."
        raise CheckError(message, next_step="correct the suite in expectations/ and run again.") from error


def fields(template: str) -> frozenset[str]:
    """Return the columns a template names."""
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name)
