"""`springline alerts`: what stands and whether it was told, a trial of each address, and telling from a schedule."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.springline import Terminal
from tests.support.alert_server import SECRET, Told, alert_server


@pytest.fixture
def told() -> Iterator[Told]:
    with alert_server() as server:
        yield server


@pytest.mark.parametrize("width", [80, 120])
def test_what_stands_is_shown_before_and_after_it_was_told(terminal: Terminal, told: Told, width: int) -> None:
    terminal.width = width
    assert terminal.run("alerts").out == "No alert stands.\nNobody is told: SPRINGLINE_ALERTS__URLS is not set.\n"
    terminal.set(SPRINGLINE_ALERTS__URLS=told.url)
    terminal.keep("holds", document_key=1, document_no="2707400", rule="x", message="INI 2707400: no [supplier].")
    ended = terminal.run("alerts", "tell")
    assert (ended.code, terminal.run("alerts", "list").out) == (0, ended.out)
    assert ended.out.startswith("1 document held for more than 24 hours:\n  - Held since 2026-11-01 01:00 (Oslo):")
    assert "INI 2707400: no [supplier]." in ended.out
    assert "told 20" in " ".join(ended.out.split())
    assert all(len(line) <= width for line in ended.out.splitlines())
    (one,) = terminal.run("alerts", "--json").json()["standing"]
    assert (one["kind"], one["subject"]) == ("document held", "2707400 key:1")
    terminal.run("alerts", "tell")
    assert len(told.messages) == 1


def test_a_trial_says_what_came_of_each_address(terminal: Terminal, told: Told) -> None:
    nowhere = f"json://u:{SECRET}@127.0.0.1:9/"
    terminal.set(SPRINGLINE_ALERTS__URLS=f"{told.url}\n {nowhere}")
    ended = terminal.run("alerts", "test")
    assert (ended.code, ended.out) == (
        11,
        "address 1 of 2 (JSON): took the message\n"
        "address 2 of 2 (JSON): could not be reached, or refused the message\n",
    )
    assert told.titles == ["Springline: this is a test"]
    terminal.set(SPRINGLINE_ALERTS__URLS=told.url)
    assert terminal.run("alerts", "test", "--json").json() == {
        "addresses": [{"address": "address 1 of 1 (JSON)", "problem": ""}]
    }


def test_a_trial_without_an_address_or_with_a_wrong_one_says_what_to_set(terminal: Terminal) -> None:
    ended = terminal.run("alerts", "test")
    assert (ended.code, "Next: set SPRINGLINE_ALERTS__URLS" in ended.err) == (2, True)
    terminal.set(SPRINGLINE_ALERTS__URLS=f"nothing://{SECRET}")
    ended = terminal.run("alerts", "tell")
    assert (ended.code, "Apprise does not understand address 1 of 1" in ended.err) == (10, True)
    assert SECRET not in ended.err + ended.out


def test_what_could_not_be_told_is_shown_and_ends_as_a_system_that_does_not_answer(
    terminal: Terminal, told: Told
) -> None:
    told.status = 503
    terminal.set(SPRINGLINE_ALERTS__URLS=told.url)
    terminal.keep("holds", document_key=1, document_no="2707400", rule="x", message="INI 2707400: no supplier.")
    ended = terminal.run("alerts", "tell")
    assert ended.code == 11
    assert "not told yet" in ended.out
    assert "! address 1 of 1 (JSON) answered 503; it is tried again." in ended.out
