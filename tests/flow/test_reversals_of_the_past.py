"""Reversals of accruals from before go-live: adopted, not found in the books, released after all, or ignored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import pytest

from pipelines.going_live.adopt import run_adopt
from tests.flow.live_world import TODAY, Live

pytestmark = pytest.mark.system

BEFORE = date(2026, 10, 1)
# The runs: before the reversals are entered, and twice after.
EMPTY, ARRIVED, ONCE_MORE = range(3)
ADOPTED, ADOPTED_BACK = "ACP2609-001", "ACR2610-001"
FOUND_BY_AMOUNT, FOUND_BY_AMOUNT_BACK = "ACP2609-002", "ACR2610-002"
MISSING, MISSING_BACK = "ACP2609-003", "ACR2610-003"
RELEASED, RELEASED_BACK = "ACP2609-004", "ACR2610-004"
IGNORED, IGNORED_BACK = "ACP2609-005", "ACR2610-005"
# Each accrual with whether its reversal names it.
PAIRS = {ADOPTED: True, FOUND_BY_AMOUNT: False, MISSING: True, RELEASED: False, IGNORED: True}
REVERSALS = (ADOPTED_BACK, FOUND_BY_AMOUNT_BACK, MISSING_BACK, RELEASED_BACK, IGNORED_BACK)


@dataclass(slots=True)
class World:
    """What adopting made of the accruals, and what became of their reversals when these arrived."""

    live: Live
    outcomes: dict[str, str]
    held: list[dict[str, set[str]]] = field(default_factory=list)
    warned: list[dict[str, str]] = field(default_factory=list)
    status: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        self.live.batch()
        self.held.append(self.live.holds())
        warnings = "SELECT document_no, message FROM holds WHERE rule = 'original_unknown'"
        self.warned.append(dict(self.live.ask(warnings)))
        if len(self.held) > ARRIVED:
            self.status = {number: self.live.status(number) for number in REVERSALS}

    def sent(self) -> list[str]:
        """Give the documents whose vouchers were sent to the ledger's import, in that order."""
        items = self.live.sandbox.control("GET", "ledger/import-items")
        return [*dict.fromkeys(item["node"]["extOrderNumber"] for item in items)]


def _book(live: Live, number: str, account: str, amount: str) -> None:
    """Book an accrual as a bookkeeper types it in, its number in the text."""
    sides = ((account, amount), ("2960", f"-{amount}"))
    lines = [{"account": one, "amount": sum_, "invoiceAmount": sum_, "currency": "NOK"} for one, sum_ in sides]
    text = f"{number} accrual September"
    voucher = {"owner": 28601, "source": "GL", "postedDate": "2026-09-30", "text": text, "lines": lines}
    live.sandbox.control("POST", "ledger/vouchers", voucher)


def _reverse(live: Live, number: str) -> None:
    """Enter the reversal of an accrual on the day after it, as the VMS makes it."""
    accrual = live.document(number, "documentAmount", "companyCurrencyAmount", "glAccount")
    fields = {"documentCurrency": {"currencyCode": "*"}, "documentLines": {"glAccount": "*", "voyage": {"key": "*"}}}
    answer = live.vms.get(f"/Document/{accrual['key']}", headers={"fields": json.dumps(fields)}).raise_for_status()
    found, amounts = answer.json(), {name: -accrual[name] for name in ("documentAmount", "companyCurrencyAmount")}
    [line] = found["documentLines"]
    of_line = {**amounts, "glAccount": line["glAccount"], "voyage": line["voyage"]["key"]}
    named = {"refDocument": accrual["key"]} if PAIRS[number] else {}
    live.post(
        "Document",
        documentType="ACR",
        documentNo=number.replace("ACP2609", "ACR2610"),
        documentDate="2026-10-01T00:00:00",
        documentCurrency=found["documentCurrency"]["currencyCode"],
        company="28601",
        glAccount=accrual["glAccount"],
        invoicingStatus="RFP",
        documentLines=[{**of_line, **named}],
        **amounts,
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Live(tmp_path_factory.mktemp("past"), PAIRS) as live:
        _book(live, ADOPTED, "4300", "48250.00")
        _book(live, FOUND_BY_AMOUNT, "4320", "215000.00")
        live.steer("ignore", IGNORED, reason="posted by hand in another period")
        adoption = run_adopt(
            live.settings, before=BEFORE, operator="kari", now=live.now, today=TODAY, is_acknowledged=True
        )
        world = World(live, {line.candidate.document_no: line.outcome for line in adoption.lines})
        world.run()
        live.steer("release", RELEASED, reason="it was never booked")
        for number in PAIRS:
            _reverse(live, number)
        world.run()
        world.run()
        yield world


def test_what_the_books_have_is_adopted_and_the_rest_held(world: World) -> None:
    assert {number: world.outcomes[number] for number in (ADOPTED, FOUND_BY_AMOUNT)} == {
        ADOPTED: "adopted",
        FOUND_BY_AMOUNT: "adopted",
    }
    assert {number for number, outcome in world.outcomes.items() if outcome != "adopted"} >= {MISSING, RELEASED}
    for number in (MISSING, RELEASED):
        assert world.held[EMPTY][number] == {"held_by_person"}


@pytest.mark.parametrize("number", [ADOPTED_BACK, FOUND_BY_AMOUNT_BACK])
def test_the_reversal_of_an_adopted_accrual_goes(world: World, number: str) -> None:
    assert number in world.sent()
    assert world.status[number] == "POS"
    assert number not in world.warned[ARRIVED]


def test_what_was_adopted_is_not_sent_itself(world: World) -> None:
    assert not {ADOPTED, FOUND_BY_AMOUNT, MISSING, IGNORED} & {*world.sent()}


def test_the_reversal_of_one_on_hold_from_before_goes_with_a_warning(world: World) -> None:
    assert MISSING_BACK in world.sent()
    assert f"{MISSING} is on hold from before going live" in world.warned[ARRIVED][MISSING_BACK]
    assert world.status[MISSING_BACK] == "POS"


def test_one_that_was_released_goes_before_its_reversal_in_one_run(world: World) -> None:
    order = world.sent()
    assert order.index(RELEASED) < order.index(RELEASED_BACK)
    assert world.status[RELEASED_BACK] == "POS"
    assert RELEASED_BACK not in world.warned[ARRIVED]


def test_the_reversal_of_an_ignored_one_waits_for_a_person(world: World) -> None:
    for run in (ARRIVED, ONCE_MORE):
        assert world.held[run][IGNORED_BACK] == {"original_ignored"}
        assert world.status[IGNORED_BACK] == "RFP"
    assert IGNORED_BACK not in world.sent()


def test_each_goes_once(world: World) -> None:
    items = world.live.sandbox.control("GET", "ledger/import-items")
    sent = [item["node"]["extOrderNumber"] for item in items]
    # A line on the accrued side, and one on the account of the cost.
    assert {number: sent.count(number) for number in {*sent}} == dict.fromkeys(
        (ADOPTED_BACK, FOUND_BY_AMOUNT_BACK, MISSING_BACK, RELEASED, RELEASED_BACK), 2
    )
