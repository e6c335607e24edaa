"""breaks ignore-subject, ignored, restore-subject: what is not ours is said once, and never hides what was sent."""

from __future__ import annotations

import duckdb
import pytest

from pipelines.stores.breaks import Break
from tests.cli.springline import Terminal
from tests.cli.test_breaks_commands import differs, listed, note, standing

VOYAGE, SUPPLIER, RATE = "voyage unknown in VMS", "supplier only in VMS", "exchange rate only in ledger"
PROJECT = ("project", "OFFICE", "--company", "28601")


def of_project(code: str, company: str = "28601") -> Break:
    found = differs(f"{company}:{code}", kind=VOYAGE)
    return Break(VOYAGE, found.subject, found.message, found.next_step, company=company, figures=found.figures)


@pytest.fixture
def office(terminal: Terminal) -> Terminal:
    """Give breaks of an office project in two companies, of one that was sent, of a partner and of rates."""
    note(terminal, of_project("OFFICE"), of_project("OFFICE", "28602"), of_project("V001"))
    note(terminal, differs("28600:60999", kind=SUPPLIER), differs("2026-10-30:NOK:CZK", kind=RATE))
    with duckdb.connect(str(terminal.folder / "springline.duckdb")) as tables:
        tables.execute("CREATE SCHEMA map; CREATE SCHEMA post")
        tables.execute(
            "CREATE TABLE map.sent_subjects AS SELECT 'project' AS subject, '28601' AS company_code, 'V001' AS code, "
            "'2707400' AS document_no"
        )
    return terminal


def ignore(terminal: Terminal, *named: str) -> tuple[int, str]:
    ended = terminal.run("breaks", "ignore-subject", *named, "--reason", "rent of the office")
    return ended.code, ended.out + ended.err


def built(terminal: Terminal, *, sent: str | None) -> None:
    """Give what the next run makes of it."""
    with duckdb.connect(str(terminal.folder / "springline.duckdb")) as tables:
        tables.execute(
            "CREATE OR REPLACE TABLE map.ignored_subjects AS SELECT 'project' AS subject, '28601' AS company_code, "
            "'OFFICE' AS code, CAST(? AS VARCHAR) AS sent_document_no",
            [sent],
        )
        tables.execute(
            f"CREATE OR REPLACE TABLE post.actual_breaks AS SELECT '{VOYAGE}' AS kind, '28601' AS company_code, "
            "'OFFICE' AS voyage_no, CAST(NULL AS VARCHAR) AS account, 12300.5 AS company_amount, "
            "'NOK' AS company_currency_code, CAST(? AS VARCHAR) IS NULL AS is_ignored",
            [sent],
        )


def test_what_is_not_ours_closes_its_breaks_with_the_reason(office: Terminal) -> None:
    code, shown = ignore(office, *PROJECT)
    assert (code, "1 break is closed" in shown) == (0, True)
    assert set(standing(office)) == {"28602:OFFICE", "28601:V001", "28600:60999", "2026-10-30:NOK:CZK"}
    [over] = [row for row in listed(office, "--all") if row["until"]]
    assert over["end_reason"] == "Project OFFICE of company 28601 is not ours: kari: rent of the office"
    assert "not ours already: kari" in ignore(office, *PROJECT)[1]


@pytest.mark.parametrize(("named", "gone"), [(("partner", "60999"), "28600:60999"), (("currency", "CZK"), "CZK")])
def test_a_partner_and_a_currency_are_those_of_all_companies(
    office: Terminal, named: tuple[str, ...], gone: str
) -> None:
    assert ignore(office, *named)[0] == 0
    assert not [subject for subject in standing(office) if subject.endswith(gone)]
    assert ignore(office, *named, "--company", "28601")[0] == 2


def test_what_was_sent_is_ours(office: Terminal) -> None:
    code, shown = ignore(office, "project", "V001", "--company", "28601")
    assert (code, "document 2707400, which Springline sent or will send, names it" in shown) == (2, True)
    assert "28601:V001" in standing(office)
    assert ignore(office, "project", "V001", "--company", "28602")[0] == 0


def test_what_cannot_be_looked_up_is_not_put_aside(terminal: Terminal) -> None:
    assert ignore(terminal, *PROJECT)[0] == 2
    duckdb.connect(str(terminal.folder / "springline.duckdb")).close()
    code, shown = ignore(terminal, *PROJECT)
    assert (code, "cannot be seen now" in shown) == (2, True)
    assert terminal.ask("SELECT count(*) FROM ignored_subjects") == [(0,)]


@pytest.mark.parametrize(
    "named", [("voyage", "V001"), ("project", " ", "--company", "1"), ("project", "V001"), ("account", "4300")]
)
def test_a_subject_is_named_in_full(office: Terminal, named: tuple[str, ...]) -> None:
    assert ignore(office, *named)[0] == 2


def test_what_is_left_out_is_listed_with_its_money(office: Terminal) -> None:
    assert "Everything is ours" in office.run("breaks", "ignored").out
    ignore(office, *PROJECT)
    assert "counted by the next run" in office.run("breaks", "ignored").out
    built(office, sent=None)
    shown = office.run("breaks", "ignored").out
    assert "project OFFICE of company 28601: kari, " in shown
    assert "1 difference left out: NOK 12,300.50." in shown
    [row] = office.run("breaks", "ignored", "--json").json()["ignored"]
    assert (row["left_out"], row["sums"], row["operator"]) == (1, {"NOK": "12300.5"}, "kari")


def test_a_document_that_is_sent_later_is_told(office: Terminal) -> None:
    ignore(office, *PROJECT)
    built(office, sent="2707400")
    shown = office.run("breaks", "ignored").out
    assert "Does not count: document 2707400, which Springline sent, names it; its breaks stay open." in shown


def test_it_can_be_taken_back(office: Terminal) -> None:
    taken = ("breaks", "restore-subject", *PROJECT, "--reason", "it is a voyage after all")
    assert office.run(*taken).code == 2
    ignore(office, *PROJECT)
    assert office.run(*taken).code == 0
    assert office.run("breaks", "ignored", "--json").json()["ignored"] == []
    [row] = office.run("breaks", "ignored", "--all", "--json").json()["ignored"]
    assert (row["ended_by"], row["end_reason"]) == ("kari", "it is a voyage after all")
    assert "taken back by kari" in office.run("breaks", "ignored", "--all").out
    assert ignore(office, *PROJECT)[0] == 0


def test_status_counts_what_is_not_ours(office: Terminal) -> None:
    ignore(office, *PROJECT)
    ignore(office, "partner", "60999")
    assert [row["code"] for row in office.run("status", "--json").json()["not_ours"]] == ["OFFICE", "60999"]
    assert "Not ours: 2 (springline breaks ignored)." in office.run("status").out
