"""Finds the document that a person means, whatever they call it: its number, or what others have written on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from shlex import quote
from typing import TYPE_CHECKING

from pipelines.core import words
from pipelines.core.errors import UsageError
from pipelines.questions.explain.nothing_found import no_document, whole_number
from pipelines.questions.explain.verdicts import waiting_bank_change
from pipelines.steering.break_decisions import BY_NUMBER
from pipelines.steering.find_document import BY_KEY, MOST_LISTED, Document, documents_named
from pipelines.stores.control import named_statements
from pipelines.stores.open_tables import WAREHOUSE

if TYPE_CHECKING:
    from pipelines.stores.control import Control
    from pipelines.stores.open_tables import Tables

PAYMENTS = frozenset({"PMI", "PMO"})
# The statements of sql/questions/find.sql, and what each asks for: the text, the number, or both.
FINDERS: Mapping[str, Sequence[str]] = {
    "by_words": ("text",),
    "by_voucher": ("number",),
    "by_booked_row": ("number",),
    "by_import_item": ("number",),
    "by_transferred_payment": ("text", "number"),
    "by_matched_payment": ("number",),
    "by_payment_in_vms": ("text",),
}
# A partner has many documents: asked for only where nothing else is called so.
BY_PARTNER: Mapping[str, Sequence[str]] = {"by_partner": ("text",)}


@dataclass(frozen=True, slots=True)
class Found:
    """One document and what the name is to it; what tells it apart is None where no table has it."""

    document: Document
    what: str
    partner: str | None = None
    day: date | None = None
    amount: Decimal | None = None
    currency: str | None = None

    @property
    def command(self) -> str:
        """The command that tells of this document and of no other."""
        return f"springline explain {self.document.name}"

    @property
    def traits(self) -> tuple[str, ...]:
        """What may tell it from others of the same name; an empty text where it is not known."""
        company = f"company {self.document.company}" if self.document.company else ""
        day = self.day.isoformat() if self.day else ""
        return (self.what, company, day, words.amount(self.amount, self.currency), self.partner or "")


def find(name: str, *, control: Control, tables: Tables | None, is_full: bool = False) -> tuple[Found, list[Found]]:
    """Return the document that is meant, and the others that the name may mean too.

    A document's own number comes first. After it count alike: its key, the supplier's invoice number, a KID, a voucher
    number, a payment (its number in the VMS, its voucher or row in the ledger), an import item, and the partner's code
    with one of them. Raises UsageError with a line for each document when the name means several (with ``is_full`` for
    all of them), and one that names the nearest when it means none.
    """
    text = " ".join(re.split(r"[\s/,;]+", name.strip()))
    if not text:
        raise UsageError("No document was named.", next_step="give its number, or its key as key:5200777.")
    if text.startswith(BY_NUMBER):
        text = _document_of_break(text.removeprefix(BY_NUMBER), control=control)
    _name_documents(tables)
    # As typed: a document's number may have blanks in it.
    own = documents_named(name.strip(), control=control, tables=tables) or documents_named(
        text, control=control, tables=tables
    )
    called = {} if text.startswith(BY_KEY) else _called(text, control=control, tables=tables)
    # A payment's story is that of the invoice it pays. Named by its key, the payment itself is meant.
    if called and own and own[0].type in PAYMENTS:
        own = []
    is_number = bool(own) and str(own[0].key) != text.removeprefix(BY_KEY)
    meant = {document.key: "document number" if is_number else "key" for document in own}
    others = {key: what for key, what in called.items() if key not in meant}
    found = _found({**meant, **others}, own, control=control, tables=tables)
    first, also = ([one for one in found if one.document.key in meant], others) if is_number else (found, {})
    if len(first) > 1:
        # A supplier's code means its documents; what waits for it itself is a bank account.
        waits = waiting_bank_change(control, text)
        raise _several(name.strip(), first, is_full=is_full, about_it=[waits] if waits else [])
    if not first:
        raise no_document(name.strip(), control=control, tables=tables)
    return first[0], [one for one in found if one.document.key in also]


def _document_of_break(number: str, *, control: Control) -> str:
    rows = control.read(named_statements("questions")["break_by_number"], {"number": whole_number(number)})
    if not rows:
        raise UsageError(f"There is no break {number}.", next_step="springline breaks list shows those that are open.")
    row = rows[0]
    if row["document_key"] is None and row["document_no"] is None:
        raise UsageError(
            f"Break {number} ({row['kind']}, {row['subject']}) belongs to no document. {row['message']}",
            next_step=row["next_step"],
        )
    return str(row["document_no"]) if row["document_key"] is None else f"{BY_KEY}{row['document_key']}"


def _name_documents(tables: Tables | None) -> None:
    """Make the view `called` that the statements ask; where the file lacks its table they give no rows."""
    if tables is not None:
        statements = named_statements("find", folder="questions")
        file = "warehouse" if tables.origin == WAREHOUSE else "published_file"
        tables.rows(statements[f"documents_of_{file}"])


def _called(text: str, *, control: Control, tables: Tables | None) -> dict[int | None, str]:
    """Return the keys of the documents that are called so, each with what the text is to it."""
    capitals = text.upper()
    rows = control.read(named_statements("questions")["called"], {"text": capitals})
    called: dict[int | None, str] = {row["document_key"]: row["what"] for row in rows}
    if tables is None:
        return called
    statements = named_statements("find", folder="questions")
    values: Mapping[str, object] = {"text": capitals, "number": whole_number(text)}
    for finders in (FINDERS, BY_PARTNER):
        for name, asked in finders.items():
            found = tables.rows(statements[name], [values[one] for one in asked])
            called |= {row["document_key"]: row["what"] for row in found}
        if called:
            break
    return called


def _found(
    whats: Mapping[int | None, str], known: Iterable[Document], *, control: Control, tables: Tables | None
) -> list[Found]:
    """Return these documents with what tells them apart, the largest first."""
    keys = [key for key in whats if key is not None]
    statement = named_statements("find", folder="questions")["facts"]
    found: dict[int | None, Found] = {}
    for row in tables.rows(statement, [keys]) if tables is not None else []:
        key = row["document_key"]
        document = Document(row["document_no"], key, row["company_code"], row["document_type"])
        facts = (row["partner_name"], row["document_date"], row["amount"], row["currency_code"])
        found[key] = Found(document, whats[key], *facts)
    by_key = {document.key: document for document in known}
    for key in whats:
        if key not in found:
            named = (
                [by_key[key]] if key in by_key else documents_named(f"{BY_KEY}{key}", control=control, tables=tables)
            )
            if named:
                found[key] = Found(named[0], whats[key])
    return list(found.values())


def _several(name: str, found: Sequence[Found], *, is_full: bool, about_it: Sequence[str]) -> UsageError:
    """List them, a line each: the command, the document, and of the rest only what tells them apart.

    ``about_it`` is said first: it concerns what has the name, and not one of its documents.
    """
    shown = found if is_full else found[:MOST_LISTED]
    apart = [any(values) and len({*values}) > 1 for values in zip(*(one.traits for one in found), strict=True)]
    width = max(len(one.command) for one in shown)
    lines = [
        f"  {one.command:<{width}}  "
        + ", ".join(
            [one.document.label, *(text for text, tells in zip(one.traits, apart, strict=True) if text and tells)]
        )
        for one in shown
    ]
    if len(found) > len(shown):
        lines.append(f"  … and {len(found) - len(shown)} more: springline explain {quote(name)} --full")
    return UsageError(
        "\n".join([*about_it, f"{name} means {len(found)} documents:", *lines]), next_step="run one of these commands."
    )
