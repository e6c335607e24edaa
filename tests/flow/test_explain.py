"""`explain` tells each document's story from the VMS to the ledger and ends with what to do next."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from pipelines.counts import Counts
from pipelines.errors import UsageError
from pipelines.explain.show import show_explanation
from pipelines.explain.story import Explanation, explain_document
from pipelines.extract.books import extract_rows_of_invoices
from pipelines.jobs import Job, Step
from tests.flow.live_world import JOBS, Live

POSTED, HELD, SHOWN, BROKEN, WARNED, PERSON, IGNORED = (
    "2707400",
    "2708001",
    "2709101",
    "2708101",
    "2707022",
    "2706085",
    "2706036",
)
PAID = "600.00"


@dataclass(frozen=True, slots=True)
class World:
    """The running world, and the stories told in it."""

    live: Live
    stories: dict[str, Explanation]

    def told(self, number: str) -> dict[str, Any]:
        return dict(json.loads(json.dumps(self.stories[number].as_dict(), default=str)))


def _pay_and_read(live: Live) -> None:
    """Let the ledger book, part-pay the first term of the posted invoice, and read the rows of its number."""
    live.posted()
    (voucher,) = live.sandbox.control("GET", "ledger/vouchers?trRegNumber=5200777")
    row = next(line["subledgerRow"]["dbId"] for line in voucher["lines"] if line["subledgerRow"])
    payment = {
        "owner": 28601,
        "side": "AP",
        "source": "DR",
        "date": "2026-11-02",
        "currency": "USD",
        "subledger": "60526",
    }
    amounts = {"amount": PAID, "company_amount": "6300.00", "match": [{"row": row, "amount": PAID}]}
    live.sandbox.control("POST", "ledger/payments", {**payment, **amounts})
    step = Step("read rows", lambda ctx: Counts(extracted=extract_rows_of_invoices(ctx, ["F-881"]).landed))
    live.batch(jobs=[Job("payments", (step,))])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    numbers = (POSTED, HELD, SHOWN, BROKEN, WARNED, PERSON, IGNORED)
    with Live(tmp_path_factory.mktemp("explain"), numbers) as live:
        live.steer("hold", PERSON, reason="price disputed")
        live.steer("ignore", IGNORED, reason="skipped to posted")
        live.batch(jobs=JOBS)
        _pay_and_read(live)
        yield World(live, {number: explain_document(live.settings, number, now=live.now) for number in numbers})


def test_the_vms_state_is_as_last_read(world: World) -> None:
    vms = world.told(POSTED)["vms"]
    assert (vms["document_type"], vms["partner_code"], vms["external_document_no"]) == ("INI", "60526", "F-881|602243")
    assert [term["due_date"] for term in vms["payment_terms"]] == ["2026-12-01", "2027-01-01"]
    assert len(vms["lines"]) == 3


def test_the_voucher_is_as_it_was_sent(world: World) -> None:
    voucher = world.told(POSTED)["voucher"]
    assert voucher["state"] == "as sent"
    sent = [(line["account"], line["currency_amount"], line["amount"]) for line in voucher["lines"]]
    assert sent == [
        ("2400", "-1187.50", "-12468.75"),
        ("2400", "-62.50", "-656.25"),
        ("4300", "750.00", "7875.00"),
        ("4310", "500.00", "5250.00"),
    ]


def test_no_more_of_a_bank_account_is_told_than_its_end(world: World) -> None:
    accounts = {line["subledger_bank_account"] for line in world.told(POSTED)["voucher"]["lines"]}
    assert all(account is None or (account.startswith("…") and len(account) == 5) for account in accounts)
    assert len(accounts) == 2


def test_each_field_names_the_member_it_comes_from(world: World) -> None:
    fields = world.told(POSTED)["voucher"]["fields"]
    assert "Document.businessPartner.businessPartnerCode" in fields["subledger_no"]["from"]
    assert fields["subledger_no"]["field"] == "subledger{code}"
    assert fields["posting1"]["from"] == ["Document.documentLines.voyage.vessel.vesselCodes.vesselCode"]
    assert fields["job_level"]["from"] == []


def test_every_rule_has_a_verdict(world: World) -> None:
    held = {check["rule"]: check["verdict"] for check in world.told(HELD)["checks"]}
    assert held["gl_account_missing"] == "failed"
    assert held["due_date_missing"] == "passed"
    assert {check["verdict"] for check in world.told(POSTED)["checks"]} == {"passed"}
    assert {check["verdict"] for check in world.told(SHOWN)["checks"]} == {"not checked"}


def test_a_warning_goes_out_and_is_told(world: World) -> None:
    story = world.told(WARNED)
    assert [hold["rule"] for hold in story["holds"]] == ["kid_invalid"]
    assert story["outbox"][0]["state"] == "sent"


def test_every_event_is_told_and_the_chain_holds(world: World) -> None:
    story = world.told(POSTED)
    steps = {intent["kind"]: [event["to_state"] for event in intent["events"]] for intent in story["outbox"]}
    assert steps == {"voucher": ["todo", "sending", "sent"], "acknowledgement": ["todo", "sending", "sent"]}
    assert story["chain"]["verified"]


def test_the_ledger_and_the_payment_are_told(world: World) -> None:
    story = world.told(POSTED)
    assert len(story["ledger"]["import_items"]) == 4
    assert [row["invoice_number"] for row in story["ledger"]["subledger_rows"]] == ["F-881", "F-881"]
    assert float(story["payments"]["settled"]) == -600
    assert [float(row["invoice_amount"]) for row in story["payments"]["matched_rows"]] == [600]


@pytest.mark.parametrize(
    ("number", "step"),
    [
        (POSTED, "Nothing: the ledger has booked it as voucher"),
        (HELD, "set the GL account of these lines"),
        (SHOWN, "of type APR are read and shown, never posted"),
        (BROKEN, "documentAmount: a number was expected"),
        (PERSON, "held by kari (price disputed)"),
        (IGNORED, "kari put it on the ignore list (skipped to posted)"),
    ],
)
def test_the_next_step_fits_the_case(world: World, number: str, step: str) -> None:
    assert step in world.told(number)["next_step"]


def test_it_says_which_file_it_read_and_how_old_that_is(world: World) -> None:
    as_of = world.told(POSTED)["as_of"]
    assert (as_of["origin"], as_of["minutes"]) == ("warehouse", 0)


def test_it_works_from_the_control_store_alone(world: World) -> None:
    world.live.set(WAREHOUSE=str(world.live.folder / "elsewhere" / "none.duckdb"))
    world.live.set(CONTROL=str(world.live.folder / "springline.ctl.sqlite"))
    story = explain_document(world.live.settings, "key:5200777", now=world.live.now)
    world.live.set(WAREHOUSE=str(world.live.folder / "springline.duckdb"))
    assert story.as_of["origin"] == "control store alone"
    assert story.voucher is not None
    assert len(story.voucher["lines"]) == 4


def test_an_edited_event_breaks_the_chain(world: World) -> None:
    copy = world.live.folder / "copied.sqlite"
    with closing(sqlite3.connect(world.live.settings.control_path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("DROP TRIGGER outbox_events_are_final_update")
        target.execute("UPDATE outbox_events SET detail = 'edited' WHERE event_no = 2")
        target.commit()
    world.live.set(CONTROL=str(copy))
    story = explain_document(world.live.settings, SHOWN, now=world.live.now)
    world.live.set(CONTROL=str(world.live.folder / "springline.ctl.sqlite"))
    assert story.chain["faults"] == ["event 2 was edited: its hash does not fit"]


def test_a_number_nobody_has_seen_is_refused(world: World) -> None:
    with pytest.raises(UsageError, match="No document 404 has been read yet"):
        explain_document(world.live.settings, "404", now=world.live.now)


def test_every_story_can_be_shown(world: World) -> None:
    for story in world.stories.values():
        console = Console(file=StringIO(), width=120)
        show_explanation(story, console)
        shown = console.file.getvalue() if isinstance(console.file, StringIO) else ""
        assert shown.splitlines()[-1].startswith("Next: ") or "Next: " in shown
