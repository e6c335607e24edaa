"""What `springline status` says needs a person, and who; of documents that a person has held, also before a batch."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from pipelines.stores.job_ends import note_job_ends
from tests.cli.springline import Terminal

LATER = "2099-01-01T00:00:00.000000+00:00"
BALANCE = (
    "lines do not add up to the total (the difference is USD {}.00). In the VMS, correct the lines or the total of x."
)


def held(terminal: Terminal, *options: str) -> list[dict[str, Any]]:
    return list(terminal.run("status", "--json", *options).json()["held"])


def test_before_the_first_batch_it_names_what_is_held_and_ignored(terminal: Terminal) -> None:
    assert "held because" not in terminal.run("status").out
    terminal.run("hold", "2707400", "--reason", "price disputed")
    terminal.run("ignore", "2707401", "--reason", "posted by hand")
    shown = terminal.run("status", "--full").out
    assert "No batch has run yet." in shown
    assert all(
        text in shown for text in ("2707400", "put on hold by kari (price disputed)", "2707401", "posted by hand")
    )
    (row,) = held(terminal)
    assert (row["document_no"], row["rule"], row["who_acts"]) == ("2707400", "held_by_person", "kari")


def test_what_is_released_is_not_held(terminal: Terminal) -> None:
    terminal.run("hold", "2707400", "--reason", "price disputed")
    terminal.run("release", "2707400", "--reason", "agreed")
    assert held(terminal) == []


def test_what_a_batch_has_made_a_hold_of_is_listed_once(terminal: Terminal) -> None:
    terminal.run("hold", "2707400", "--reason", "price disputed")
    terminal.keep(
        "holds", document_key=5200777, document_no="2707400", rule="held_by_person", message="INI 2707400: held"
    )
    assert [(row["message"], row["who_acts"]) for row in held(terminal)] == [("INI 2707400: held", "kari")]


def test_a_hold_from_before_the_last_batch_is_the_batchs_to_tell(terminal: Terminal) -> None:
    terminal.run("hold", "2707400", "--reason", "price disputed")
    terminal.keep("batches", batch_id="b1", started_at=LATER, today="2099-01-01", jobs="", operator="kari")
    assert held(terminal) == []


@pytest.fixture
def busy(terminal: Terminal) -> Terminal:
    """Give a store with seven documents of one rule, one that two rules hold, a bank change, and more."""
    terminal.keep(
        "batches", batch_id="b1", started_at="2026-11-01T06:00:00+00:00", ended_at="2026-11-01T06:05:00+00:00",
        today="2026-11-01", jobs="documents", operator="night run", exit_code=14,
    )  # fmt: skip
    for key in range(7):
        message = f"INI 270800{key} (Nordic [Agency] AS): {BALANCE.format(key)}"
        terminal.keep(
            "holds", document_key=key + 1, document_no=f"270800{key}", rule="voucher_not_balanced", message=message,
            company="28601" if key else "28602",
        )  # fmt: skip
    missing = "INI 2708001: supplier missing in Xledger (60595). In Xledger, create the supplier with this code."
    terminal.keep("holds", document_key=2, document_no="2708001", rule="supplier_missing", message=missing)
    changed = "Supplier 60504: its bank account changes. Check it."
    terminal.keep("holds", document_no="60504", rule="bank_change", message=changed, since="2026-10-01")
    for state in ("failed", "unknown"):
        terminal.keep("outbox", document_key=90, document_no="2709000", id=state, natural_key=state, state=state)
    terminal.keep(
        "rejected", side="vms", entity="Document", object_key="7", document_no="2708101", body="", body_hash="",
        message="Document 7: documentAmount: a number was expected. Next: correct it in the VMS.", since="2026-11-01",
        batch_id="b1",
    )  # fmt: skip
    terminal.keep(
        "breaks", kind="match undone", subject="XL9-1", document_no="2707400", company="28601", figures_hash="",
        message="It settles nothing.", next_step="match it.", since="2026-11-01", batch_id="b1",
    )  # fmt: skip
    return terminal


def test_it_counts_what_needs_a_person_and_who(busy: Terminal) -> None:
    needs = busy.run("status", "--json").json()["needs"]
    people = needs.pop("by_person")
    # 2708001 is held by two rules and is one document; what is of unknown fate is the next run's to look up.
    assert needs == {"held": 7, "suppliers": 1, "undelivered": 1, "rejected": 1, "breaks": 1}
    assert {who: sum(counts.values()) for who, counts in people.items()} == {
        "operations": 8, "master data": 1, "second person": 1, "accounting": 2,
    }  # fmt: skip
    first, by_whom, waiting, last, *_ = busy.run("status").out.splitlines()
    assert first == "Needs a person: 7 documents held, 1 changed bank account, 1 not delivered, 1 set aside, 1 break."
    assert by_whom == "By whom: operations 8, accounting 2, master data 1, second person 1."
    assert waiting == "The next run goes on by itself with 1 object not delivered yet."
    assert last == "Last run 2026-11-01 07:00 (Oslo) for 2026-11-01 by night run: 14 (documents held)."


def test_what_a_close_notes_of_a_held_document_is_not_counted_again(busy: Terminal) -> None:
    held_too = {"kind": "document held", "figures_hash": "", "message": "It is held.", "next_step": "correct it."}
    for number in ("2708001", "2709999"):
        busy.keep(
            "breaks", **held_too, subject=f"2026-10 {number}", document_no=number, batch_id="b1", since="2026-11-01"
        )
    shown = busy.run("status", "--json").json()
    assert [row["document_no"] for row in shown["breaks"]] == ["2707400", "2709999"]
    assert (shown["needs"]["held"], shown["needs"]["breaks"]) == (7, 2)


def test_the_oldest_comes_first_and_counts_are_by_rule(busy: Terminal) -> None:
    shown = busy.run("status").out
    assert shown.index("bank account of a supplier changes") < shown.index("lines do not add up to the total")
    assert "   7  lines do not add up to the total" in shown
    assert "270800" not in shown


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (("--company", "28602"), {"2708000"}),
        (("--rule", "supplier_missing"), {"2708001"}),
        (("--rule", "Supplier missing in"), {"2708001"}),
        (("--who", "master"), {"2708001"}),
        (("--who", "second person"), {"60504"}),
        (("--company", "28602", "--who", "accounting"), set()),
    ],
)
def test_it_is_filtered(busy: Terminal, options: tuple[str, ...], numbers: set[str]) -> None:
    assert {row["document_no"] for row in held(busy, *options)} == numbers
    shown = busy.run("status", *options).out
    assert {number for number in ("2708000", "2708001", "2708002", "60504") if f"  {number}" in shown} == numbers


@pytest.mark.parametrize(
    ("options", "rest"),
    [
        (("--rule", "match"), {"breaks"}),
        (("--who", "accounting"), {"undelivered", "breaks"}),
        (("--rule", "Document", "--who", "operations"), {"rejected"}),
    ],
)
def test_all_lists_are_filtered(busy: Terminal, options: tuple[str, ...], rest: set[str]) -> None:
    found = busy.run("status", "--json", *options).json()
    assert {name for name in ("held", "undelivered", "rejected", "breaks") if found[name]} == rest
    assert {name for name, count in found["needs"].items() if name != "by_person" and count} == rest


def test_a_long_list_says_how_many_more_and_how_to_see_them(busy: Terminal) -> None:
    shown = busy.run("status", "--who", "operations").out
    [line] = [line for line in shown.splitlines() if "more: " in line]
    count, _, command = line.strip().partition(" more: springline ")
    assert count == "… and 2"
    # The command as it stands shows them.
    full = busy.run(*command.replace("'", "").split()).out
    assert all(f"270800{key}" in full for key in range(7))
    # What all have to do is said once, and the name of the rule is not repeated.
    assert full.count("Next: in the VMS, correct the lines or the total of x.") == 1
    assert full.count("lines do not add up") == 1


def test_a_filter_that_finds_nothing_says_what_there_is(busy: Terminal) -> None:
    first, second, *_ = busy.run("status", "--who", "acounting").out.splitlines()
    assert first == "Nothing of --who acounting needs a person."
    assert second == "--who may be: accounting, master data, operations, second person."
    assert (
        busy.run("status", "--rule", "balance").out.splitlines()[1].startswith("--rule may be: Document, bank_change, ")
    )


def test_full_shows_everything(busy: Terminal) -> None:
    shown = busy.run("status", "--full").out
    words = ("2708006", "60504", "2709000", "2708101", "no:1 2707400", "It settles nothing.", "Last batches", "Outbox")
    assert all(word in shown for word in words)


def test_what_an_earlier_release_found_is_not_lost(terminal: Terminal) -> None:
    terminal.keep("holds", document_key=1, document_no="2708001", rule="rule_of_old", message="INI 2708001: it is so.")
    terminal.keep(
        "breaks", kind="kind of old", subject="x", figures_hash="", message="It differs.", next_step="see to it.",
        since="2026-11-01", batch_id="b1",
    )  # fmt: skip
    needs = terminal.run("status", "--json").json()["needs"]
    assert (needs["held"], needs["breaks"], [*needs["by_person"]]) == (1, 1, ["operator"])


def test_nothing_to_do_is_said(terminal: Terminal) -> None:
    terminal.keep("batches", batch_id="b1", started_at="2026-11-01", today="2026-11-01", jobs="", operator="kari")
    assert terminal.run("status").out.splitlines()[0] == "Nothing needs a person."


def test_it_tells_what_health_tells(busy: Terminal) -> None:
    # What it lists itself is not said again.
    assert "Health: degraded. All of it: springline alerts\n" in busy.run("status").out
    for _ in range(3):
        with closing(busy.control()) as control:
            note_job_ends(control, {"documents": "Model x is wrong."}, at=LATER)
    assert "Health: degraded: 1 job has not ended well. All of it: springline alerts" in busy.run("status").out
    assert "Health" not in busy.run("status", "--who", "accounting").out
    assert busy.run("status", "--json").json()["health"]["state"] == "degraded"


def test_before_anything_it_is_ready(terminal: Terminal) -> None:
    assert terminal.run("status").out.endswith("Health: ready.\n")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let processes that are started hear SIGINT, which a shell has its background jobs ignore, and those theirs."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_it_goes_on_telling_what_changes_until_it_is_stopped(terminal: Terminal, options: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "pipelines.cli.app", "status", "--follow", *options]
    with subprocess.Popen(  # noqa: S603 our own command
        command, cwd=terminal.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as following:
        assert following.stdout is not None
        assert b"ready" in following.stdout.readline()
        terminal.keep("holds", document_key=1, document_no="2707400", rule="x", message="INI 2707400: no supplier.")
        line = following.stdout.readline().decode()
        assert "1 document held for more than 24 hours" in line
        following.send_signal(signal.SIGINT)
        rest, err = following.communicate(timeout=20)
    assert (following.returncode, rest, err) == (0, b"", b"")
    if options:
        assert json.loads(line)["needs"]["held"] == 1
