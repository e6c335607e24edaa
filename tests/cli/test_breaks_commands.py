"""breaks list, accept, reopen, comment: what they show and record, and that status goes by the same acceptance."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import date
from typing import Any

import duckdb
import pytest

from pipelines.stores.breaks import Break, close_breaks, open_breaks
from tests.cli.springline import Terminal

DIFFERS, ONLY = "document amount differs", "document only in ledger"


def note(terminal: Terminal, *found: Break, at: str = "2026-11-02T08:00:00.000000+00:00") -> None:
    control = terminal.control()
    with control.write() as connection:
        open_breaks(connection, found, batch_id="b1", at=at)
    control.close()


def differs(subject: str, *, kind: str = DIFFERS, number: str | None = None, figures: str = "1") -> Break:
    return Break(kind, subject, f"{subject} differs.", "correct it.", document_no=number, figures={"figures": figures})


@pytest.fixture
def two(terminal: Terminal) -> Terminal:
    note(terminal, differs("5200777", number="2707400"), differs("ledger:9", kind=ONLY))
    return terminal


def listed(terminal: Terminal, *options: str) -> list[dict[str, Any]]:
    return list(terminal.run("breaks", "list", "--json", *options).json()["breaks"])


def standing(terminal: Terminal) -> list[str]:
    return [row["subject"] for row in terminal.run("status", "--json").json()["breaks"]]


def decisions(terminal: Terminal) -> list[tuple[Any, ...]]:
    return terminal.ask("SELECT break_id, action, words, operator FROM break_decisions ORDER BY decision_no")


def test_open_breaks_are_listed_with_number_and_next_step(two: Terminal) -> None:
    first, second = listed(two)
    assert (first["break_id"], first["kind"], first["document_no"], first["is_accepted"]) == (
        1,
        DIFFERS,
        "2707400",
        False,
    )
    assert (second["subject"], second["next_step"], second["period"]) == ("ledger:9", "correct it.", "2026-11")
    assert "correct it." in two.run("breaks", "list", "--full").out


def test_the_list_counts_by_kind_and_shows_the_oldest_first(two: Terminal) -> None:
    note(two, *(differs(f"late{n}") for n in range(6)), at="2026-11-05T08:00:00.000000+00:00")
    note(two, differs("early", kind="match undone"), at="2026-10-01T08:00:00.000000+00:00")
    shown = two.run("breaks", "list").out.splitlines()
    assert shown[0] == "9 breaks need a person."
    counts = [line.split()[:3] for line in shown if line[:4].strip().isdecimal()]
    assert counts == [["1", "match", "undone"], ["7", "document", "amount"], ["1", "document", "only"]]
    assert [line.split()[1] for line in shown if line.startswith("  no:")] == ["early,", "2707400,", "ledger:9,"]
    assert len(shown) <= 24


def test_a_kind_is_listed_cut_with_the_command_that_shows_the_rest(two: Terminal) -> None:
    note(two, *(differs(f"late{n}") for n in range(6)), at="2026-11-05T08:00:00.000000+00:00")
    shown = two.run("breaks", "list", "--kind", DIFFERS).out
    assert "… and 2 more: springline breaks list --kind 'document amount differs' --full" in shown
    full = two.run("breaks", "list", "--kind", DIFFERS, "--full").out
    assert all(f"late{n}" in full for n in range(6))
    assert full.count("Next: correct it.") == 1
    assert f"{DIFFERS}: 7. By: accounting." in full


def test_what_is_accepted_needs_nobody_and_says_by_whom(two: Terminal) -> None:
    two.run("breaks", "accept", "1", "--reason", "agreed with the agent")
    assert two.run("breaks", "list").out.startswith("1 break needs a person. 1 other is accepted or over: ")
    assert "accepted by kari: agreed with the agent" in two.run("breaks", "list", "--full").out


def test_an_empty_list_says_so(terminal: Terminal) -> None:
    assert "No such break is open. springline breaks list" in terminal.run("breaks", "list", "--kind", "macth").out
    assert listed(terminal) == []
    assert "No break is open." in terminal.run("breaks", "list").out


def test_the_list_is_filtered_by_kind(two: Terminal) -> None:
    assert [row["subject"] for row in listed(two, "--kind", "document only")] == ["ledger:9"]
    assert len(listed(two, "--kind", "document")) == 2
    assert listed(two, "--kind", "payment") == []


def test_the_list_is_filtered_by_period(two: Terminal) -> None:
    october, september = date(2026, 10, 1), date(2026, 9, 1)
    note(two, replace(differs("2026-10-30:NOK:EUR", kind="exchange rate differs"), period_month=october))
    note(two, replace(differs("5200777", number="2707400"), period_month=september))
    with duckdb.connect(str(two.folder / "springline.duckdb")) as warehouse:
        warehouse.execute("CREATE SCHEMA rec")
        warehouse.execute(
            f"CREATE TABLE rec.breaks AS SELECT '{DIFFERS}' AS kind, '5200777' AS subject, "
            "12.50 AS amount, 'USD' AS currency_code"
        )
    [told] = listed(two, "--period", "2026-09")
    assert (told["document_no"], told["amount"], told["currency"]) == ("2707400", "12.50", "USD")
    assert [row["subject"] for row in listed(two, "--period", "2026-10")] == ["2026-10-30:NOK:EUR"]
    refused = two.run("breaks", "list", "--period", "2026-13")
    assert (refused.code, "'2026-13' is no period." in refused.err) == (2, True)


def test_what_is_over_is_listed_only_when_asked_for(two: Terminal) -> None:
    control = two.control()
    with control.write() as connection:
        close_breaks(connection, [(ONLY, "ledger:9")], at="2026-11-03T08:00:00.000000+00:00")
    control.close()
    assert len(listed(two)) == 1
    assert [row["until"] is None for row in listed(two, "--all")] == [True, False]


@pytest.mark.parametrize("name", ["1", "no:1", "5200777", "2707400"])
def test_a_break_is_named_by_number_subject_or_document(two: Terminal, name: str) -> None:
    ended = two.run("breaks", "accept", name, "--reason", "the agent credits it", "--json")
    assert (ended.code, ended.json()["break_id"], ended.json()["is_new"]) == (0, 1, True)
    assert decisions(two) == [(1, "accept", "the agent credits it", "kari")]


def test_a_name_of_several_breaks_is_refused(two: Terminal) -> None:
    note(two, differs("77", number="2707400", kind=ONLY))
    ended = two.run("breaks", "accept", "2707400", "--reason", "x")
    assert ended.code == 2
    assert "as in no:1" in ended.err
    assert decisions(two) == []


def test_a_name_of_no_break_is_refused(two: Terminal) -> None:
    for name in ("99", "no:5200777", "nothing", ""):
        assert two.run("breaks", "accept", name, "--reason", "x").code == 2


@pytest.mark.parametrize("words", ["", "  ", "x" * 501])
def test_words_are_asked_for(two: Terminal, words: str) -> None:
    assert two.run("breaks", "accept", "1", "--reason", words).code == 2
    assert two.run("breaks", "comment", "1", "--text", words).code == 2
    assert two.run("breaks", "accept", "1").code == 2
    assert decisions(two) == []


def test_status_leaves_out_what_is_accepted(two: Terminal) -> None:
    assert standing(two) == ["5200777", "ledger:9"]
    two.run("breaks", "accept", "1", "--reason", "agreed with the agent")
    assert standing(two) == ["ledger:9"]
    [first, _] = listed(two)
    assert (first["is_accepted"], first["accepted_by"]) == (True, "kari")
    assert (first["accepted_reason"], first["comment"]) == ("agreed with the agent", None)


def test_an_acceptance_falls_when_the_figures_move(two: Terminal) -> None:
    two.run("breaks", "accept", "1", "--reason", "agreed")
    note(two, differs("5200777", number="2707400"))
    assert standing(two) == ["ledger:9"]
    note(two, differs("5200777", number="2707400", figures="2"))
    assert standing(two) == ["5200777", "ledger:9"]
    assert two.run("breaks", "accept", "1", "--reason", "again", "--json").json()["is_new"]
    assert [row[1:3] for row in decisions(two)] == [("accept", "agreed"), ("accept", "again")]


def test_the_reason_of_an_acceptance_that_fell_is_still_told(two: Terminal) -> None:
    two.run("breaks", "accept", "1", "--reason", "agreed")
    note(two, differs("5200777", number="2707400", figures="2"))
    [first, _] = listed(two)
    assert (first["accepted_by"], first["accepted_reason"], first["comment"]) == (None, None, "agreed")


def test_accepting_twice_records_once(two: Terminal) -> None:
    two.run("breaks", "accept", "1", "--reason", "agreed")
    again = two.run("breaks", "accept", "1", "--reason", "again", "--json").json()
    assert (again["is_new"], "by kari" in again["message"]) == (False, True)
    assert len(decisions(two)) == 1


def test_reopening_takes_an_acceptance_back(two: Terminal) -> None:
    assert not two.run("breaks", "reopen", "1", "--reason", "too early", "--json").json()["is_new"]
    two.run("breaks", "accept", "1", "--reason", "agreed")
    assert two.run("breaks", "reopen", "1", "--reason", "it was wrong", "--json").json()["is_new"]
    assert standing(two) == ["5200777", "ledger:9"]
    assert [row[1] for row in decisions(two)] == ["accept", "reopen"]


def test_reopening_ends_an_acceptance_whose_figures_moved(two: Terminal) -> None:
    two.run("breaks", "accept", "1", "--reason", "agreed")
    note(two, differs("5200777", number="2707400", figures="2"))
    assert two.run("breaks", "reopen", "1", "--reason", "it was wrong", "--json").json()["is_new"]
    note(two, differs("5200777", number="2707400"))
    assert standing(two) == ["5200777", "ledger:9"]
    assert [row[1] for row in decisions(two)] == ["accept", "reopen"]


def test_a_comment_accepts_nothing(two: Terminal) -> None:
    two.run("breaks", "comment", "1", "--text", "asked the agent")
    two.run("breaks", "comment", "1", "--text", "the agent answers on Monday")
    assert listed(two)[0]["comment"] == "the agent answers on Monday"
    assert standing(two) == ["5200777", "ledger:9"]
    assert [row[2] for row in decisions(two)] == ["asked the agent", "the agent answers on Monday"]


def test_a_comment_leaves_the_reason_of_an_acceptance(two: Terminal) -> None:
    two.run("breaks", "comment", "1", "--text", "asked the agent")
    two.run("breaks", "accept", "1", "--reason", "the agent credits it")
    assert listed(two)[0]["comment"] == "asked the agent"
    two.run("breaks", "comment", "1", "--text", "credited on Monday")
    [first, _] = listed(two)
    assert (first["accepted_reason"], first["comment"]) == ("the agent credits it", "credited on Monday")
    shown = two.run("breaks", "list", "--full").out
    assert "by kari: the agent credits it" in shown
    assert "credited on Monday" in shown
    again = two.run("breaks", "accept", "1", "--reason", "again").out
    assert "by kari" in again
    assert ": the agent credits it" in again


def test_a_reason_that_an_older_release_kept_as_comment_is_told_once(two: Terminal) -> None:
    two.run("breaks", "accept", "1", "--reason", "agreed")
    control = two.control()
    with control.write() as connection:
        connection.execute("UPDATE breaks SET comment = accepted_reason")
    control.close()
    [first, _] = listed(two)
    assert (first["accepted_reason"], first["comment"]) == ("agreed", None)


def test_decisions_cannot_be_rewritten(two: Terminal) -> None:
    two.run("breaks", "accept", "1", "--reason", "agreed")
    control = two.control()
    for statement in ("UPDATE break_decisions SET operator = 'ola'", "DELETE FROM break_decisions"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"), control.write() as connection:
            connection.execute(statement)
    control.close()


def test_breaks_are_decided_on_while_a_batch_runs(two: Terminal) -> None:
    with duckdb.connect(str(two.folder / "springline.duckdb")):
        assert two.run("breaks", "list").code == 0
        assert two.run("breaks", "accept", "1", "--reason", "agreed").code == 0
    assert standing(two) == ["ledger:9"]
