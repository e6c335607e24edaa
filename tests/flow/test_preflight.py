"""Preflight tells what would be held, by person and voyage, days before it is due, and writes nothing anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from pipelines.questions.preflight_report import NO_VOYAGE, NOBODY_KNOWN
from tests.flow.live_world import Live

# Pending with one fault each, held, set aside, fit to post, already posted, never posted.
WITH_FAULTS = ("2709021", "2709022", "2709023", "2709024", "2709025", "2709026", "2709027", "2709028")
OTHERS = ("2708001", "2708031", "2708101", "2706035", "2705001", "2709101")
TYPED = "TYPED-1"
OTHER_MONTH = "2708031"


@dataclass(frozen=True, slots=True)
class World:
    """What preflight found for October, and what it asked for."""

    live: Live
    found: dict[str, Any]
    requests: dict[str, dict[str, int]]

    def pending(self) -> dict[str, dict[str, Any]]:
        voyages = [voyage for person in self.found["people"].values() for voyage in person.values()]
        return {pending["document_no"]: pending for voyage in voyages for pending in voyage}

    def rules(self, number: str) -> set[tuple[str, str]]:
        return {(finding["rule"], finding["severity"]) for finding in self.pending()[number]["findings"]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Live(tmp_path_factory.mktemp("preflight"), (*WITH_FAULTS, *OTHERS)) as live:
        live.post(
            "Document",
            documentType="INI",
            documentNo=TYPED,
            documentDate="2026-10-20T00:00:00",
            documentCurrency="NOK",
            company="28601",
            businessPartner="60526",
            documentAmount=100,
            companyCurrencyAmount=100,
            documentPaymentTerms=[{"dueDate": "2026-11-20T00:00:00", "percentage": 100}],
            documentLines=[
                {"documentAmount": 100, "companyCurrencyAmount": 100, "glAccount": "4300", "voyage": "V002-2602"}
            ],
        )
        live.sandbox.control("DELETE", "requests")
        code, out = live.command("preflight", "2026-10", "--json")
        assert code == 0
        yield World(live, json.loads(out), live.sandbox.control("GET", "requests"))


@pytest.mark.parametrize(
    ("number", "rule", "severity"),
    [
        ("2709021", "external_document_no_missing", "critical"),
        ("2709022", "gl_account_missing", "critical"),
        ("2709023", "partner_is_charterer", "critical"),
        ("2709024", "voyage_missing", "critical"),
        ("2709025", "payment_terms_not_100", "critical"),
        ("2709026", "due_date_missing", "critical"),
        ("2709027", "kid_too_long", "warning"),
        ("2709028", "external_document_no_too_long", "warning"),
        ("2708001", "gl_account_missing", "critical"),
    ],
)
def test_a_document_not_posted_yet_is_told_its_rule(world: World, number: str, rule: str, severity: str) -> None:
    assert (rule, severity) in world.rules(number)


def test_what_the_contract_refuses_is_told_too(world: World) -> None:
    assert world.rules("2708101") == {("set_aside", "critical")}


@pytest.mark.parametrize("number", ["2706035", "2705001", "2709101"])
def test_a_document_that_is_fit_or_not_to_be_posted_is_not(world: World, number: str) -> None:
    assert number not in world.pending()


def test_partners_the_next_run_would_create_are_not_missing(world: World) -> None:
    assert not {rule for number in world.pending() for rule, _ in world.rules(number)} & {"supplier_missing"}


def test_findings_are_grouped_by_who_entered_and_voyage(world: World) -> None:
    people = world.found["people"]
    assert [pending["document_no"] for pending in people["Integration"]["V002-2602"]] == [TYPED]
    # Who entered the seeded ones is a key that the VMS has no user for.
    assert people["user 1000000"].keys() >= {"V002-2602", "V007-26E2"}
    assert people[NOBODY_KNOWN].keys() == {NO_VOYAGE}


def test_a_period_leaves_other_months_aside(world: World) -> None:
    assert OTHER_MONTH not in world.pending()


def test_it_writes_nothing_on_either_side(world: World) -> None:
    assert {name for name in world.requests["vms"] if not name.startswith("GET ")} == {"POST /oauth/token"}
    assert not [name for name in world.requests["ledger"] if "add" in name or "update" in name]


@pytest.mark.parametrize("table", ["holds", "rejected", "outbox", "decisions", "cursors", "batches", "breaks"])
def test_it_leaves_no_trace_but_its_request_count(world: World, table: str) -> None:
    assert world.live.ask(f"SELECT * FROM {table}") == []  # noqa: S608 names of this list
    assert {job for (job,) in world.live.ask("SELECT DISTINCT job FROM requests")} == {"preflight"}
    assert not world.live.settings.warehouse_path.exists()


def test_each_finding_says_what_to_do(world: World) -> None:
    typed = world.pending()[TYPED]
    assert typed["findings"][0]["message"].startswith(
        f"INI {TYPED} (Nordic Agency AS): external document number missing"
    )
    assert (typed["status"], typed["company"], float(typed["amount"])) == ("PEN", "28601", 100)
