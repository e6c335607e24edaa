"""The later deeds of the sample world: payments of every kind, and an expectation that adds up."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
STAGES = ("first", "later")
Row = dict[str, Any]


@pytest.fixture(scope="module")
def deeds() -> list[Row]:
    lines = (SAMPLE / "later" / "deeds.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def expected() -> dict[str, dict[str, Row]]:
    found: dict[str, dict[str, Row]] = json.loads((SAMPLE / "later" / "expected.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def totals() -> dict[str, tuple[str, Decimal]]:
    """Give type and amount of every document of the VMS by number."""
    lines = (SAMPLE / "vms" / "Document.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line, parse_float=Decimal) for line in lines]
    return {row["documentNo"]: (row["documentType"], row.get("documentAmount")) for row in rows}


def test_there_are_150_payments_on_both_sides_in_many_currencies(deeds: list[Row]) -> None:
    payments = [deed["body"] for deed in deeds if deed["call"] == "payments"]
    assert len(payments) >= 150
    assert min(Counter(body["side"] for body in payments).values()) > 50
    assert {body["currency"] for body in payments} >= {"NOK", "USD", "EUR", "GBP", "JPY", "SGD"}
    assert {body["owner"] for body in payments} == {28600, 28601, 28602}
    assert len({body["text"] for body in payments}) == len(payments)


@pytest.mark.parametrize(
    ("shows", "least"),
    [
        ("paid in full", 50),
        ("paid in part", 12),
        ("the first payment term alone", 8),
        ("one transfer over several bills", 10),
        ("several transfers on one bill", 10),
        ("two transfers over three bills, one of them in common", 6),
        ("a supplier pays us back", 5),
        ("a customer is paid back", 5),
        ("a credit note netted in a transfer", 6),
        ("a credit note netted, no transfer", 2),
        ("a reversal netted with what it takes back, no transfer", 4),
        ("paid in another currency", 15),
        ("an exchange gain or loss stays in the ledger", 8),
        ("two transfers in two currencies on one bill", 3),
        ("bank charges kept from the transfer", 6),
        ("a few cents of rounding", 4),
        ("one of two invoices with one number", 1),
        ("paid too much, the rest stays on account", 2),
        ("a match made late", 14),
        ("a match that grows", 8),
        ("the rest of a bill paid in part", 6),
        ("a match undone", 3),
        ("a match moved to another bill", 2),
        ("a match undone and made again", 4),
        ("a match that lost one of two bills", 2),
        ("a broker's commission", 4),
        ("an invoice from before go-live", 2),
        ("a late posting in an earlier period", 1),
        ("a correction down to zero", 1),
        ("a rate that is corrected after it was transferred", 1),
    ],
)
def test_every_kind_of_deed_is_there(deeds: list[Row], shows: str, least: int) -> None:
    assert sum(deed["shows"] == shows for deed in deeds) >= least


def test_stages_follow_each_other(deeds: list[Row]) -> None:
    stages = [deed["stage"] for deed in deeds]
    assert stages == sorted(stages)
    assert set(stages) == set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_is_settled_beyond_its_document(
    expected: dict[str, dict[str, Row]], totals: dict[str, tuple[str, Decimal]], stage: str
) -> None:
    for number, row in expected[stage]["invoices"].items():
        _, amount = totals[number]
        assert 0 <= Decimal(row["settled"]) <= abs(amount), number
        assert abs(Decimal(row["paid"])) <= abs(amount), number


@pytest.mark.parametrize("stage", STAGES)
def test_type_and_sign_follow_what_is_settled(
    expected: dict[str, dict[str, Row]], totals: dict[str, tuple[str, Decimal]], stage: str
) -> None:
    told = {"INI": ("PMO", -1), "CRI": ("PMI", 1), "INO": ("PMI", -1), "CRO": ("PMO", 1)}
    for number, row in expected[stage]["invoices"].items():
        kind, sign = told[totals[number][0]]
        assert row["type"] == kind, number
        assert Decimal(row["paid"]) * sign >= 0, number
        assert bool(row["documents"]) is bool(Decimal(row["paid"])), number


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_settled_is_paid_unless_there_is_a_reason(expected: dict[str, dict[str, Row]], stage: str) -> None:
    for number, row in expected[stage]["invoices"].items():
        assert Decimal(row["settled"]) == abs(Decimal(row["paid"])) or row["why"], number


def test_the_journals_that_are_taken_back_leave_nothing(deeds: list[Row]) -> None:
    sums: Counter[tuple[str, str]] = Counter()
    for deed in deeds:
        if deed["call"] == "vouchers":
            cost, bank = deed["body"]["lines"]
            assert Decimal(cost["amount"]) + Decimal(bank["amount"]) == 0
            sums[cost["project"], cost["account"]] += int(Decimal(cost["amount"]) * 100)
    assert sums["V008-2602", "7770"] == 0
    assert sums["V008-2602", "7500"] == 80_000_00
