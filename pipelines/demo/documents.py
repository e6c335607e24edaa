"""Compares documents: what became of each on both sides, and what the sample world was made to show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.demo.compared import Row

if TYPE_CHECKING:
    from pipelines.demo.books import Books, VmsDocument

LEFT_ALONE = "left alone"


@dataclass(frozen=True, slots=True)
class TypeCounts:
    """One line of the closing table: what became of the documents of one type."""

    document_type: str
    posted: int
    held: int
    set_aside: int
    left_alone: int


def compare_documents(
    books: Books, expected: Mapping[str, Row], *, held: Collection[str], rejected: Collection[str]
) -> tuple[list[TypeCounts], list[str]]:
    """Count what became of each type's documents, and list those whose outcome is not the one they were made for."""
    by_number = {document.number: document for document in books.documents.values()}
    counts: Counter[tuple[str, str]] = Counter()
    differences = []
    for number, row in expected.items():
        outcome = _outcome(books, by_number.get(number), held=held, rejected=rejected)
        counts[row["type"], outcome] += 1
        meant = LEFT_ALONE if row["outcome"] in {"shown", "ignored"} else row["outcome"]
        if outcome != meant:
            differences.append(f"{row['type']} {number}: meant to be {meant} ({row['branch']}), but is {outcome}")
    by_type = [
        TypeCounts(kind, *(counts[kind, outcome] for outcome in ("posted", "held", "rejected", LEFT_ALONE)))
        for kind in sorted({kind for kind, _ in counts})
    ]
    return by_type, differences


def _outcome(books: Books, document: VmsDocument | None, *, held: Collection[str], rejected: Collection[str]) -> str:
    """Return what became of a document, by what the two sides themselves hold."""
    if document is None:
        return "not in the VMS"
    # The books go first: a document that was posted and is held as well was posted wrongly, and must show.
    if booked := books.vouchers.get(document.key, ()):
        return _booked_outcome(document, booked)
    if document.number in held:
        return "held"
    return "rejected" if document.number in rejected else LEFT_ALONE


def _booked_outcome(document: VmsDocument, booked: Sequence[Row]) -> str:
    # Posted twice is the worst outcome, so it is asked first and never called "posted".
    if len(booked) > 1:
        return f"posted {len(booked)} times"
    if document.status != "POS":
        return f"posted but {document.status} in the VMS"
    return "posted" if _agrees(document, booked[0]["lines"]) else "posted with another amount"


def _agrees(document: VmsDocument, lines: Iterable[Row]) -> bool:
    """Tell whether the control lines add up to the document's amount, and all lines to zero.

    A document that carries both sides itself is booked without a control line, and adds up to nothing.
    """
    # A line as Springline sent it, not as the ledger completed it. Only detail lines have a fourth dimension.
    nodes = [line["sent"] for line in lines if line.get("sent")]
    total = sum((Decimal(node["invoiceAmount"]) for node in nodes), Decimal(0))
    control = [Decimal(node["invoiceAmount"]) for node in nodes if node.get("xgl") is None]
    return bool(nodes) and not total and abs(sum(control, Decimal(0))) == abs(document.amount)
