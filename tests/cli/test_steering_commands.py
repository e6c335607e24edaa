"""hold, release, ignore and retry: what they record, what they refuse, and that they work while a batch runs."""

from __future__ import annotations

import json
import os
import pwd

import duckdb
import pytest

from tests.cli.springline import Terminal

NUMBER, KEY = "2707400", 5200777


def _known(terminal: Terminal, *, key: int = KEY, number: str = NUMBER, rule: str = "no_lines") -> None:
    """Let a document be known because a rule holds it."""
    message = "INI 2707400: document has no lines. In the VMS, enter them."
    terminal.keep("holds", company="28601", document_key=key, document_no=number, rule=rule, message=message)


def _decisions(terminal: Terminal) -> list[tuple[object, ...]]:
    return terminal.ask("SELECT action, document_key, document_no, reason, operator FROM decisions ORDER BY 1")


@pytest.mark.parametrize("name", [NUMBER, str(KEY), f"key:{KEY}"])
def test_a_document_is_named_by_number_or_key(terminal: Terminal, name: str) -> None:
    _known(terminal)
    ended = terminal.run("hold", name, "--reason", "price disputed", "--json")
    assert (ended.code, ended.json()["document_key"], ended.json()["is_new"]) == (0, KEY, True)
    assert _decisions(terminal) == [("hold", KEY, NUMBER, "price disputed", "kari")]


def test_several_documents_of_a_number_are_listed(terminal: Terminal) -> None:
    _known(terminal)
    _known(terminal, key=5200778)
    ended = terminal.run("hold", NUMBER, "--reason", "x")
    assert ended.code == 2
    assert "key 5200777 of company 28601" in ended.err
    assert "key 5200778" in ended.err
    assert "as in key:5200777" in ended.err
    assert _decisions(terminal) == []


def test_a_number_wins_over_another_documents_key(terminal: Terminal) -> None:
    _known(terminal, key=1, number=str(KEY))
    _known(terminal)
    assert terminal.run("hold", str(KEY), "--reason", "x", "--json").json()["document_key"] == 1
    assert terminal.run("hold", f"key:{KEY}", "--reason", "x", "--json").json()["document_key"] == KEY


@pytest.mark.parametrize("action", ["hold", "ignore"])
def test_deciding_twice_records_once(terminal: Terminal, action: str) -> None:
    _known(terminal)
    assert terminal.run(action, NUMBER, "--reason", "x", "--json").json()["is_new"]
    again = terminal.run(action, NUMBER, "--reason", "y", "--json")
    assert (again.code, again.json()["is_new"]) == (0, False)
    assert len(_decisions(terminal)) == 1


def test_a_number_never_seen_can_be_ignored(terminal: Terminal) -> None:
    ended = terminal.run("ignore", "99", "--reason", "skipped to posted")
    assert (ended.code, "no document with this number has been read yet" in ended.out) == (0, True)
    # What a person took for a number may be an invoice number: it must not hold nothing without a word.
    assert "`springline explain 99` names the document" in ended.out
    assert terminal.ask("SELECT document_no, document_key, operator FROM ignored") == [("99", None, "kari")]


def test_a_key_never_seen_is_refused(terminal: Terminal) -> None:
    assert terminal.run("ignore", "key:99", "--reason", "x").code == 2


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_reason_is_asked_for(terminal: Terminal, reason: str) -> None:
    assert terminal.run("hold", NUMBER, "--reason", reason).code == 2
    assert terminal.run("hold", NUMBER).code == 2


def test_release_lifts_hold_and_ignore(terminal: Terminal) -> None:
    _known(terminal)
    terminal.run("hold", NUMBER, "--reason", "x")
    terminal.run("ignore", NUMBER, "--reason", "x")
    ended = terminal.run("release", NUMBER, "--reason", "settled")
    assert "hold and ignore lifted" in ended.out
    assert "still held by a rule" in ended.out
    assert terminal.ask("SELECT count(*) FROM ignored WHERE until IS NULL") == [(0,)]
    assert terminal.run("release", NUMBER, "--reason", "x").code == 2


def test_a_rule_is_never_released(terminal: Terminal) -> None:
    _known(terminal)
    ended = terminal.run("release", NUMBER, "--reason", "please", "--json")
    assert (ended.code, ended.json()["exit_code"]) == (2, 2)
    assert "document has no lines" in ended.json()["error"]
    assert _decisions(terminal) == []


def test_a_decision_by_number_is_released_by_key(terminal: Terminal) -> None:
    terminal.run("hold", NUMBER, "--reason", "before it was read")
    _known(terminal)
    assert "hold lifted" in terminal.run("release", f"key:{KEY}", "--reason", "x").out


def test_what_nobody_put_on_is_not_released(terminal: Terminal) -> None:
    assert "Nothing is put on 404" in terminal.run("release", "404", "--reason", "x").err


@pytest.mark.parametrize("action", ["hold", "ignore"])
def test_a_sent_voucher_is_not_called_back(terminal: Terminal, action: str) -> None:
    terminal.keep("outbox", document_key=KEY, document_no=NUMBER, state="sent", sent_at="2026-11-01")
    ended = terminal.run(action, NUMBER, "--reason", "x")
    assert (ended.code, "cannot call it back" in ended.err) == (2, True)


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_a_voucher_that_may_be_there_is_looked_up_first(terminal: Terminal, state: str) -> None:
    terminal.keep("outbox", document_key=KEY, document_no=NUMBER, state=state)
    assert "looks it up first" in terminal.run("hold", NUMBER, "--reason", "x").out


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("failed", "the next run tries it again"),
        ("unknown", "only where it is certainly not there"),
        ("sending", "only where it is certainly not there"),
        ("sent", "nothing is ever added"),
    ],
)
def test_retry_says_what_the_next_run_does(terminal: Terminal, state: str, told: str) -> None:
    terminal.keep("outbox", document_key=KEY, document_no=NUMBER, state=state)
    ended = terminal.run("retry", NUMBER, "--reason", "corrected", "--json").json()
    assert (told in ended["message"], ended["is_new"]) == (True, True)
    assert not terminal.run("retry", NUMBER, "--reason", "again", "--json").json()["is_new"]


def test_retry_says_what_is_still_in_the_way(terminal: Terminal) -> None:
    _known(terminal)
    terminal.keep("outbox", document_key=KEY, document_no=NUMBER, state="failed")
    terminal.run("hold", NUMBER, "--reason", "x")
    told = terminal.run("retry", NUMBER, "--reason", "x").out
    assert "It is held by a person: `springline release key:5200777 --reason …` comes first." in told
    assert "document has no lines" in told


def test_retry_of_what_waits_anyway_records_nothing(terminal: Terminal) -> None:
    terminal.keep("outbox", document_key=KEY, document_no=NUMBER, state="todo")
    assert not terminal.run("retry", NUMBER, "--reason", "x", "--json").json()["is_new"]
    assert _decisions(terminal) == []


def test_retry_of_what_was_never_sent_says_why(terminal: Terminal) -> None:
    _known(terminal)
    ended = terminal.run("retry", NUMBER, "--reason", "x")
    assert (ended.code, "document has no lines" in ended.err) == (2, True)


def test_retry_tells_of_a_failed_acknowledgement(terminal: Terminal) -> None:
    terminal.keep("outbox", document_key=KEY, document_no=NUMBER, state="sent")
    terminal.keep("outbox", document_key=KEY, document_no=NUMBER, state="failed", kind="acknowledgement")
    assert "sets it to posted in the VMS" in terminal.run("retry", NUMBER, "--reason", "x").out


def test_ignoring_closes_the_breaks_of_a_failed_voucher(terminal: Terminal) -> None:
    terminal.keep("outbox", document_key=KEY, document_no=NUMBER, state="failed")
    terminal.keep(
        "breaks",
        kind="voucher already in books",
        subject=str(KEY),
        message="",
        next_step="",
        figures_hash="",
        since="2026-11-01",
        batch_id="b1",
    )
    terminal.run("ignore", NUMBER, "--reason", "posted by hand")
    assert terminal.ask("SELECT count(*) FROM breaks WHERE until IS NULL") == [(0,)]
    assert ("kari put the document on the ignore list: posted by hand",) in terminal.ask(
        "SELECT end_reason FROM breaks"
    )


def test_a_suppliers_bank_change_is_released_by_its_code(terminal: Terminal) -> None:
    terminal.keep("bank_changes", partner_code="60504", old_account="NO9386011117947", new_account="NO7712345678903")
    ended = terminal.run("release", "60504", "--reason", "called them")
    assert "…7947 → …8903 released by kari" in ended.out
    assert "NO77" not in ended.out
    assert terminal.ask("SELECT decision, decided_by, reason FROM bank_changes") == [("confirm", "kari", "called them")]


def test_a_bank_change_is_not_released_by_nobody(terminal: Terminal) -> None:
    terminal.keep("bank_changes", partner_code="60504", old_account="1", new_account="2")
    terminal.set(SPRINGLINE_OPERATOR="unknown")
    assert terminal.run("release", "60504", "--reason", "x").code == 2


def test_who_decides_is_in_the_log_with_the_login(terminal: Terminal) -> None:
    ended = terminal.run("hold", NUMBER, "--reason", "x")
    [line] = [json.loads(line) for line in ended.err.splitlines() if '"decided"' in line]
    login = pwd.getpwuid(os.getuid()).pw_name
    assert (line["action"], line["subject"], line["operator"], line["login"]) == (
        "hold",
        "document 2707400",
        "kari",
        login,
    )


def test_without_a_name_of_its_own_a_decision_has_the_login(terminal: Terminal) -> None:
    # LOGNAME is whatever somebody sets it to.
    terminal.set(SPRINGLINE_OPERATOR=" ", LOGNAME="ola", USER="ola")
    terminal.run("hold", NUMBER, "--reason", "x")
    assert terminal.ask("SELECT operator FROM decisions") == [(pwd.getpwuid(os.getuid()).pw_name,)]


def test_whoever_is_refused_a_release_is_in_the_log(terminal: Terminal) -> None:
    terminal.keep("bank_changes", partner_code="60504", old_account="1", new_account="2", seen_by="kari")
    ended = terminal.run("release", "60504", "--reason", "x")
    assert (ended.code, "release_refused" in ended.err) == (2, True)
    assert terminal.ask("SELECT decision FROM bank_changes") == [(None,)]


def test_a_supplier_with_a_documents_number_is_asked_about(terminal: Terminal) -> None:
    _known(terminal, number="60504")
    terminal.run("hold", "60504", "--reason", "x")
    terminal.keep("bank_changes", partner_code="60504", old_account="1", new_account="2")
    assert terminal.run("release", "60504", "--reason", "x").code == 2
    assert terminal.run("release", "supplier:60504", "--reason", "x", "--json").json()["subject"] == "supplier"
    assert terminal.run("release", "60504", "--reason", "x", "--json").json()["subject"] == "document"


def test_it_works_while_a_batch_holds_the_warehouse(terminal: Terminal) -> None:
    with duckdb.connect(str(terminal.folder / "springline.duckdb")):
        assert terminal.run("hold", NUMBER, "--reason", "x").code == 0


def test_a_document_is_known_from_the_warehouse(terminal: Terminal) -> None:
    with duckdb.connect(str(terminal.folder / "springline.duckdb")) as warehouse:
        warehouse.execute("CREATE SCHEMA stg_vms")
        warehouse.execute(
            "CREATE TABLE stg_vms.documents AS SELECT '2707400' AS document_no, 5200777 AS document_key, "
            "'28601' AS company_code, 'INI' AS document_type"
        )
    ended = terminal.run("hold", NUMBER, "--reason", "x", "--json").json()
    assert (ended["document_key"], ended["company"]) == (KEY, "28601")
    assert ended["message"] == "INI 2707400 is held from the next run on."
