"""One amount has one text in front of a person, whatever writes it: command, check, break, workbook or report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from pipelines.checks.messages import fill
from pipelines.close.show import show_close
from pipelines.core import words
from pipelines.demo.actuals import compare_actuals
from pipelines.going_live.adopt import show_adoption
from pipelines.going_live.search_books import Candidate, SearchResult
from pipelines.publish.report.report import environment
from pipelines.publish.workbook.book import money_format
from pipelines.questions.break_list import show_breaks
from pipelines.questions.dry_run import show_drafts
from pipelines.questions.explain.explanation import Explanation
from pipelines.questions.explain.show import show_explanation
from pipelines.reconcile.of_returns import by_hand_break, not_unique_break, undone_break
from pipelines.steering.find_document import Document

TEXTS = {
    ("USD", "1250.5000"): "USD 1,250.50",
    ("USD", "95.0000"): "USD 95.00",
    ("JPY", "125000.0000"): "JPY 125,000",
    ("KWD", "12345.6780"): "KWD 12,345.678",
    ("NOK", "-0.0000"): "NOK 0.00",
}
LINE = dict.fromkeys(
    (
        "tr_item_number",
        "account",
        "subledger_no",
        "posting1",
        "posting2",
        "posting3",
        "xgl",
        "tax_rule",
        "due_date",
        "text",
    )
)


def printed(show: Callable[[Any, Console], None], shown: object) -> str:
    out = StringIO()
    show(shown, Console(file=out, width=400))
    return out.getvalue()


def by_breaks_list(amount: Decimal, currency: str) -> str:
    row = SimpleNamespace(
        break_id=1, kind="document amount differs", subject="1", company=None, document_no=None, period="2026-10",
        age_days=3, amount=amount, currency=currency, message="", next_step="", until=None, is_accepted=False,
        accepted_by=None, accepted_reason=None, comment=None,
        end_reason=None,
    )  # fmt: skip
    return printed(show_breaks, [row])


def by_close(amount: Decimal, currency: str) -> str:
    row: dict[str, Any] = {
        "break_id": 7,
        "kind": "document held",
        "company_code": "28601",
        "document_no": "2707400",
        "voyage_no": None,
        "account": None,
    }
    row |= {"amount": amount, "currency_code": currency, "reason": None, "next_step": None}
    return printed(
        show_close,
        SimpleNamespace(open=[row], pack="", stops=(), faults=(), problems=(), close=None, period=""),
    )


def by_check(amount: Decimal, currency: str) -> str:
    return fill("off by {gap:currency}", row={"gap": amount, "currency": currency})


def by_break_of_a_payment(amount: Decimal, currency: str) -> str:
    row = dict.fromkeys(
        ("subject", "company_code", "document_key", "document_no", "row_db_id", "voucher_no", "side"), "1"
    )
    row |= {"currency_code": currency, "sent_amount": amount, "settled_amount": amount}  # type: ignore[dict-item]
    return undone_break(row).message + not_unique_break(row).message


def by_break_of_an_actual(amount: Decimal, currency: str) -> str:
    names = ("subject", "company_code", "document_no", "voucher_no", "account", "voyage_no")
    row: dict[str, Any] = dict.fromkeys(names, "1") | {"kind": "accrual booked by hand"}
    return by_hand_break(row | {"company_amount": amount, "company_currency_code": currency}).message


def by_adopt(amount: Decimal, currency: str) -> str:
    line = SearchResult(_candidate(amount, currency), None, "")
    found = SimpleNamespace(lines=[line], is_dry_run=True, before=date(2026, 11, 1), batch=None, problems=())
    return printed(show_adoption, found)


def by_search_in_the_books(amount: Decimal, currency: str) -> str:
    return _candidate(amount, currency).description


def _candidate(amount: Decimal, currency: str) -> Candidate:
    return Candidate(
        1, "2707400", "INI", "28601", 28601, 1, "GL", None, None, currency, date(2026, 10, 1), amount, amount,
        external_no=None, invoice_no=None, content_hash="",
    )  # fmt: skip


def by_explain(amount: Decimal, currency: str) -> str:
    story = Explanation(Document("2707400", 1, "28601", "INI"), {"origin": "warehouse", "minutes": None})
    story.vms = {
        "status_code": "RFP", "document_date": date(2026, 10, 1), "document_amount": amount, "currency_code": currency,
        "company_currency_amount": amount, "company_currency_code": currency, "partner_code": None,
        "partner_name": None, "external_document_no": None, "document_type": "INI",
    }  # fmt: skip
    row: dict[str, Any] = dict.fromkeys(("voucher_no", "posted_date", "account_code", "project_code", "row_text"), "1")
    row |= {"currency_code": currency, "amount": amount, "invoice_amount": amount}
    story.voucher = {"state": "sent", "lines": [LINE | _line(amount, currency)], "fields": {}}
    story.outbox = [{"kind": "voucher", "state": "sent", "natural_key": "1", "remote_ids": None, "events": []}]
    story.outbox += [{"kind": "acknowledgement", "state": "sent", "natural_key": "1", "remote_ids": None, "events": []}]
    story.chain = {"scope": "it", "verified": True}
    booked = {"side": "AP", "voucher_no": 9, "invoice_number": "1", "invoice_remaining": amount, "due_date": None}
    story.ledger = {"import_items": [], "subledger_rows": [row | booked], "transactions": [row]}
    story.payments = {"open": amount, "matched_rows": []}
    return printed(show_explanation, story)


def _line(amount: Decimal, currency: str) -> dict[str, Any]:
    return {"currency": currency, "currency_amount": str(amount), "amount": amount}


def by_dry_run(amount: Decimal, currency: str) -> str:
    names = ("document_type", "document_no", "voucher_type", "owner_code", "posted_date")
    draft: dict[str, Any] = dict.fromkeys(names, "1") | _line(amount, currency) | {"currency_amount": amount}
    return printed(
        show_drafts, [draft | {"after": [], "company_currency": currency, "lines": [LINE | _line(amount, currency)]}]
    )


def by_report(amount: Decimal, currency: str) -> str:
    template = environment().from_string("{{ amount | amount(currency) }} {{ amount | number(currency) }}")
    return template.render(amount=amount, currency=currency)


def by_demo(amount: Decimal, currency: str) -> str:
    row = SimpleNamespace(
        owner=28601, day="2026-10-01", project="V001", account="4300", currency=currency, amount=amount,
        company_amount=amount + 1, imported_as="", is_balance_sheet=False,
    )  # fmt: skip
    found = compare_actuals(SimpleNamespace(rows=[row], documents={}, vouchers={}), {})  # type: ignore[arg-type]
    return str(found)


WRITERS = (
    by_breaks_list, by_close, by_check, by_break_of_a_payment, by_break_of_an_actual, by_adopt, by_search_in_the_books,
    by_explain, by_dry_run, by_report, by_demo,
)  # fmt: skip


@pytest.mark.parametrize(("currency", "amount"), TEXTS)
@pytest.mark.parametrize("write", WRITERS, ids=[writer.__name__.removeprefix("by_") for writer in WRITERS])
def test_an_amount_has_one_text_everywhere(write: Callable[[Decimal, str], str], currency: str, amount: str) -> None:
    written = write(Decimal(amount), currency)
    figure = TEXTS[currency, amount].removeprefix(f"{currency} ")
    assert TEXTS[currency, amount] in written
    # No other form of it stands beside it.
    others = {amount, f"{Decimal(amount):,f}", f"{Decimal(amount):,.2f}", f"{Decimal(amount).normalize():,f}"} - {
        figure
    }
    assert not [other for other in others if f"{other} " in written.replace(figure, "")]


@pytest.mark.parametrize(("currency", "amount"), TEXTS)
def test_a_cell_of_the_workbook_shows_the_same_decimals(currency: str, amount: str) -> None:
    places = len(TEXTS[currency, amount].partition(".")[2])
    assert money_format(currency).partition("_")[0] == "#,##0" + ("." + "0" * places if places else "")


def test_an_amount_beyond_any_context_keeps_each_digit() -> None:
    amount = Decimal("12345678901234567890.123456789012345678")
    assert words.amount(amount, "USD") == "USD 12,345,678,901,234,567,890.123456789012345678"


def test_a_moment_is_told_as_the_clocks_in_oslo_show_it() -> None:
    assert words.moment(datetime(2026, 3, 29, 0, 59, tzinfo=UTC)) == "2026-03-29 01:59 (Oslo)"
    assert words.moment(datetime(2026, 3, 29, 1, 0, tzinfo=UTC)) == "2026-03-29 03:00 (Oslo)"
    assert words.moment(None) == ""
