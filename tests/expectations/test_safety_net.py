"""The net over voucher lines and totals: what the ledger could not take holds its document as voucher_incomplete."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from pipelines.checks.run import run_checks
from pipelines.checks.verdicts import CheckResult
from tests.expectations.world import World, document, voucher

Lines = list[dict[str, object]]


def _with(*, control: dict[str, object] | None = None, detail: dict[str, object] | None = None) -> Lines:
    return voucher(0, control, detail)


# what is spoiled -> the voucher's lines, and what the message says was found
CASES: dict[str, tuple[Lines, str]] = {
    "no account": (_with(detail={"account": None}), "line 2 has no account"),
    "no number": (_with(detail={"tr_item_number": None}), "a line has no number"),
    "number 0": (_with(control={"tr_item_number": 0}), "line 0 is not among 1 to 500"),
    "number 501": (
        _with(detail={"tr_item_number": 501}),
        "line 501 is not among 1 to 500; its lines are not numbered from 1 without a gap",
    ),
    "number twice": (_with(detail={"tr_item_number": 1}), "line 1 stands twice"),
    "gap": (_with(detail={"tr_item_number": 3}), "its lines are not numbered from 1 without a gap"),
    "no kind": (_with(detail={"line_kind": None}), "line 2 is neither control nor detail line"),
    "other kind": (_with(detail={"line_kind": "vat"}), "line 2 is neither control nor detail line"),
    "no control line": (_with(control={"line_kind": "detail"}), "it has no control line"),
    "no entity": (_with(detail={"company": None}), "line 2 has no entity"),
    "two entities": (_with(detail={"company": 28602}), "its lines belong to 2 entities"),
    "no voucher type": (_with(detail={"voucher_type": None}), "line 2 has no voucher type"),
    "other voucher type": (_with(detail={"voucher_type": "SO"}), "line 2 has voucher type SO"),
    "no currency": (_with(detail={"currency": None}), "line 2 has no currency"),
    "no currency code": (
        _with(control={"currency": "US$"}, detail={"currency": "US$"}),
        "line 1 has currency US$; line 2 has currency US$",
    ),
    "two currencies": (_with(detail={"currency": "NOK"}), "its lines are in 2 currencies"),
    "no currency amount": (
        _with(detail={"currency_amount": None}),
        "line 2 has no currency amount; its lines add up to USD -1,250.00",
    ),
    "no amount": (
        _with(detail={"amount": None}),
        "line 2 has no amount in company currency; its lines add up to -13,125 in company currency",
    ),
    "a cent too much": (
        _with(detail={"currency_amount": Decimal("1250.01")}),
        "its lines add up to USD 0.01",
    ),
    "a tenth of a cent too little": (
        _with(detail={"amount": Decimal("13124.9990")}),
        "its lines add up to -0.001 in company currency",
    ),
    "no posting date": (
        _with(detail={"voucher_date": None, "fiscal_year": None}),
        "line 2 has no posting date; line 2 has no fiscal year",
    ),
    "year 206": (
        _with(detail={"voucher_date": date(206, 11, 2), "fiscal_year": 206}),
        "line 2 is posted on 0206-11-02",
    ),
    "no document number": (_with(detail={"ext_order_number": None}), "line 2 has no document number"),
    "long text": (_with(detail={"text": "x" * 101}), "the text of line 2 has more than 100 characters"),
    "one line": (
        _with()[:1],
        "it has 1 lines; its lines add up to USD -1,250.00; its lines add up to -13,125 in company currency",
    ),
    "no lines": (
        [],
        "it has 0 lines; it has no control line; its lines are in 0 currencies; its lines belong to 0 entities",
    ),
}
KEYS = {name: place for place, name in enumerate(CASES, start=1)}
LONG_TEXT_KEY, HELD_KEY = 900, 901


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckResult]:
    world = World(tmp_path_factory.mktemp("net"))
    lines = [line | {"document_key": KEYS[name]} for name, (spoiled, _) in CASES.items() for line in spoiled]
    lines += voucher(LONG_TEXT_KEY, {"text": "x" * 100}) + voucher(HELD_KEY, {"account": None})
    keys = [*KEYS.values(), LONG_TEXT_KEY]
    world.put(*(document(key) for key in keys), document(HELD_KEY, ok_no_lines=False), lines=lines)
    yield run_checks(world.ctx)
    world.close()


@pytest.mark.parametrize("name", CASES)
def test_what_the_ledger_could_not_take_is_held(checked: CheckResult, name: str) -> None:
    (verdict,) = checked.verdicts[KEYS[name]]
    assert verdict.rule == "voucher_incomplete"
    assert verdict.message == (
        f"INI 2707400 (Nordic Agency AS): voucher incomplete ({CASES[name][1]}). Look at it with `springline explain "
        f"{KEYS[name]}` and correct the document in the VMS; if it is right there, report a fault of Springline."
    )


def test_a_text_of_100_characters_goes_out(checked: CheckResult) -> None:
    assert LONG_TEXT_KEY not in checked.verdicts


def test_lines_of_a_held_document_are_not_looked_at(checked: CheckResult) -> None:
    assert [verdict.rule for verdict in checked.verdicts[HELD_KEY]] == ["no_lines"]


def test_a_message_names_five_findings_and_counts_the_rest(tmp_path_factory: pytest.TempPathFactory) -> None:
    world = World(tmp_path_factory.mktemp("many"))
    control, detail = voucher(1, {"account": None}, {"account": None})
    world.put(document(1), lines=[control] + [detail | {"tr_item_number": number} for number in range(2, 9)])
    message = run_checks(world.ctx).verdicts[1][0].message
    world.close()
    assert "line 5 has no account; and 5 more)." in message
    assert "line 6" not in message


def test_amounts_of_any_size_stay_exact_decimals(tmp_path_factory: pytest.TempPathFactory) -> None:
    world = World(tmp_path_factory.mktemp("large"))
    huge = Decimal("99999999999999.9999")
    world.put(
        document(1, ok_vat_not_at_rate=False, vat_difference=Decimal("1234567890123456789012345678901234.5678")),
        document(2),
        document(3),
        lines=[
            *voucher(1),
            *voucher(2, {"currency_amount": -huge, "amount": -huge}, {"currency_amount": huge, "amount": huge}),
            *voucher(3, {"amount": -huge}, {"amount": huge - Decimal("0.0001")}),
        ],
    )
    result = run_checks(world.ctx)
    world.close()
    assert "by USD 1,234,567,890,123,456,789,012,345,678,901,234.5678" in result.verdicts[1][0].message
    assert 2 not in result.verdicts
    assert "add up to -0.0001 in company currency" in result.verdicts[3][0].message
