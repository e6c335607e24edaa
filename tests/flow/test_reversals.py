"""A reversal goes after what it reverses, in one run with it where it can, never alone (docs/mapping.md#1-6-7)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.flow.live_world import Live, Row

ACCRUAL, ACCRUAL_BACK = "ACP2609-001", "ACR2610-001"
UNNAMED, UNNAMED_BACK = "ACP-LATE", "ACR-EARLY"
HELD, HELD_BACK = "2707034", "2707035"
IGNORED, IGNORED_BACK = "2707036", "2707037"
READY, READY_BACK = "2707038", "2707039"
OTHERS, OTHERS_BACK = "2705001", "2707201"
pytestmark = pytest.mark.system

PAIRS = (
    (ACCRUAL, ACCRUAL_BACK),
    (UNNAMED, UNNAMED_BACK),
    (HELD, HELD_BACK),
    (IGNORED, IGNORED_BACK),
    (READY, READY_BACK),
)


@dataclass(slots=True)
class World:
    """What held each document and what became of it, with the originals kept back and when nothing keeps them."""

    live: Live
    dry: dict[str, Row] = field(default_factory=dict)
    preflight: dict[str, set[str]] = field(default_factory=dict)
    held: list[dict[str, set[str]]] = field(default_factory=list)
    states: list[dict[str, str]] = field(default_factory=list)
    counted: list[int] = field(default_factory=list)
    warned: dict[str, str] = field(default_factory=dict)
    explained: Row = field(default_factory=dict)

    def run(self) -> None:
        result = self.live.batch()
        self.held.append(self.live.holds())
        self.states.append(self.live.states("acknowledgement"))
        self.counted.append(result.jobs["documents"].held)

    def sent(self, kind: str) -> list[str]:
        """Give the documents whose intents of a kind were sent, in that order."""
        statement = (
            "SELECT outbox.document_no FROM outbox_events AS events INNER JOIN outbox ON events.outbox_id = outbox.id "
            "WHERE outbox.kind = ? AND events.to_state = 'sent' ORDER BY events.event_no"
        )
        return [number for (number,) in self.live.ask(statement, kind)]


def _period(live: Live, *, closed: bool) -> None:
    live.sandbox.control("POST", "ledger/periods", {"owner": 28601, "period": "2026-09", "closed": closed})


def _accrue(live: Live, number: str, kind: str, day: str, amount: int) -> None:
    amounts = {"documentAmount": amount, "companyCurrencyAmount": amount}
    live.post(
        "Document",
        documentType=kind,
        documentNo=number,
        documentDate=f"{day}T00:00:00",
        documentCurrency="NOK",
        company="28601",
        glAccount="2960",
        documentLines=[{**amounts, "glAccount": "4300", "voyage": "V002-2602"}],
        **amounts,
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    numbers = {number for pair in PAIRS for number in pair} - {UNNAMED, UNNAMED_BACK} | {OTHERS_BACK}
    with Live(tmp_path_factory.mktemp("reversals"), numbers) as live:
        world = World(live)
        _period(live, closed=True)
        # The reversal comes first, with the smaller key, and names nothing.
        _accrue(live, UNNAMED_BACK, "ACR", "2026-11-01", -500)
        live.put(UNNAMED_BACK, invoicingStatus="RFP")
        _accrue(live, UNNAMED, "ACP", "2026-10-31", 500)
        live.steer("hold", HELD)
        live.steer("ignore", IGNORED)
        _, out = live.command("run", "master-data", "documents", "--dry-run", "--today", "2026-11-02", "--json")
        world.dry = {voucher["document_no"]: voucher for voucher in json.loads(out)["vouchers"]}
        world.run()
        world.warned = dict(live.ask("SELECT document_no, message FROM holds WHERE rule = 'original_unknown'"))
        _, out = live.command("preflight", "--json")
        for person in json.loads(out)["people"].values():
            for documents in person.values():
                for document in documents:
                    world.preflight[document["document_no"]] = {f["rule"] for f in document["findings"]}
        world.explained = json.loads(live.command("explain", ACCRUAL_BACK, "--json")[1])
        _period(live, closed=False)
        live.put(UNNAMED, invoicingStatus="RFP")
        live.steer("release", HELD)
        live.steer("release", IGNORED)
        world.run()
        yield world


def test_the_reversal_of_a_held_accrual_is_not_sent(world: World) -> None:
    assert world.held[0][ACCRUAL] == {"period_closed"}
    assert world.held[0][ACCRUAL_BACK] == {"original_not_sent"}


@pytest.mark.parametrize(("original", "reversal"), [(UNNAMED, UNNAMED_BACK), (HELD, HELD_BACK)])
def test_it_waits_for_what_is_pending_or_on_hold(world: World, original: str, reversal: str) -> None:
    assert original not in world.states[0]
    assert world.held[0][reversal] == {"original_not_sent"}


def test_the_reversal_of_an_ignored_one_is_for_a_person(world: World) -> None:
    assert world.held[0][IGNORED_BACK] == {"original_ignored"}


def test_it_goes_in_one_run_with_what_is_ready(world: World) -> None:
    assert world.states[0] == {READY: "sent", READY_BACK: "sent", OTHERS_BACK: "sent"}
    assert world.counted == [6, 0]


def test_what_others_have_posted_lets_it_go_with_a_warning(world: World) -> None:
    assert set(world.warned) == {OTHERS_BACK}
    assert f"INI {OTHERS} is posted in the VMS, and Springline has no voucher of it" in world.warned[OTHERS_BACK]


def test_a_dry_run_shows_what_goes_after_what(world: World) -> None:
    assert {number: voucher["after"] for number, voucher in world.dry.items()} == {
        READY: [],
        READY_BACK: [READY],
        OTHERS_BACK: [],
    }


def test_preflight_and_explain_say_what_it_waits_for(world: World) -> None:
    assert world.preflight[ACCRUAL_BACK] == {"original_not_sent"}
    # In preflight nobody has put anything on hold, and what is pending counts as ready.
    assert not {UNNAMED_BACK, HELD_BACK} & world.preflight.keys()
    assert f"waits for {ACCRUAL}" in world.explained["stands"]


def test_all_go_once_nothing_keeps_what_they_reverse(world: World) -> None:
    assert not {number for pair in PAIRS for number in pair} & world.held[1].keys()
    assert set(world.states[1].values()) == {"sent"}
    assert len(world.states[1]) == 2 * len(PAIRS) + 1


@pytest.mark.parametrize("kind", ["voucher", "acknowledgement"])
@pytest.mark.parametrize(("original", "reversal"), PAIRS)
def test_nothing_goes_before_what_it_reverses(world: World, original: str, reversal: str, kind: str) -> None:
    order = world.sent(kind)
    assert order.index(original) < order.index(reversal)
