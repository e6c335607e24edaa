"""close from the command line: which periods it takes, and what it says when it cannot read both sides."""

from __future__ import annotations

import pytest

from tests.cli.springline import Terminal


@pytest.mark.parametrize("period", ["2026-13", "2026", "october", "2026-10-01", "1026-10", "2026-1", "\uff12026-10"])
def test_what_is_no_period_is_refused(terminal: Terminal, period: str) -> None:
    ended = terminal.run("close", period, "--json")
    assert (ended.code, ended.json()["next_step"]) == (2, "write it as 2026-10.")


def test_a_period_that_has_not_begun_is_refused(terminal: Terminal) -> None:
    ended = terminal.run("close", "2026-11", "--today", "2026-10-31", "--json")
    assert (ended.code, ended.json()["error"]) == (2, "2026-11 has not begun: it is 2026-10-31.")
    assert not (terminal.folder / "springline.ctl.sqlite").exists()


def test_a_day_that_is_none_is_refused(terminal: Terminal) -> None:
    assert terminal.run("close", "2026-10", "--today", "tomorrow").code == 2


def test_nothing_is_written_when_a_side_cannot_be_read(terminal: Terminal) -> None:
    terminal.set(SPRINGLINE_VMS__ATTEMPTS="1", SPRINGLINE_LEDGER__ATTEMPTS="1")
    ended = terminal.run("close", "2026-10", "--today", "2026-11-03", "--json")
    told = ended.json()
    assert (ended.code, told["state"], told["breaks"]) == (11, None, [])
    assert told["problems"]
    assert not (terminal.folder / "published").exists()
    assert terminal.ask("SELECT period, state FROM closes") == [("2026-10", "draft")]
    assert terminal.ask("SELECT count(*) FROM close_events") == [(0,)]


def test_a_seal_is_not_asked_for_where_nobody_can_answer(terminal: Terminal) -> None:
    ended = terminal.run("close", "2026-10", "--today", "2026-11-03", "--seal")
    assert (ended.code, "add --yes to seal what you have seen." in ended.err) == (2, True)
    assert terminal.run("close", "2026-10", "--today", "2026-11-03", "--yes").code == 2
    assert not (terminal.folder / "springline.ctl.sqlite").exists()


def test_a_month_that_is_not_over_is_not_sealed(terminal: Terminal) -> None:
    ended = terminal.run("close", "2026-11", "--today", "2026-11-30", "--seal", "--yes", "--json")
    assert (ended.code, ended.json()["next_step"]) == (2, "look at it without --seal; seal it from 2026-12-01 on.")


def test_what_was_never_sealed_cannot_be_reopened(terminal: Terminal) -> None:
    ended = terminal.run("close", "reopen", "2026-10", "--reason", "late invoice", "--json")
    assert (ended.code, ended.json()["error"]) == (2, "2026-10 is not sealed, so there is nothing to reopen.")
    assert terminal.run("close", "reopen", "2026-10").code == 2
    assert terminal.run("close", "reopen", "2026-10", "--reason", " ").code == 2
    assert terminal.run("close", "reopen", "October", "--reason", "x").code == 2


def test_people_are_told_that_it_was_not_closed(terminal: Terminal) -> None:
    terminal.set(SPRINGLINE_VMS__ATTEMPTS="1", SPRINGLINE_LEDGER__ATTEMPTS="1")
    ended = terminal.run("close", "2026-10", "--today", "2026-11-03")
    assert "2026-10 was not closed: both sides could not be read." in ended.out
    assert "Traceback" not in ended.err
