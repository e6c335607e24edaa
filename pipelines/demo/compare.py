"""Holds both sides' own books against each other, and against what the sample world was made to show."""

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
from pipelines.demo.compared import Compared
from pipelines.demo.documents import Line, compare_documents
from pipelines.demo.payments import compare_invoices, compare_transfers
from pipelines.demo.rates import compare_rates
from pipelines.questions.status import read_status

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.demo.server import Control

_UNDONE = "match undone"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What both sides hold beside each other; ``differences`` says in words where they do not agree."""

    lines: tuple[Line, ...]
    compared: tuple[Compared, ...]
    held: tuple[Mapping[str, Any], ...]
    rejected: tuple[Mapping[str, Any], ...]
    differences: tuple[str, ...]


def compare(
    settings: Settings, control: Control, *, stage: str, today: date, now: Callable[[], datetime]
) -> Comparison:
    """Ask each side for its own books after a stage of the later deeds, and compare them.

    Of Springline's own records only those are read that tell people of something: what is held, set aside or a break.
    """
    books = read_books(settings, control, now=now)
    status = read_status(settings, now=now())
    documents = _read_expected("expected.json")["documents"]
    expected = _read_expected("later/expected.json")[stage]
    held, rejected = ({row["document_no"] for row in status[name]} for name in ("held", "rejected"))
    lines, differences = compare_documents(books, documents, held=held, rejected=rejected)
    undone = frozenset(number for number, row in expected["invoices"].items() if row["why"] == _UNDONE)
    compared = (
        compare_rates(books, expected["rates"], today=today),
        compare_invoices(books, expected["invoices"]),
        compare_transfers(books, expected["payments"], undone),
        compare_actuals(books, expected["actuals"]),
        compare_breaks(books, documents, expected, status["breaks"]),
    )
    return Comparison(
        lines=tuple(lines),
        compared=compared,
        held=tuple(status["held"]),
        rejected=tuple(status["rejected"]),
        differences=(*differences, *(difference for one in compared for difference in one.differences)),
    )


def _read_expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((sample_folder() / name).read_text(encoding="utf-8"))
    return found
