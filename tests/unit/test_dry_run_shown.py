"""A dry run of hundreds shows the first of each type, a sum of each, and where the others are."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from pipelines.questions.dry_run import MOST_OF_KIND, show_drafts
from pipelines.questions.mapping_changes import show_mapping_changes


def draft(number: int, kind: str, currency: str = "USD") -> dict[str, Any]:
    return {
        "document_type": "INI",
        "document_no": f"N{number}",
        "voucher_type": kind,
        "owner_code": 28601,
        "posted_date": "2026-11-02",
        "currency": currency,
        "currency_amount": Decimal("-10.00"),
        "amount": Decimal("-100.00"),
        "company_currency": "NOK",
        "after": [],
        "lines": [],
    }


def shown(drafts: list[dict[str, Any]], *, is_full: bool = False) -> str:
    console = Console(file=StringIO(), width=200)
    show_drafts(drafts, console, is_full=is_full)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


MANY = [*(draft(number, "AP") for number in range(1, 26)), draft(26, "AR"), draft(27, "AR", "EUR")]


def test_the_first_of_each_type_are_shown() -> None:
    text = shown(MANY)
    assert text.count("INI N") == MOST_OF_KIND + 2
    assert "INI N26 → AR" in text
    assert "AP: 25 vouchers, USD -250.00; 5 more than are shown, which --full prints and --output FILE writes." in text
    assert "AR: 2 vouchers, EUR -10.00, USD -10.00." in text
    assert text.endswith("27 vouchers would be sent. Nothing was sent.\n")


def test_all_are_shown_when_asked_for() -> None:
    text = shown(MANY, is_full=True)
    assert text.count("INI N") == len(MANY)
    assert "more than are shown" not in text


@pytest.mark.parametrize(("most", "told"), [(20, "5 more fields change; --full prints all."), (None, "")])
def test_fields_that_change_are_as_few(most: int | None, told: str) -> None:
    change = {"document_no": "N1", "document_key": 1, "field": "account", "before": "1", "after": "2", "rule": "x"}
    changes = [{**change, "tr_item_number": number, "is_held": False} for number in range(25)]
    console = Console(file=StringIO(), width=200)
    show_mapping_changes(changes, console, most=most)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert told in text
    assert text.count("account") == (most or 25)
