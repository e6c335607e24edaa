"""Adopting takes over what people posted by hand and holds what they did not, so that nothing goes out by accident."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from pipelines.adopt import Adoption, run_adopt, show_adoption
from pipelines.errors import UsageError
from tests.flow.live_world import JOBS, TODAY, Live

BEFORE = date(2026, 10, 1)
SUPPLIERS, OWN_NUMBER, SPLIT, ACCRUAL = "2706143", "2706085", "2706179", "ACP2609-001"
OTHER_AMOUNT, TWICE, NOT_THERE, NO_ENTITY, LATER = "2706035", "2706036", "2706289", "2708029", "2707400"
FOUND = {SUPPLIERS, OWN_NUMBER, SPLIT, ACCRUAL}
MISSING = {OTHER_AMOUNT, TWICE, NOT_THERE}


def _line(account: str, amount: str, **members: object) -> dict[str, object]:
    return {"account": account, "amount": amount, "invoiceAmount": amount, **members}


def _book(live: Live, source: str, text: str, *lines: dict[str, object], owner: int = 28601) -> None:
    voucher = {"owner": owner, "source": source, "postedDate": "2026-09-30", "text": text, "lines": list(lines)}
    live.sandbox.control("POST", "ledger/vouchers", voucher)


def _purchase(live: Live, number: str, amount: str, currency: str, partner: str, *, owner: int = 28601) -> None:
    """Book a supplier's invoice as a bookkeeper types it in: without voyage, at a rate of 1."""
    control = "2405" if owner == 28602 else "2400"
    payable = _line(control, f"-{amount}", currency=currency, subledger=partner, invoiceNumber=number)
    _book(live, "AP", f"Faktura {number}", payable, _line("4300", amount, currency=currency), owner=owner)


def _book_by_hand(live: Live) -> None:
    _purchase(live, "F-1301", "25317.44", "USD", "60534", owner=28602)
    _purchase(live, OWN_NUMBER, "340007.72", "USD", "60522")
    _purchase(live, "F-0301", "10158.00", "GBP", "60505")
    for _ in range(2):
        _purchase(live, "F-0302", "62003.18", "EUR", "60507")
    parts = [
        _line("1500", amount, currency="EUR", subledger="61002", invoiceNumber=SPLIT)
        for amount in ("571952.34", "30102.75")
    ]
    _book(live, "AR", "Freight", *parts, _line("3000", "-602055.09", currency="EUR"))
    cost = _line("4300", "48250.00", currency="NOK")
    _book(live, "GL", f"{ACCRUAL} accrual September", cost, _line("2960", "-48250.00", currency="NOK"))


@dataclass(slots=True)
class World:
    """What adopting found, dry, for real and once more, and what the run after it did."""

    live: Live
    dry: Adoption
    real: Adoption
    again: Adoption
    kept_by_dry: list[tuple[Any, ...]]
    held: dict[str, set[str]] = field(default_factory=dict)
    vouchers: dict[str, str] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)


def _adopt(live: Live, *, is_dry_run: bool = False) -> Adoption:
    return run_adopt(
        live.settings,
        before=BEFORE,
        operator="kari",
        now=live.now,
        today=TODAY,
        is_dry_run=is_dry_run,
        is_acknowledged=True,
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    numbers = {*FOUND, *MISSING, NO_ENTITY, LATER}
    with Live(tmp_path_factory.mktemp("adopt"), numbers) as live:
        # The partners are there before going live: the master-data job creates them in the ledger.
        live.batch(jobs=JOBS[:1])
        live.put(NO_ENTITY, documentDate="2026-09-20T00:00:00")
        _book_by_hand(live)
        dry = _adopt(live, is_dry_run=True)
        kept = live.ask("SELECT kind FROM outbox WHERE kind IN ('voucher', 'acknowledgement')")
        kept += live.ask("SELECT action FROM decisions")
        real = _adopt(live)
        again = _adopt(live)
        live.steer("release", NOT_THERE)
        live.batch(jobs=JOBS)
        yield World(
            live,
            dry,
            real,
            again,
            kept,
            live.held(),
            live.states("voucher"),
            {number: live.status(number) for number in numbers},
        )


def _outcomes(adoption: Adoption) -> dict[str, str]:
    return {line.document_no: line.outcome for line in adoption.lines}


def _detail(world: World, number: str) -> str:
    return next(line.detail for line in world.real.lines if line.document_no == number)


def test_a_dry_run_finds_the_same_and_writes_nothing(world: World) -> None:
    assert _outcomes(world.dry) == _outcomes(world.real)
    assert world.kept_by_dry == []


@pytest.mark.parametrize("number", sorted(FOUND))
def test_what_is_in_the_books_is_adopted(world: World, number: str) -> None:
    assert _outcomes(world.real)[number] == "adopted"
    assert world.vouchers[number] == "sent"


@pytest.mark.parametrize("number", sorted(FOUND))
def test_what_is_adopted_is_acknowledged_and_never_sent(world: World, number: str) -> None:
    assert world.status[number] == "POS"
    assert world.live.import_items(number) == []


def test_the_ledgers_ids_are_kept_for_its_payments(world: World) -> None:
    rows = world.live.ask(
        "SELECT json_extract(remote_ids, '$.header'), json_array_length(remote_ids, '$.rows') FROM outbox "
        "WHERE kind = 'voucher' AND document_no = ?",
        SPLIT,
    )
    assert [(header is not None, count) for header, count in rows] == [(True, 2)]


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (OTHER_AMOUNT, "not found: AP invoice F-0301 or 2706035 of partner 60505, GBP -10,158.84 in entity 28601"),
        (TWICE, "ambiguous: vouchers"),
        (NOT_THERE, "not found: AP invoice F-2501 or 2706289"),
        (NO_ENTITY, "not looked for: the ledger has no entity for company 28699"),
    ],
)
def test_what_is_not_found_says_what_was_looked_for(world: World, number: str, why: str) -> None:
    assert _detail(world, number).startswith(why)


@pytest.mark.parametrize("number", [OTHER_AMOUNT, TWICE])
def test_what_is_not_found_is_held_by_a_person(world: World, number: str) -> None:
    assert "held_by_person" in world.held[number]
    assert (number in world.vouchers, world.status[number]) == (False, "RFP")


def test_what_is_released_goes_out(world: World) -> None:
    assert (world.vouchers[NOT_THERE], world.status[NOT_THERE]) == ("sent", "POS")


def test_a_later_document_is_left_to_the_documents_job(world: World) -> None:
    assert LATER not in _outcomes(world.real)
    assert world.vouchers[LATER] == "sent"
    assert world.live.import_items(LATER) != []


def test_adopting_again_adds_no_hold_and_no_voucher(world: World) -> None:
    assert (world.real.held, world.again.held) == (4, 0)
    assert set(_outcomes(world.again)) == MISSING | {NO_ENTITY}


def test_each_decision_is_on_record(world: World) -> None:
    rows = world.live.ask("SELECT action, document_no, reason, operator FROM decisions ORDER BY decision_no")
    assert {number for action, number, _, _ in rows if action == "adopt"} == FOUND
    assert ("hold", TWICE, "before going live", "kari") in rows


def test_a_day_to_come_is_refused(world: World) -> None:
    with pytest.raises(UsageError, match="still to come"):
        run_adopt(world.live.settings, before=date(2026, 12, 1), operator="kari", now=world.live.now, today=TODAY)


def test_it_can_be_shown(world: World) -> None:
    file = StringIO()
    show_adoption(world.real, Console(file=file, width=200))
    assert "4 are adopted, 4 are on hold" in file.getvalue()
