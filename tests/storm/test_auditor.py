"""The auditor is checked: books that are right have no violation, and each kind of wrong ones has its own."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.storm.auditor import Auditor, Said
from tests.storm.journal import DocumentStory, Journal, Version

Row = dict[str, Any]
KEY, NUMBER, CODE, ACCOUNT = 7, "S7", "60526", "DE02100500000024290661"


def _document(**members: object) -> Row:
    line = {"documentAmount": 100, "companyCurrencyAmount": 1000, "glAccount": "4300", "refDocument": None}
    row = {
        "key": KEY, "documentNo": NUMBER, "documentDate": "2026-10-01T00:00:00", "documentAmount": 100,
        "companyCurrencyAmount": 1000, "documentType": {"documentType": "INI"},
        "invoicingStatus": {"statusTypeCode": "POS"}, "documentCurrency": {"currencyCode": "USD"},
        "company": {"companyCode": "28601"}, "documentLines": [line],
    }  # fmt: skip
    return row | members


def _payment(key: int, number: str) -> Row:
    line = {"refDocument": {"documentNo": NUMBER}, "voyage": None, "glAccount": None}
    kind = {"documentType": "PMO"}
    return _document(key=key, documentNo=number, documentType=kind, documentAmount=-40, documentLines=[line])


def _actual() -> Row:
    line = {"glAccount": "4300", "voyage": {"voyageHeader": {"referenceNo": "V1"}}}
    return _document(key=9, documentNo="ACT1", documentType={"documentType": "ACC"}, documentLines=[line])


def _voucher() -> Row:
    common = {"currency": "USD", "isTax": False}
    row = {"invoiceAmount": "-100.00", "invoiceRemaining": "-60.00", "matchId": 1}
    sent = {"invoiceDate": "2026-10-01"}
    control = {**common, "amount": "-1000.00", "invoiceAmount": "-100.00", "project": None, "balanceSheet": True,
               "account": "2400", "subledgerRow": row, "sent": sent}  # fmt: skip
    cost = {**common, "amount": "1000.00", "invoiceAmount": "100.00", "project": "V1", "balanceSheet": False,
            "account": "4300", "subledgerRow": None, "sent": {}}  # fmt: skip
    return {"importedAt": "now", "trRegNumber": KEY, "postedDate": "2026-10-01", "lines": [control, cost]}


def _books() -> Auditor:
    story = DocumentStory(KEY, "AP", "", [Version(NUMBER, "100.00", "1000.00")])
    node = {
        "trRegNumber": KEY,
        "trItemNumber": 1,
        "subledger": {"code": CODE},
        "bankAccount": ACCOUNT,
        "extOrderNumber": NUMBER,
    }
    rate = {"fromCurrency": {"currencyCode": "NOK"}, "currency": {"currencyCode": "USD"}}
    return Auditor(
        journal=Journal({KEY: story}, accounts={CODE: {ACCOUNT}}),
        said=Said({}, []),
        today=date(2026, 10, 3),
        documents={row["key"]: row for row in (_document(), _payment(8, "XL1"), _actual())},
        rates=[{**rate, "exchangeRate": 0.1, "exchangeRateDate": "2026-10-02T00:00:00"}],
        vouchers=[_voucher()],
        items=[{"voucher": 1, "node": node}],
        ledger_rates=[{"owner": 28600, "from": "USD", "to": "NOK", "unit": 1, "rate": "10", "fromDate": "2026-10-02"}],
        accounts={CODE: ACCOUNT, "60501": None},
    )  # fmt: skip


def _story(books: Auditor) -> DocumentStory:
    return books.journal.documents[KEY]


def _twice(rows: list[Row]) -> None:
    rows.append(copy.deepcopy(rows[0]))


def _no_trace(books: Auditor, status: str) -> None:
    books.vouchers.clear()
    books.items.clear()
    books.documents = {KEY: _document(invoicingStatus={"statusTypeCode": status})}


def _changed_later(books: Auditor) -> None:
    _story(books).versions.append(Version(NUMBER, "200.00", "2000.00"))


def _gone(books: Auditor) -> None:
    books.vouchers.clear()
    books.documents = {KEY: books.documents[KEY]}


SPOILT: tuple[tuple[str, Callable[[Auditor], object]], ...] = (
    ("doubled", lambda books: _twice(books.items)),
    ("doubled", lambda books: setattr(_story(books), "times_removed", 1)),
    ("doubled", lambda books: _twice(books.vouchers)),
    ("lost", lambda books: _no_trace(books, "RFP")),
    ("acknowledged and not there", lambda books: _no_trace(books, "POS")),
    ("not acknowledged", lambda books: books.documents[KEY].update(invoicingStatus={"statusTypeCode": "RFP"})),
    ("held went out", lambda books: setattr(_story(books), "fault", "no account")),
    ("held went out", lambda books: setattr(_story(books), "is_kept_back", True)),
    ("altered", lambda books: books.vouchers[0]["lines"][0].update(amount="-1000.01")),
    ("altered", lambda books: setattr(_story(books), "versions", [Version(NUMBER, "100.01", "1000.00")])),
    ("unexplained", _changed_later),
    ("unexplained", _gone),
    ("payments", lambda books: books.documents.pop(8)),
    ("payments", lambda books: books.documents.update({10: _payment(10, "XL2")})),
    ("paid twice", lambda books: books.documents.update({10: _payment(10, "XL1")})),
    ("rates", lambda books: books.rates.clear()),
    ("rates", lambda books: _twice(books.rates)),
    ("rates", lambda books: books.rates[0].update(exchangeRate=0.100001)),
    ("actuals", lambda books: books.documents.pop(9)),
    ("actuals", lambda books: books.documents[9].update(companyCurrencyAmount=999.99)),
    ("bank account", lambda books: books.accounts.update({CODE: "DE02120300000000202051"})),
    ("bank account", lambda books: books.items[0]["node"].update(bankAccount="1234567")),
)


def test_books_that_are_right_have_no_violation() -> None:
    assert _books().violations() == []


@pytest.mark.parametrize(("invariant", "spoil"), SPOILT, ids=map(str, range(len(SPOILT))))
def test_each_wrong_thing_is_found(invariant: str, spoil: Callable[[Auditor], object]) -> None:
    books = _books()
    spoil(books)
    # The books sort their vouchers when they are opened.
    books.__post_init__()
    assert invariant in {violation.invariant for violation in books.violations()}


def test_a_break_that_names_the_document_explains_it() -> None:
    books = _books()
    _changed_later(books)
    books.said = Said({}, [f"document amount differs {NUMBER}"])
    assert books.violations() == []


def test_what_explain_says_was_sent_again_may_have_been_there_before() -> None:
    books = _books()
    _story(books).times_removed = 1
    books.said = Said({}, [], {KEY})
    assert books.violations() == []


def test_what_is_held_for_nothing_is_told() -> None:
    books = _books()
    _no_trace(books, "RFP")
    books.__post_init__()
    books.said = Said({NUMBER: "gl_account_missing"}, [])
    assert "held for nothing" in {violation.invariant for violation in books.violations()}
