"""What `springline status` says of documents that a person has held, before and after a batch has seen to it."""

from __future__ import annotations

from typing import Any

from tests.cli.springline import Terminal

LATER = "2099-01-01T00:00:00.000000+00:00"


def held(terminal: Terminal) -> list[dict[str, Any]]:
    return list(terminal.run("status", "--json").json()["held"])


def test_before_the_first_batch_it_names_what_is_held_and_ignored(terminal: Terminal) -> None:
    assert "Held" not in terminal.run("status").out
    terminal.run("hold", "2707400", "--reason", "price disputed")
    terminal.run("ignore", "2707401", "--reason", "posted by hand")
    shown = terminal.run("status").out
    assert "No batch has run yet." in shown
    assert all(
        text in shown for text in ("2707400", "put on hold by kari (price disputed)", "2707401", "posted by hand")
    )
    (row,) = held(terminal)
    assert (row["document_no"], row["rule"]) == ("2707400", "held_by_person")


def test_what_is_released_is_not_held(terminal: Terminal) -> None:
    terminal.run("hold", "2707400", "--reason", "price disputed")
    terminal.run("release", "2707400", "--reason", "agreed")
    assert held(terminal) == []


def test_what_a_batch_has_made_a_hold_of_is_listed_once(terminal: Terminal) -> None:
    terminal.run("hold", "2707400", "--reason", "price disputed")
    terminal.keep(
        "holds", document_key=5200777, document_no="2707400", rule="held_by_person", message="INI 2707400: held"
    )
    assert [row["message"] for row in held(terminal)] == ["INI 2707400: held"]


def test_a_hold_from_before_the_last_batch_is_the_batchs_to_tell(terminal: Terminal) -> None:
    terminal.run("hold", "2707400", "--reason", "price disputed")
    terminal.keep("batches", batch_id="b1", started_at=LATER, today="2099-01-01", jobs="", operator="kari")
    assert held(terminal) == []
