"""Writes the sentence an accountant reads: which document, which rule, what was found, what to change and where."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from string import Formatter
from typing import TYPE_CHECKING

from pipelines.core import words
from pipelines.core.errors import CheckError
from pipelines.core.identifiers import shown_code

if TYPE_CHECKING:
    from pipelines.checks.suites import Rule
    from pipelines.stores.rows import Row

LABEL_COLUMNS = ("document_key", "document_no", "document_type", "partner_name", "company_code")
MOST_FINDINGS = 5
# What holds without a rule: how what is wrong begins, and what to do.
_WITHOUT_RULE = (("held by", "`springline "), ("its bank account changes", "Check it "))
# Models list the numbers of lines; where there is one, "lines 2" would be two of them.
_ONE_LINE = re.compile(r"\blines (?=\d+$)")


def write_message(rule: Rule, *, findings: Sequence[str], row: Row) -> str:
    """Join document, title, findings and next step into one line; ``findings`` are filled in already."""
    # Lines of one document often fail alike; the order in which they were found is kept.
    shown = list(dict.fromkeys(finding for finding in findings if finding))
    if len(shown) > MOST_FINDINGS:
        shown = [*shown[:MOST_FINDINGS], f"and {len(shown) - MOST_FINDINGS} more"]
    found = f" ({'; '.join(_ONE_LINE.sub('line ', finding) for finding in shown)})" if shown else ""
    return f"{document_label(row)}: {rule.title}{found}. {fill(rule.next_step, row=row)}"


def split_message(message: str, *, rule: Rule | None) -> tuple[str, str]:
    """Part a sentence of ``write_message`` into what is wrong and what to do, without the document it begins with.

    Where the words of the rule have changed since, all of it is what is wrong. Without a rule it is the hold of a
    person, or that of a supplier whose bank account changes (pipelines/steering/bank_changes.py).

    >>> split_message("INI 7 (Agent AS): held by kari (late). `springline release 7 --reason …` lifts it.", rule=None)
    ('held by kari (late).', '`springline release 7 --reason …` lifts it.')
    >>> split_message("Supplier 605 (Dr. A: B): its bank account changes from 1 to 2. Check it with her.", rule=None)
    ('its bank account changes from 1 to 2.', 'Check it with her.')
    """
    kinds = ((rule.title, rule.next_step.partition("{")[0]),) if rule else _WITHOUT_RULE
    # The title and not the first colon: the document's partner may have one in its name.
    title, begins = next((kind for kind in kinds if f": {kind[0]}" in message), ("", kinds[0][1]))
    told = title + message.partition(f": {title}")[2]
    why, found, rest = told.rpartition(f". {begins}") if begins else (told, "", "")
    if title and not found:
        why, found, rest = told.partition(". ")
        begins = ""
    return (f"{why}.", f"{begins}{rest}") if found else (told or message, "")


def document_label(row: Row) -> str:
    """Name a document as people know it.

    >>> document_label({"document_type": "INI", "document_no": "2707400", "partner_name": "Nordic Agency AS"})
    'INI 2707400 (Nordic Agency AS)'
    """
    number = row["document_no"] or f"with key {row['document_key']}"
    partner = row["partner_name"]
    return words.value(f"{row['document_type']} {number}") + (f" ({words.value(partner)})" if partner else "")


def fill(template: str, *, row: Row) -> str:
    """Put the values of a row into the braces of a template.

    ``{total:currency}`` is the amount of column ``total`` in the currency that column ``currency`` names.

    >>> fill("off by {gap:currency}, {days} days", row={"gap": Decimal("95.0000"), "currency": "USD", "days": 3})
    'off by USD 95.00, 3 days'

    Raises CheckError when the row has no such column.
    """
    try:
        return "".join(
            text + (_write(row, name, currency) if name else "") for text, name, currency in _parts(template)
        )
    except KeyError as error:
        message = f"The template {template!r} names a column that the checked table does not have: {error}."
        raise CheckError(message, next_step="nothing was sent; go back to the release before and report it.") from error


def fields(template: str) -> frozenset[str]:
    """Return the columns a template names."""
    return frozenset(column for _, *columns in _parts(template) for column in columns if column)


def _parts(template: str) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield each piece of text, the column behind it, and the column that has its currency."""
    for text, name, currency, _ in Formatter().parse(template):
        yield text, name, currency


def _write(row: Row, name: str, currency: str | None) -> str:
    value = row[name]
    if currency and isinstance(value, Decimal):
        code = row[currency]
        return words.amount(value, None if code is None else str(code))
    # Columns of this name hold codes (sql/post/document_checks.sql): one with a tab must not look like one without.
    return words.value(shown_code(str(value)) if name.startswith("missing_") and value is not None else value)
