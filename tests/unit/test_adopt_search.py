"""Which voucher of the books is taken for a document that people posted by hand: only one without any doubt."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from pipelines.going_live.search_books import BookedVoucher, Candidate, _result

DOCUMENT = Candidate(
    document_key=5_200_001,
    document_no="2707401",
    document_type="INI",
    company="28601",
    owner=28601,
    owner_db_id=901,
    voucher_type="AP",
    partner_code="60526",
    partner="60526 Nordic",
    currency="USD",
    document_date=date(2026, 10, 20),
    amount=Decimal(100),
    control_amount=Decimal(-100),
    external_no="F-1",
    invoice_no="F-1",
    content_hash="hash",
)
ONE, OTHER = (BookedVoucher(header, f"10{header}", "2026-10-20", "F-1", "F-1", (header,)) for header in ("1", "2"))


@pytest.mark.parametrize(
    ("found", "fitted", "sent_by_us", "words"),
    [
        ([], {}, set(), "not found"),
        ([ONE, OTHER], {"1": 1, "2": 1}, set(), "ambiguous: vouchers 101, 102"),
        ([ONE], {"1": 2}, set(), "is also that of another document"),
        ([ONE], {"1": 1}, {"1"}, "not found"),
    ],
)
def test_what_is_in_doubt_is_not_adopted(
    found: list[BookedVoucher], fitted: dict[str, int], sent_by_us: set[str], words: str
) -> None:
    result = _result(DOCUMENT, found, fitted, sent_by_us)
    assert (result.voucher, words in result.detail) == (None, True)


def test_the_only_voucher_that_fits_is_adopted() -> None:
    assert _result(DOCUMENT, [ONE], {"1": 1}, set()).voucher == ONE
    assert _result(DOCUMENT, [ONE, OTHER], {"1": 1, "2": 1}, {"2"}).voucher == ONE


def test_a_document_without_an_amount_is_not_looked_for() -> None:
    result = _result(DOCUMENT._replace(control_amount=None), [ONE], {"1": 1}, set())
    assert (result.voucher, result.detail) == (None, "not looked for: it has no amount")
