"""Adopting takes over what people posted by hand and holds what they did not, so that nothing goes out by accident."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from typing import Any, NoReturn

import pytest
from rich.console import Console

from pipelines.core.errors import UsageError
from pipelines.going_live import adopt
from pipelines.going_live.adopt import Adoption, run_adopt, show_adoption
from tests.flow.live_world import JOBS, TODAY, Live

BEFORE = date(2026, 10, 1)
SUPPLIERS, OWN_NUMBER, SPLIT, SALE, ACCRUAL = "2706159", "2706004", "2706071", "2706260", "ACP2609-001"
OTHER_AMOUNT, TWICE, NOT_THERE, NO_ENTITY, LATER = "2706026", "2706029", "2706289", "2708029", "2707400"
FOUND = {SUPPLIERS, OWN_NUMBER, SPLIT, SALE, ACCRUAL}
MISSING = {OTHER_AMOUNT, TWICE, NOT_THERE}


def _line(account: str, amount: str, **members: object) -> dict[str, object]:
    return {"account": account, "amount": amount, "invoiceAmount": amount, **members}


def _book(live: Live, source: str, text: str, *lines: dict[str, object], owner: int = 28601) -> None:
    voucher = {"owner": owner, "source": source, "postedDate": "2026-09-30", "text": text, "lines": list(lines)}
    live.sandbox.control("POST", "ledger/vouchers", voucher)


def _purchase(
    live: Live, number: str, currency: str, partner: str, *parts: str, owner: int = 28601, control: str = "2400"
) -> None:
    """Book a supplier's invoice as a bookkeeper types it in: without voyage, at a rate of 1, a row for each term."""
    payable = [_line(control, f"-{part}", currency=currency, subledger=partner, invoiceNumber=number) for part in parts]
    costs = [_line("4300", part, currency=currency) for part in parts]
    _book(live, "AP", f"Faktura {number}", *payable, *costs, owner=owner)


def _book_by_hand(live: Live) -> None:
    _purchase(live, "F-1403", "USD", "60520", "23495.64", owner=28602, control="2405")
    _purchase(live, OWN_NUMBER, "NOK", "60502", "56475.24")
    _purchase(live, "F-0407", "GBP", "60530", "4180.71", "4180.71", "4193.27")
    _purchase(live, "F-0202", "USD", "60502", "10735.00")
    for _ in range(2):
        _purchase(live, "F-0205", "USD", "60502", "4794.53")
    receivable = _line("1500", "37008.21", currency="NOK", subledger="61011", invoiceNumber=SALE)
    _book(live, "AR", "Sale", receivable, _line("3000", "-37008.21", currency="NOK"))
    cost = _line("4300", "48250.00", currency="NOK")
    _book(live, "GL", f"{ACCRUAL} accrual September", cost, _line("2960", "-48250.00", currency="NOK"))


@dataclass(slots=True)
class World:
    """What adopting found, dry, for real and once more, and what the run after it did."""

    live: Live
    dry: tuple[int, str]
    real: Adoption
    again: Adoption
    kept_by_dry: list[tuple[Any, ...]]
    kept_by_killed: list[tuple[Any, ...]]
    held: dict[str, set[str]] = field(default_factory=dict)
    vouchers: dict[str, str] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)


def _killed_at_the_decision(live: Live) -> list[tuple[Any, ...]]:
    """Adopt, and die where it is to be noted who did; give what is kept of it."""

    def die(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adopt, "insert_decision", die)
        with pytest.raises(KeyboardInterrupt):
            _adopt(live)
    return live.ask("SELECT natural_key, state FROM outbox WHERE kind IN ('voucher', 'acknowledgement')")


def _adopt(live: Live) -> Adoption:
    return run_adopt(live.settings, before=BEFORE, operator="kari", now=live.now, today=TODAY, is_acknowledged=True)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    numbers = {*FOUND, *MISSING, NO_ENTITY, LATER}
    with Live(tmp_path_factory.mktemp("adopt"), numbers) as live:
        live.put(NO_ENTITY, documentDate="2026-09-20T00:00:00")
        # The invoice of SPLIT once more, as somebody else spells its number.
        live.put(LATER, businessPartner="60530", externalDocumentNo="f\u2013407")
        _book_by_hand(live)
        dry = live.command("adopt", "--before", "2026-10-01", "--dry-run", "--acknowledge", "--json")
        kept = live.ask("SELECT kind FROM outbox WHERE kind IN ('voucher', 'acknowledgement')")
        kept += live.ask("SELECT action FROM decisions")
        killed = _killed_at_the_decision(live)
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
            killed,
            live.holds(),
            live.states("voucher"),
            {number: live.status(number) for number in numbers},
        )


def _outcomes(adoption: Adoption) -> dict[str, str]:
    return {line.candidate.document_no: line.outcome for line in adoption.lines}


def _detail(world: World, number: str) -> str:
    return next(line.detail for line in world.real.lines if line.candidate.document_no == number)


def test_a_document_is_adopted_with_who_has_done_it_or_not_at_all(world: World) -> None:
    assert world.kept_by_killed == []


def test_a_dry_run_finds_the_same_and_writes_nothing(world: World) -> None:
    code, out = world.dry
    found = json.loads(out)
    assert {line["document_no"]: line["outcome"] for line in found["documents"]} == _outcomes(world.real)
    assert (code, found["counts"], found["dry_run"]) == (0, {"adopted": 5, "held": 4}, True)
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
    assert [(header is not None, count) for header, count in rows] == [(True, 3)]


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (OTHER_AMOUNT, "not found: AP invoice F-0202 or 2706026 of partner 60502, USD -10,735.20 in entity 28601"),
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


def test_an_adopted_invoice_in_another_spelling_is_told_before_it_goes(world: World) -> None:
    [(message, since)] = world.live.ask(
        "SELECT message, since FROM holds WHERE document_no = ? AND rule = 'external_document_no_used'", LATER
    )
    assert f"f\u2013407 stands on {SPLIT} (as F-0407) as well" in message
    [(sent,)] = world.live.ask(
        "SELECT min(at) FROM outbox_events AS events INNER JOIN outbox ON events.outbox_id = outbox.id "
        "WHERE outbox.kind = 'voucher' AND outbox.document_no = ? AND events.to_state = 'sending'",
        LATER,
    )
    assert since < sent


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
    assert "5 are adopted, 4 are on hold" in file.getvalue()
