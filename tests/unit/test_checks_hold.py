"""Holds follow the verdicts of the rules and the decisions of people, and say what may go out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.checks.frames import document_hashes
from pipelines.checks.hold import ready_documents, update_holds
from pipelines.checks.run import fingerprint, run_checks
from pipelines.checks.suites import HELD_BY_PERSON
from pipelines.checks.verdicts import CheckResult, Verdict
from pipelines.core.errors import CheckError
from tests.expectations.world import NOW, World, document

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.put(document(1), document(2), document(3))
    yield world
    world.close()


def _verdict(key: int, rule: str = "no_lines", severity: str = "critical", message: str = "no lines") -> Verdict:
    return Verdict(key, "2707400", "28601", rule, severity, message)


def _update(world: World, *verdicts: Verdict, number: int = 1, is_dry_run: bool = False) -> frozenset[int]:
    found: dict[int, tuple[Verdict, ...]] = {}
    for verdict in verdicts:
        found[verdict.document_key] = (*found.get(verdict.document_key, ()), verdict)
    ctx = world.batch(number=number, moment=NOW if number == 1 else LATER, is_dry_run=is_dry_run)
    return update_holds(ctx, CheckResult(found, 3, fingerprint(ctx), document_hashes(ctx.warehouse)))


def _holds(world: World) -> list[tuple[Any, ...]]:
    rows = world.control.read("SELECT document_key, rule, message, since, until, batch_id FROM holds ORDER BY hold_id")
    return [tuple(row) for row in rows]


def _decide(
    world: World, action: str, *, key: int | None = 1, number: str = "2707400", company: str | None = None
) -> None:
    with world.control.write() as connection:
        connection.execute(
            "INSERT INTO decisions (action, subject, company, document_key, document_no, reason, operator, at) "
            "VALUES (?, 'document', ?, ?, ?, 'price disputed', 'ola', '2026-11-01T10:00:00.000000+00:00')",
            (action, company, key, number),
        )


def test_a_failed_rule_opens_a_hold(world: World) -> None:
    assert _update(world, _verdict(1)) == {2, 3}
    assert _holds(world) == [(1, "no_lines", "no lines", "2026-11-02T08:00:00.000000+00:00", None, "b1")]


def test_a_rule_that_still_fails_keeps_since_and_batch(world: World) -> None:
    _update(world, _verdict(1, message="3 USD are missing"))
    _update(world, _verdict(1, message="4 USD are missing"), number=2)
    assert _holds(world) == [(1, "no_lines", "4 USD are missing", "2026-11-02T08:00:00.000000+00:00", None, "b1")]


def test_a_rule_that_no_longer_fails_ends_its_hold(world: World) -> None:
    _update(world, _verdict(1), _verdict(1, rule="due_date_missing"))
    assert _update(world, _verdict(1, rule="due_date_missing"), number=2) == {2, 3}
    assert _update(world, number=3) == {1, 2, 3}
    assert [hold[4] for hold in _holds(world)] == ["2026-11-02T09:00:00.000000+00:00"] * 2


def test_a_rule_that_fails_again_opens_a_new_hold(world: World) -> None:
    for number, verdicts in enumerate(((_verdict(1),), (), (_verdict(1),)), start=1):
        _update(world, *verdicts, number=number)
    assert [(hold[3][11:13], hold[4] is None, hold[5]) for hold in _holds(world)] == [
        ("08", False, "b1"),
        ("09", True, "b3"),
    ]


def test_a_document_that_is_no_longer_open_ends_its_holds(world: World) -> None:
    _update(world, _verdict(1))
    world.put(document(2), document(3))
    assert _update(world, number=2) == {2, 3}
    assert [hold[4] for hold in _holds(world)] == ["2026-11-02T09:00:00.000000+00:00"]


def test_a_warning_does_not_keep_a_document_back(world: World) -> None:
    assert _update(world, _verdict(1, rule="kid_invalid", severity="warning")) == {1, 2, 3}
    assert len(_holds(world)) == 1


def test_a_warning_that_became_critical_keeps_it_back(world: World) -> None:
    _update(world, _verdict(1, severity="warning"))
    assert _update(world, _verdict(1, severity="critical"), number=2) == {2, 3}
    assert _update(world, _verdict(1, severity="warning"), number=3) == {1, 2, 3}
    [row] = world.control.read("SELECT severity, until FROM holds")
    assert (row["severity"], row["until"]) == ("warning", None)


def test_a_second_run_with_the_same_verdicts_writes_nothing(world: World) -> None:
    _update(world, _verdict(1), _verdict(2, severity="warning"))
    before = _holds(world)
    _update(world, _verdict(1), _verdict(2, severity="warning"), number=2)
    assert _holds(world) == before


def test_holds_of_other_steps_are_left_alone_and_count(world: World) -> None:
    with world.control.write() as connection:
        connection.executemany(
            "INSERT INTO holds (document_key, rule, severity, message, since, batch_id) "
            "VALUES (?, ?, 'critical', '', '', '')",
            [(2, "bank_change"), (None, "code_not_unique")],
        )
    assert _update(world) == {1, 3}
    assert [hold[4] for hold in _holds(world)] == [None, None]


def test_holds_of_a_rule_that_is_gone_end(world: World) -> None:
    _update(world)
    with world.control.write() as connection:
        connection.execute("UPDATE meta SET value = value || ' former_rule' WHERE name = 'checks.rules'")
        connection.execute(
            "INSERT INTO holds (document_key, rule, severity, message, since, batch_id) "
            "VALUES (1, 'former_rule', 'critical', '', '', '')"
        )
    assert _update(world, number=2) == {1, 2, 3}


def test_a_person_holds_a_document_and_releases_it(world: World) -> None:
    _decide(world, "hold")
    assert _update(world) == {2, 3}
    assert _holds(world) == [
        (
            1,
            HELD_BY_PERSON,
            "INI 2707400 (Nordic Agency AS): held by ola (price disputed). `springline release 1 --reason …` lifts it.",
            "2026-11-01T10:00:00.000000+00:00",
            None,
            "b1",
        )
    ]
    _decide(world, "release")
    assert _update(world, number=2) == {1, 2, 3}
    assert _holds(world)[0][4] == "2026-11-02T09:00:00.000000+00:00"


def test_a_release_does_not_lift_a_rule(world: World) -> None:
    _decide(world, "release")
    assert _update(world, _verdict(1)) == {2, 3}


def test_a_rule_that_is_met_does_not_lift_a_persons_hold(world: World) -> None:
    _decide(world, "hold")
    _update(world, _verdict(1))
    assert _update(world, number=2) == {2, 3}


def test_a_hold_by_number_waits_for_the_document(world: World) -> None:
    _decide(world, "hold", key=None, number="99")
    assert _update(world) == {1, 2, 3}
    world.put(document(1), document(4, document_no="99"), document(5, document_no="99", company_code="28602"))
    assert _update(world, number=2) == {1}
    _decide(world, "release", key=None, number="99", company="28602")
    assert _update(world, number=3) == {1, 5}
    _decide(world, "release", key=4, number="99")
    assert _update(world, number=4) == {1, 4, 5}


def test_a_hold_stays_on_a_document_that_goes_to_another_company(world: World) -> None:
    _decide(world, "hold", key=1, company="28699")
    assert _update(world) == {2, 3}


def test_a_persons_hold_outlives_the_documents_absence(world: World) -> None:
    _decide(world, "hold")
    _update(world)
    world.put(document(2))
    _update(world, number=2)
    assert _holds(world)[0][4] is not None
    world.put(document(1), document(2))
    assert _update(world, number=3) == {2}


def test_a_dry_run_leaves_no_trace(world: World) -> None:
    assert _update(world, _verdict(1), is_dry_run=True) == {2, 3}
    assert _holds(world) == []
    assert world.control.read("SELECT name FROM meta") == []
    assert ready_documents(world.batch(is_dry_run=True)) == {2, 3}


def test_nothing_is_ready_before_it_was_checked(world: World) -> None:
    for is_dry_run in (True, False):
        with pytest.raises(CheckError):
            ready_documents(world.batch(is_dry_run=is_dry_run))


def test_documents_are_ready_only_as_they_were_checked(world: World) -> None:
    _update(world, _verdict(1))
    assert ready_documents(world.ctx) == {2, 3}
    world.put(document(1), document(2), document(3), document(4))
    with pytest.raises(CheckError, match="changed since they were checked"):
        ready_documents(world.ctx)


def test_verdicts_of_the_last_run_stand_while_nothing_changes(world: World) -> None:
    verdicts = _verdict(1), _verdict(1, rule="kid_invalid", severity="warning")
    _update(world, *verdicts)
    result = run_checks(world.batch(number=2))
    assert result.verdicts == {1: verdicts}
    assert result.held == result.warned == {1}
    assert result.checked == 3
    assert update_holds(world.batch(number=2), result) == {2, 3}
