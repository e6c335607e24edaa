"""Finds the document that a person names, by number or by key, wherever it has been seen so far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.core.errors import UsageError
from pipelines.stores.control import named_statements

if TYPE_CHECKING:
    from pipelines.stores.control import Control
    from pipelines.stores.open_tables import Tables

BY_KEY = "key:"
MOST_LISTED = 20

_IN_TABLES = tuple(
    f"SELECT document_no, document_key, company_code AS company, document_type FROM {table} "  # noqa: S608 our own names
    "WHERE document_no = ? OR document_key = ?"
    for table in ("stg_vms.documents", "post.vouchers", "map.open_documents")
)


@dataclass(frozen=True, slots=True)
class Document:
    """What names a document; key, company and type are None while no table has them."""

    number: str
    key: int | None = None
    company: str | None = None
    type: str | None = None

    @property
    def label(self) -> str:
        """Name it for people.

        >>> Document("2707400", 5200777, "28601", "INI").label
        'INI 2707400'
        """
        return f"{self.type or 'Document'} {self.number}"

    @property
    def name(self) -> str:
        """What a command takes that means this document and no other."""
        return self.number if self.key is None else f"{BY_KEY}{self.key}"


def find_document(text: str, *, control: Control, tables: Tables | None) -> Document | None:
    """Return the document with this number, else with this key; None when none was ever seen.

    ``key:5200777`` means the key alone. Raises UsageError that lists them when several documents have the number.
    """
    name = text.strip()
    if not name:
        raise UsageError("No document was named.", next_step="give its number, or its key as key:5200777.")
    key = name.removeprefix(BY_KEY)
    seen = list(_merged(_seen(key, control=control, tables=tables)))
    # A number comes first; key:… is there for a document whose key is another one's number.
    by_number = [document for document in seen if document.number == name]
    if len(by_number) > 1:
        raise _several(name, by_number)
    if by_number:
        return by_number[0]
    by_key = [document for document in seen if str(document.key) == key]
    if key != name and not by_key:
        raise UsageError(
            f"No document with {name} has been read yet.",
            next_step="`springline run documents` reads what is ready for posting; or give its number.",
        )
    return by_key[0] if by_key else None


def _seen(text: str, *, control: Control, tables: Tables | None) -> Iterator[Document]:
    # SQLite keeps 64 bits; more digits are a number only.
    key = int(text) if text.isdecimal() and int(text) < 2**63 else -1
    if tables is not None:
        for statement in _IN_TABLES:
            for row in tables.rows(statement, (text, key)):
                yield Document(row["document_no"], row["document_key"], row["company"], row["document_type"])
    named = control.read(named_statements("decisions")["documents_named"], {"text": text, "key": key})
    # Decisions, holds and sendings: these know documents that no table has any more.
    for number, document_key, company in named:
        if number is not None:
            yield Document(number, document_key, company)


def _merged(seen: Iterable[Document]) -> Iterator[Document]:
    """Yield each document once.

    A person may have decided by number before the document was read: such a row has no key, and is dropped as soon as
    a document with that number is known.
    """
    by_key: dict[int, Document] = {}
    unkeyed: dict[str, Document] = {}
    for document in seen:
        if document.key is None:
            unkeyed.setdefault(document.number, document)
            continue
        # The tables go first; a later place only fills in what they did not have.
        known = by_key.get(document.key, document)
        by_key[document.key] = Document(
            known.number, known.key, known.company or document.company, known.type or document.type
        )
    yield from sorted(by_key.values(), key=lambda document: document.key or 0)
    numbers = {document.number for document in by_key.values()}
    yield from (document for number, document in unkeyed.items() if number not in numbers)


def _several(number: str, documents: list[Document]) -> UsageError:
    texts = [f"{item.label} with key {item.key} of company {item.company or 'unknown'}" for item in documents]
    return UsageError(
        f"{len(documents)} documents have the number {number}: {listed(texts)}.",
        next_step=f"name one of them by its key, as in {documents[0].name}.",
    )


def listed(texts: Sequence[str]) -> str:
    """Write what a name may mean as one list, cut when it is long.

    >>> listed(["INI 2707400 with key 1", "INI 2707400 with key 2"])
    'INI 2707400 with key 1; INI 2707400 with key 2'
    """
    more = [f"and {len(texts) - MOST_LISTED} more"] if len(texts) > MOST_LISTED else []
    return "; ".join([*texts[:MOST_LISTED], *more])
