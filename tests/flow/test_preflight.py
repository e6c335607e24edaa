"""Preflight tells what would be held, by person and voyage, days before it is due, and writes nothing anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from pipelines.errors import UsageError
from pipelines.preflight import NO_VOYAGE, NOBODY_KNOWN, Pending, Preflight, run_preflight, show_preflight
from tests.flow.live_world import TODAY, Live

# Pending with one fault each, held, set aside, fit to post, already posted, never posted.
WITH_FAULTS = ("2709021", "2709022", "2709023", "2709024", "2709025", "2709026", "2709027", "2709028")
OTHERS = ("2708001", "2708031", "2708101", "2706035", "2705001", "2709101")
TYPED = "TYPED-1"
BEFORE_PERIOD = "2708031"


@dataclass(frozen=True, slots=True)
class World:
    """What preflight found, of all periods and of one, and what was asked and kept meanwhile."""

    live: Live
    found: Preflight
    october: Preflight
    requests: dict[str, dict[str, int]]

    def pending(self) -> dict[str, Pending]:
        return {pending.document_no: pending for pending in self.found.documents}

    def rules(self, number: str) -> set[tuple[str, str]]:
        return {(finding.rule, finding.severity) for finding in self.pending()[number].findings}


def _preflight(live: Live, period: str | None) -> Preflight:
    return run_preflight(live.settings, period=period, today=TODAY, operator="kari", now=live.now)


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
        found = _preflight(live, None)
        requests: dict[str, dict[str, int]] = live.sandbox.control("GET", "requests")
        yield World(live, found, _preflight(live, "2026-10"), requests)


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
    people = world.found.by_person()
    assert [pending.document_no for pending in people["Integration"]["V002-2602"]] == [TYPED]
    # Who entered the seeded ones is a key that the VMS has no user for.
    assert people["user 1000000"].keys() >= {"V002-2602", "V007-26E2"}
    assert people[NOBODY_KNOWN].keys() == {NO_VOYAGE}


def test_a_period_leaves_other_months_aside(world: World) -> None:
    october = {pending.document_no for pending in world.october.documents}
    assert BEFORE_PERIOD in world.pending()
    assert BEFORE_PERIOD not in october
    assert TYPED in october


def test_what_is_no_period_is_refused(world: World) -> None:
    with pytest.raises(UsageError, match="write it as 2026-10"):
        _preflight(world.live, "2026-13")


def test_it_writes_nothing_on_either_side(world: World) -> None:
    assert {name for name in world.requests["vms"] if not name.startswith("GET ")} == {"POST /oauth/token"}
    assert not [name for name in world.requests["ledger"] if "add" in name or "update" in name]


@pytest.mark.parametrize("table", ["holds", "rejected", "outbox", "decisions", "cursors", "batches", "breaks"])
def test_it_leaves_no_trace_but_its_request_count(world: World, table: str) -> None:
    assert world.live.ask(f"SELECT * FROM {table}") == []  # noqa: S608 names of this list
    assert {job for (job,) in world.live.ask("SELECT DISTINCT job FROM requests")} == {"preflight"}
    assert not world.live.settings.warehouse_path.exists()


def test_the_json_names_person_voyage_and_message(world: World) -> None:
    told: Any = world.found.as_dict()["people"]
    (document,) = told["Integration"]["V002-2602"]
    assert document["findings"][0]["message"].startswith(f"INI {TYPED}")
    assert (document["status"], str(document["amount"])) == ("PEN", "100.000000000000000000")


def test_it_can_be_shown(world: World) -> None:
    file = StringIO()
    show_preflight(world.found, Console(file=file, width=120))
    assert "documents that are not posted yet were checked" in file.getvalue()
