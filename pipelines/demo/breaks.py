"""Compares the open breaks with what differs on purpose: none is missing, and there is none too many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from pipelines.demo.actuals import group_of
from pipelines.demo.compared import ComparisonResult, Row

if TYPE_CHECKING:
    from pipelines.demo.books import Books

# Of invoices and transfers these alone need a person; what is netted, or not ours, is shown and nothing more.
_TOLD_OF_INVOICES = frozenset({"match undone"})
_TOLD_OF_TRANSFERS = frozenset({"not matched", "no invoice leg"})
_TOLD_OF_ACTUALS = frozenset({"voyage unknown in VMS", "accrual booked by hand"})
_NOT_PLACED = "payment not placed"
# What the master data of the sample is made to show.
_OF_MASTER_DATA = frozenset({"code not unique", "bank account changed"})
# A second document under a partner's one invoice number goes out with this warning, and may be a duplicate.
_USED_TWICE, _DUPLICATE = "external_document_no_used", "document fields differ"


def compare_breaks(
    books: Books, documents: Mapping[str, Row], expected: Mapping[str, Row], open_breaks: Iterable[Row]
) -> ComparisonResult:
    """Compare the open breaks with those that the sample world expects, of documents and of what comes back."""
    result = ComparisonResult("breaks told")
    named = {_name(books, row) for row in open_breaks if row["kind"] not in _OF_MASTER_DATA}
    meant = {*_meant(expected), *((_DUPLICATE, no) for no, row in documents.items() if _USED_TWICE in row["warnings"])}
    # Both ways: a missing break leaves a difference unexplained, one too many sends a person looking for nothing.
    for kind, subject in sorted(named | meant):
        both = "is an open break" if (kind, subject) in named else "is no open break"
        result.judge(f"{kind}, {subject}", both, agrees=True, fits=(kind, subject) in named & meant)
    return result


def _meant(expected: Mapping[str, Row]) -> Iterator[tuple[str, str]]:
    for number, row in expected["invoices"].items():
        if row["why"] in _TOLD_OF_INVOICES:
            yield row["why"], number
    for text, why in expected["payments"].items():
        if why in _TOLD_OF_TRANSFERS:
            yield _NOT_PLACED, text
    for group, row in expected["actuals"].items():
        if row["why"] in _TOLD_OF_ACTUALS:
            yield row["why"], group
    for subject, why in expected["rates"].items():
        yield why, subject


def _name(books: Books, row: Row) -> tuple[str, str]:
    """Name a break as the world does, which cannot know this ledger's ids: by document, text, group, day and pair."""
    kind, subject = row["kind"], str(row["subject"])
    if kind in {"match undone", _DUPLICATE}:
        return kind, row["document_no"]
    if kind == _NOT_PLACED:
        return kind, next((one.text for one in books.rows if f"{one.side} {one.row}" == subject), subject)
    if kind == "voyage unknown in VMS":
        groups = (" ".join(group_of(one)) for one in books.rows if f"{one.owner}:{one.project}" == subject)
        return kind, next(groups, subject)
    if kind == "accrual booked by hand":
        return kind, next((" ".join(group_of(one)) for one in books.rows if str(one.row) == subject), subject)
    return kind, subject.replace(":", " ")
