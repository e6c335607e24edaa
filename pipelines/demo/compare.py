"""Compares both sides' own books with each other, and with what the sample world was made to show."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from pipelines.core.resources import sample_folder
from pipelines.demo.actuals import compare_actuals
from pipelines.demo.books import read_books
from pipelines.demo.breaks import compare_breaks
from pipelines.demo.compared import ComparisonResult
from pipelines.demo.documents import TypeCounts, compare_documents
from pipelines.demo.payments import compare_invoices, compare_transfers
from pipelines.demo.rates import compare_rates
from pipelines.questions.status import read_status

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.demo.server import SandboxControl

_UNDONE = "match undone"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides beside each other; ``differences`` says where they do not agree, documents included."""

    counts: tuple[TypeCounts, ...]
    results: tuple[ComparisonResult, ...]
    held: tuple[Mapping[str, Any], ...]
    rejected: tuple[Mapping[str, Any], ...]
    differences: tuple[str, ...]


def compare(
    settings: Settings, control: SandboxControl, *, stage: str, today: date, now: Callable[[], datetime]
) -> Comparison:
    """Ask each side for its own books after a stage of the later actions, and compare them.

    Of Springline's own records only those are read that a person sees too: what is held, set aside or a break. All else
    comes from the two systems, so that a fault of Springline cannot prove itself right.
    """
    books = read_books(settings, control, now=now)
    status = read_status(settings, now=now())
    # What the sample world was made to show was written with the world, before any run.
    documents = _read_expected("expected.json")["documents"]
    expected = _read_expected("later/expected.json")[stage]
    held, rejected = ({row["document_no"] for row in status[name]} for name in ("held", "rejected"))
    counts, differences = compare_documents(books, documents, held=held, rejected=rejected)
    # A match that was undone in the ledger stays a payment in the VMS: nothing is taken back there.
    undone = frozenset(number for number, row in expected["invoices"].items() if row["why"] == _UNDONE)
    results = (
        compare_rates(books, expected["rates"], today=today),
        compare_invoices(books, expected["invoices"]),
        compare_transfers(books, expected["payments"], undone),
        compare_actuals(books, expected["actuals"]),
        compare_breaks(books, documents, expected, status["breaks"]),
    )
    return Comparison(
        counts=tuple(counts),
        results=results,
        held=tuple(status["held"]),
        rejected=tuple(status["rejected"]),
        differences=(*differences, *(difference for result in results for difference in result.differences)),
    )


def _read_expected(name: str) -> dict[str, Any]:
    return dict(json.loads((sample_folder() / name).read_text(encoding="utf-8")))
