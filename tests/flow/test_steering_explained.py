"""What people decide takes effect with the next run, and `explain` tells each document's story to its end."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from pipelines.core.errors import UsageError
from pipelines.questions.explain import sends
from pipelines.questions.explain.explanation import Explanation
from pipelines.questions.explain.show import show_explanation
from pipelines.questions.explain.story import explain_document
from pipelines.steering.find_document import Document
from pipelines.stores.control import Control
from tests.flow.live_story import (
    BROKEN,
    HELD,
    LEFT_ALONE,
    NEW_IBAN,
    OLD_IBAN,
    PAYEE_ACCOUNT,
    POSTED,
    REFUSED,
    SHOWN,
    SUPPLIER,
    TOO_LONG,
    UNCONFIRMED,
    WARNED,
    WITH_FAULT,
    Story,
    live_through,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    yield from live_through(tmp_path_factory.mktemp("steering"))


def test_a_held_document_stays_until_it_is_released(story: Story) -> None:
    assert story.held[0][HELD] == {"held_by_person"}
    assert HELD not in story.vouchers[0]
    assert HELD not in story.held[1]
    assert story.vouchers[1][HELD] == "sent"


def test_an_ignored_document_is_neither_held_nor_sent(story: Story) -> None:
    assert (LEFT_ALONE in story.held[0], LEFT_ALONE in story.vouchers[0]) == (False, False)
    assert story.vouchers[1][LEFT_ALONE] == "sent"


def test_the_same_decision_twice_is_one(story: Story) -> None:
    assert not story.said["hold again"].is_new
    assert "price disputed" in story.said["hold again"].message


def test_a_hold_cannot_call_a_sent_voucher_back(story: Story) -> None:
    assert "cannot call it back" in story.refused["hold sent"]


def test_a_retry_of_a_refused_voucher_names_what_to_see_to(story: Story) -> None:
    assert story.posted[0]["failed"] == 1
    (told,) = [told for told in story.told[1] if REFUSED in told]
    assert all(f"item {item['dbId']}" in told for item in story.items[1] if item["errors"])
    assert "is closed" in told


def test_a_retry_never_adds_an_item(story: Story) -> None:
    assert {tuple(item["dbId"] for item in items) for items in story.items} == {
        tuple(item["dbId"] for item in story.items[0])
    }


def test_a_retry_corrects_what_is_mapped_otherwise_now(story: Story) -> None:
    assert {item["node"]["postedDate"] for item in story.items[1]} == {"2026-10-15"}
    assert {item["node"]["postedDate"] for item in story.items[2]} == {"2026-11-01"}
    assert story.posted[1]["failed"] == 0


def test_a_correction_carries_no_account_that_nobody_confirmed(story: Story) -> None:
    accounts = [{item["node"].get("bankAccount") for item in items} for items in story.items]
    assert accounts[2] == accounts[1] == {None, PAYEE_ACCOUNT}
    payloads = story.live.ask("SELECT payload FROM outbox WHERE kind = 'correction'")
    assert payloads
    assert not any(UNCONFIRMED in payload for (payload,) in payloads)


def test_what_is_refused_as_it_is_goes_once_and_again_when_corrected(story: Story) -> None:
    assert [story.vouchers[run][TOO_LONG] for run in (0, 1, 5)] == ["failed", "failed", "sent"]
    # First in one mutation with others, which the ledger refuses as a whole, then alone; never again until corrected.
    assert [story.sends[run] for run in (0, 1, 4, 5)] == [2, 2, 2, 3]
    assert "invoiceNumber: Value is too long" in story.refused["too long"]
    assert story.refused["too long"].endswith("it goes when it has changed.")
    # Held from the run after the refusal on, with what to correct; corrected, it is held no more.
    assert [TOO_LONG in story.held[run] for run in (0, 1, 5)] == [False, True, False]
    assert story.held[1][TOO_LONG] == {"refused_as_it_is"}
    told = story.explanation(TOO_LONG)
    assert "invoiceNumber: Value is too long" in told["stands"]
    assert "external document number before the pipe is the invoice number" in told["next_step"]


def test_a_correction_that_no_answer_shows_is_looked_up(story: Story) -> None:
    assert story.corrections == [("5200166#1", "unknown"), ("5200166#1", "sent")]
    assert any("not known" in told for told in story.told[2] if REFUSED in told)
    assert any("waits for the ledger's posting job" in told for told in story.told[3] if REFUSED in told)


def test_a_retry_of_a_booked_voucher_does_nothing(story: Story) -> None:
    assert any("has been booked" in told for told in story.told[4] if REFUSED in told)
    assert not story.said["retry booked"].is_new
    assert "nothing to do" in story.said["retry booked"].message


def test_a_changed_bank_account_waits_for_a_named_person(story: Story) -> None:
    assert story.held[0][SUPPLIER] == {"bank_change"}
    assert story.accounts[0] != OLD_IBAN
    assert "SPRINGLINE_OPERATOR" in story.refused["nobody"]


def test_a_released_bank_account_is_sent_and_stays_on_record(story: Story) -> None:
    assert story.accounts[1] == OLD_IBAN
    assert SUPPLIER not in story.held[1]
    assert story.changes[0][1:] == (OLD_IBAN, "applied", "ola")


def test_another_change_needs_another_release(story: Story) -> None:
    assert story.held[5][SUPPLIER] == {"bank_change"}
    assert story.changes[-1] == (OLD_IBAN, NEW_IBAN, None, None)
    assert story.accounts[5] == OLD_IBAN


def test_the_vms_state_is_as_last_read(story: Story) -> None:
    vms = story.explanation(POSTED)["vms"]
    assert (vms["document_type"], vms["partner_code"], vms["external_document_no"]) == ("INI", "60526", "F-881|602243")
    assert [term["due_date"] for term in vms["payment_terms"]] == ["2026-12-01", "2027-01-01"]
    assert len(vms["lines"]) == 3


def test_the_voucher_is_as_it_was_sent(story: Story) -> None:
    voucher = story.explanation(POSTED)["voucher"]
    assert voucher["state"] == "as sent"
    sent = [(line["account"], line["currency_amount"], line["amount"]) for line in voucher["lines"]]
    assert sent == [
        ("2400", "-1187.50", "-12468.75"),
        ("2400", "-62.50", "-656.25"),
        ("4300", "750.00", "7875.00"),
        ("4310", "500.00", "5250.00"),
    ]


def test_no_more_of_a_bank_account_is_told_than_its_end(story: Story) -> None:
    accounts = {line["subledger_bank_account"] for line in story.explanation(POSTED)["voucher"]["lines"]}
    assert all(account is None or (account.startswith("…") and len(account) == 5) for account in accounts)
    assert len(accounts) == 2


def test_each_field_names_the_member_it_comes_from(story: Story) -> None:
    fields = story.explanation(POSTED)["voucher"]["fields"]
    assert "Document.businessPartner.businessPartnerCode" in fields["subledger_no"]["from"]
    assert fields["subledger_no"]["field"] == "subledger{code}"
    assert fields["posting1"]["from"] == [
        "Document.documentLines.voyage.vessel.vesselCodes.vesselCode",
        "Document.documentLines.vesselCode.vesselCode",
    ]
    assert fields["job_level"]["from"] == []


def test_every_rule_has_a_verdict(story: Story) -> None:
    held = {check["rule"]: check["verdict"] for check in story.explanation(WITH_FAULT)["checks"]}
    assert held["gl_account_missing"] == "failed"
    assert held["due_date_missing"] == "passed"
    assert {check["verdict"] for check in story.explanation(POSTED)["checks"]} == {"passed"}
    assert {check["verdict"] for check in story.explanation(SHOWN)["checks"]} == {"not checked"}


def test_a_warning_goes_out_and_is_told(story: Story) -> None:
    told = story.explanation(WARNED)
    assert [hold["rule"] for hold in told["holds"]] == ["kid_invalid"]
    assert told["outbox"][0]["state"] == "sent"


def test_every_event_is_told_and_the_chain_holds(story: Story) -> None:
    told = story.explanation(POSTED)
    steps = {intent["kind"]: [event["to_state"] for event in intent["events"]] for intent in told["outbox"]}
    # Once more after TOO_LONG, which was in the same mutation, was refused.
    assert steps == {
        "voucher": ["todo", "sending", "todo", "sending", "sent"],
        "acknowledgement": ["todo", "sending", "sent"],
    }
    assert told["chain"]["verified"]


def test_the_ledger_and_the_payment_are_told(story: Story) -> None:
    told = story.explanation(POSTED)
    assert len(told["ledger"]["import_items"]) == 4
    assert [row["invoice_number"] for row in told["ledger"]["subledger_rows"]] == ["F-881", "F-881"]
    assert float(told["payments"]["settled"]) == -600
    assert [float(row["invoice_amount"]) for row in told["payments"]["matched_rows"]] == [600]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (POSTED, "The ledger has booked it as voucher 1"),
        (
            WITH_FAULT,
            "Held: GL account missing (on line 2). in the VMS, set the GL account of these lines. operations",
        ),
        (SHOWN, "of type APR are read and shown, never posted. nothing. "),
        (BROKEN, "documentAmount: a number was expected"),
        (HELD, "held by kari (price disputed). `springline release 5200"),
        (LEFT_ALONE, "kari put it on the ignore list"),
        (REFUSED, "posted in the VMS, not in the ledger, whose posting job refused it (item "),
    ],
)
def test_the_advice_fits_the_case(story: Story, number: str, words: str) -> None:
    told = story.explanation(number)
    assert words in f"{told['stands']} {told['next_step']} {told['who_acts']}"


def _voucher_no(story: Story, number: str) -> str:
    return str(story.explanation(number)["ledger"]["subledger_rows"][0]["voucher_no"])


@pytest.mark.parametrize(
    "name", ["F-881", "f-881", "602243", "60526 F-881", "60526/602243", "60526, 2707400", "5200777"]
)
def test_a_document_is_found_by_what_people_call_it(story: Story, name: str) -> None:
    assert _explained_from(story, name).document.number == POSTED


def test_a_document_is_found_by_what_the_ledger_calls_it(story: Story) -> None:
    told = story.explanation(POSTED)
    found = _explained_from(story, _voucher_no(story, POSTED))
    assert (found.document.number, found.found_as) == (POSTED, "voucher number")
    item = str(told["ledger"]["import_items"][0]["import_item_db_id"])
    assert _explained_from(story, item).document.number == POSTED


@pytest.mark.parametrize(("name", "near"), [("F881", "invoice number F-881"), ("2707040", "document number 2707400")])
def test_a_near_miss_names_the_nearest(story: Story, name: str, near: str) -> None:
    with pytest.raises(UsageError, match="Looked in the warehouse and the control store") as missed:
        _explained_from(story, name)
    assert f"  springline explain key:5200777  {near}" in missed.value.message.splitlines()


def test_it_says_which_file_it_read_and_how_old_that_is(story: Story) -> None:
    as_of = story.explanation(POSTED)["as_of"]
    assert (as_of["origin"], as_of["minutes"]) == ("warehouse", 0)


def _explained_from(story: Story, name: str, **environ: str) -> Explanation:
    """Explain a document from stores elsewhere, and come back."""
    before = dict(story.live.environ)
    story.live.change_settings(**environ)
    explained = explain_document(story.live.settings, name, now=story.live.now)
    story.live.environ.clear()
    story.live.environ.update(before)
    return explained


def test_it_works_from_the_control_store_alone(story: Story) -> None:
    control = str(story.live.settings.control_path)
    nowhere = str(story.live.folder / "elsewhere" / "none.duckdb")
    explained = _explained_from(story, "key:5200777", WAREHOUSE=nowhere, CONTROL=control)
    assert explained.as_of["origin"] == "control store alone"
    assert explained.voucher is not None
    assert len(explained.voucher["lines"]) == 4


def _edited(story: Story) -> tuple[Path, str]:
    """Copy the control store, edit the first event of a document in it, and give the fault that this is."""
    copy = story.live.folder / "copied.sqlite"
    with closing(sqlite3.connect(story.live.settings.control_path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("DROP TRIGGER outbox_events_are_final_update")
        (number,) = target.execute(
            "SELECT min(event_no) FROM outbox_events INNER JOIN outbox ON outbox_id = id WHERE document_no = ?",
            (POSTED,),
        ).fetchone()
        target.execute("UPDATE outbox_events SET detail = 'edited' WHERE event_no = ?", (number,))
        target.commit()
    return copy, f"event {number} was edited: its hash does not fit"


def test_an_edited_event_breaks_the_chain(story: Story) -> None:
    copy, fault = _edited(story)
    assert _explained_from(story, SHOWN, CONTROL=str(copy)).chain["faults"] == [fault]


def test_a_long_chain_is_verified_around_the_document(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sends, "MOST_VERIFIED", 0)
    chain = _explained_from(story, SHOWN).chain
    assert (chain["verified"], chain["scope"]) == (True, "the events of this document")
    copy, fault = _edited(story)
    with closing(Control(copy)) as control:
        assert sends.verdict_on_chain(control, Document(POSTED, 5200777))["faults"] == [fault]


def test_a_document_known_by_its_number_alone_has_a_story(story: Story) -> None:
    told = _explained_from(story, "7777777").as_dict()
    assert (told["document_key"], told["vms"], told["voucher"]) == (None, None, None)
    assert "kari put it on the ignore list" in str(told["stands"])


def test_a_number_nobody_has_seen_is_refused(story: Story) -> None:
    with pytest.raises(UsageError, match="No document 404 has been read yet"):
        explain_document(story.live.settings, "404", now=story.live.now)


@pytest.mark.parametrize("width", [80, 120])
def test_every_story_fits_one_screen(story: Story, width: int) -> None:
    for explained in story.explained.values():
        lines = _shown(explained, width)
        assert lines[1] == explained.stands[: len(lines[1])]
        assert any(line.startswith("Next: ") for line in lines)
        assert len(lines) <= 24
        assert max(map(len, lines)) <= width


def test_no_code_is_cut_on_the_screen(story: Story) -> None:
    shown = "\n".join(_shown(story.explained[POSTED], 80))
    for word in ("2026-12-01", "F-881", "602243", "V001-2601", "-12,468.75", "key 5200777", _voucher_no(story, POSTED)):
        assert word in shown


def test_a_rule_that_found_nothing_does_not_read_as_a_fault(story: Story) -> None:
    shown = "\n".join(_shown(story.explained[POSTED], 80, "rules"))
    assert re.search(r"none of the 4\d faults looked for was found", shown)
    assert "Looked for and not found: GL account missing," in shown
    held = "\n".join(_shown(story.explained[WITH_FAULT], 80))
    assert re.search(r"1 fault of 4\d looked for: GL account missing", held)


def test_origins_and_events_are_shown_when_asked_for(story: Story) -> None:
    explained = story.explained[POSTED]
    answer = "\n".join(_shown(explained, 120))
    assert "Document.externalDocumentNo" not in answer
    assert "to state" not in answer
    assert "Document.externalDocumentNo" in "\n".join(_shown(explained, 120, "origins"))
    assert "to state" in "\n".join(_shown(explained, 120, "events"))
    full = "\n".join(_shown(explained, 120, "full"))
    assert all(word in full for word in ("Document.externalDocumentNo", "to state", "General ledger", "Looked for and"))


def _shown(explained: Explanation, width: int, *parts: str) -> list[str]:
    shown = StringIO()
    show_explanation(explained, Console(file=shown, width=width, soft_wrap=True), parts=frozenset(parts))
    return [line.rstrip() for line in shown.getvalue().splitlines()]
