"""breaks accept --kind: many breaks at once, after all of them were shown, and nothing that was not."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import replace

import duckdb
import pytest

from pipelines.stores.breaks import Break, close_breaks
from tests.cli.springline import Terminal
from tests.cli.test_breaks_commands import decisions, differs, note, standing

AMOUNT, VOYAGE = "document amount differs", "voyage unknown in VMS"
OTHER_COMPANY = "28602"


class Keyboard(io.StringIO):
    """A person at a terminal, who does something before the answer."""

    def __init__(self, answer: str, before: Callable[[], None] = lambda: None) -> None:
        super().__init__(answer)
        self._before = before

    def isatty(self) -> bool:
        return True

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override] # as StringIO itself has it
        self._before()
        return super().readline(size)


def of_company(subject: str, company: str = "28601") -> Break:
    return replace(differs(subject), company=company)


@pytest.fixture
def five(terminal: Terminal) -> Terminal:
    """Give four breaks of one kind, one of them of another company, and one of another kind."""
    note(terminal, *(of_company(subject) for subject in ("1", "2", "3")), of_company("4", OTHER_COMPANY))
    note(terminal, differs("28601:900", kind=VOYAGE))
    with duckdb.connect(str(terminal.folder / "springline.duckdb")) as warehouse:
        warehouse.execute("CREATE SCHEMA rec; CREATE SCHEMA post")
        warehouse.execute(
            "CREATE TABLE rec.breaks (kind VARCHAR, subject VARCHAR, amount DECIMAL(38, 4), currency_code VARCHAR)"
        )
        amounts = [(AMOUNT, "1", "1000.5", "USD"), (AMOUNT, "2", "-400", "USD"), (AMOUNT, "3", "7", "NOK")]
        warehouse.executemany("INSERT INTO rec.breaks VALUES (?, ?, ?, ?)", amounts)
        warehouse.execute(
            f"CREATE TABLE post.actual_breaks AS SELECT '{VOYAGE}' AS kind, '28601:900' AS subject, "
            "55.0 AS company_amount, 'NOK' AS company_currency_code"
        )
    return terminal


def accept(terminal: Terminal, *options: str, kind: str = "document amount") -> tuple[int, str]:
    ended = terminal.run("breaks", "accept", "--kind", kind, "--reason", "agreed with the agent", *options)
    return ended.code, ended.out + ended.err


def test_breaks_of_a_kind_are_shown_with_their_sums_and_accepted(five: Terminal) -> None:
    code, shown = accept(five, "--company", "28601", "--yes")
    assert code == 0
    assert "no:1: document amount differs, 28601, 1, 2026-11, USD 1,000.50" in shown
    for words in ("1 differs.", "USD 600.50", "USD 1,400.50", "NOK 7.00", "3 breaks are accepted"):
        assert words in shown
    assert standing(five) == ["4", "28601:900"]
    assert [row[2:] for row in decisions(five)] == [("agreed with the agent", "kari")] * 3


def test_what_the_actuals_job_found_is_shown_with_its_amount(five: Terminal) -> None:
    code, shown = accept(five, "--yes", kind=VOYAGE)
    assert (code, "NOK 55.00" in shown, "1 break is accepted" in shown) == (0, True, True)


def test_a_next_step_is_shown_whole_in_a_narrow_window(five: Terminal) -> None:
    step = "`springline breaks ignore-subject project OFFICE-2026 --company 28601 --reason …` says so once for all."
    note(five, replace(differs("28601:OFFICE-2026", kind=VOYAGE), next_step=step))
    five.set(COLUMNS="80")
    assert f"    Next: {step}\n" in five.run("breaks", "list", "--kind", VOYAGE).out


def test_a_script_has_to_say_yes(five: Terminal) -> None:
    for options in ((), ("--json",)):
        code, shown = accept(five, *options)
        assert (code, "--yes" in shown) == (2, True)
    assert decisions(five) == []


@pytest.mark.parametrize(("answer", "count"), [("y\n", 4), ("n\n", 0), ("\n", 0), ("", 0)])
def test_a_person_is_asked(five: Terminal, monkeypatch: pytest.MonkeyPatch, answer: str, count: int) -> None:
    monkeypatch.setattr(sys, "stdin", Keyboard(answer))
    code, shown = accept(five)
    assert (code, "Accept these 4 breaks" in shown) == (0, True)
    assert len(decisions(five)) == count
    assert ("Nothing is accepted." in shown) == (count == 0)


def test_nothing_is_accepted_that_was_not_shown(five: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def meanwhile() -> None:
        note(five, of_company("5"), replace(of_company("2"), figures={"figures": "9"}))
        note(five, replace(of_company("3"), message="3 differs by more."))
        control = five.control()
        with control.write() as connection:
            close_breaks(connection, [(AMOUNT, "4")], at="2026-11-03T08:00:00.000000+00:00")
        control.close()

    monkeypatch.setattr(sys, "stdin", Keyboard("y\n", meanwhile))
    code, shown = accept(five)
    assert code == 0
    assert [row[0] for row in decisions(five)] == [1]
    assert sorted(standing(five)) == ["2", "28601:900", "3", "5"]
    for words in ("no:2", "no:3", "has changed since it was shown", "no:4", "is over"):
        assert words in shown.partition("Accept these")[2]


def test_what_is_accepted_already_is_not_shown_again(five: Terminal) -> None:
    five.run("breaks", "accept", "1", "--reason", "agreed before")
    assert "no:1:" not in accept(five, "--yes")[1]
    assert "No break" in accept(five, "--yes")[1]
    assert len(decisions(five)) == 4


def test_a_program_gets_what_was_accepted_and_what_was_left(five: Terminal) -> None:
    ended = five.run("breaks", "accept", "--kind", AMOUNT, "--period", "2026-11", "--reason", "x", "--yes", "--json")
    assert [row["subject"] for row in ended.json()["accepted"]] == ["1", "2", "3", "4"]
    assert ended.json()["left"] == []
    assert five.run("breaks", "accept", "--kind", AMOUNT, "--reason", "x", "--yes", "--json").json()["accepted"] == []


def test_several_are_accepted_by_their_names_or_none_of_them(five: Terminal) -> None:
    refused = five.run("breaks", "accept", "1", "no:99", "--reason", "x")
    assert (refused.code, decisions(five)) == (2, [])
    ended = five.run("breaks", "accept", "1", "no:2", "28601:900", "--reason", "x", "--json")
    assert [row["break_id"] for row in ended.json()["decisions"]] == [1, 2, 5]
    assert len(decisions(five)) == 3
    assert "is accepted already" in five.run("breaks", "accept", "1", "2", "--reason", "x").out


@pytest.mark.parametrize("options", [(), ("1", "--kind", AMOUNT), ("--company", "28601"), ("1", "--period", "2026-11")])
def test_it_is_names_or_a_kind(five: Terminal, options: tuple[str, ...]) -> None:
    assert five.run("breaks", "accept", *options, "--reason", "x", "--yes").code == 2
    assert decisions(five) == []


def test_the_list_has_the_same_filters(five: Terminal) -> None:
    rows = five.run("breaks", "list", "--kind", AMOUNT, "--company", OTHER_COMPANY, "--json").json()["breaks"]
    assert [row["subject"] for row in rows] == ["4"]
