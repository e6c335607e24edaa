"""A check that could not run, or a table that is not what it should be, stops the batch."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.checks.engine import Failure, evaluate
from pipelines.checks.run import run_checks
from pipelines.checks.suites import Suite, columns_of, load_rules
from pipelines.core.errors import CheckError
from tests.expectations.world import World, document, voucher

TABLE = pa.table({"document_key": [1, 2, 2, None], "line_kind": ["control", None, "vat", "detail"]})


def _suite(*expectations: dict[str, Any]) -> Suite:
    stated = tuple({"meta": {"rule": "voucher_incomplete", "finding": "x"}} | stated for stated in expectations)
    columns = frozenset(column for expectation in stated for column in columns_of(expectation))
    return Suite("post.some", json.dumps({"name": "post.some", "expectations": stated}), columns, "undecided", stated)


def _expect(kind: str, **kwargs: object) -> dict[str, Any]:
    return {"type": kind, "kwargs": kwargs}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def test_failing_rows_come_back_even_when_their_key_is_empty() -> None:
    failures = evaluate(
        _suite(
            _expect("expect_column_values_to_be_in_set", column="line_kind", value_set=["control"]),
            _expect("expect_column_values_to_not_be_null", column="line_kind"),
            _expect("expect_column_values_to_be_unique", column="document_key"),
        ),
        TABLE,
        parameters={},
    )
    found = {failure.rows for failure in failures}
    assert failures[0] == Failure("voucher_incomplete", "x", failures[0].rows)
    assert found == {(2, 3), (1,), (1, 2)}


@pytest.mark.parametrize(
    ("expectation", "reason"),
    [
        (_expect("expect_column_values_to_be_between", column="line_kind", min_value=0), "could not be checked"),
        (_expect("expect_column_values_to_match_regex", column="line_kind", regex="("), "could not be checked"),
        (_expect("expect_column_values_to_be_nice", column="line_kind"), "could not be checked"),
        (_expect("expect_table_row_count_to_equal", value={"$PARAMETER": "nobody"}), "could not be checked"),
        (_expect("expect_column_values_to_not_be_null", column="missing"), "has no column missing"),
    ],
    ids=["wrong type", "no regex", "unknown expectation", "unknown parameter", "unknown column"],
)
def test_an_expectation_that_cannot_run_is_an_error(expectation: dict[str, Any], reason: str) -> None:
    with pytest.raises(CheckError, match=reason):
        evaluate(_suite(expectation), TABLE, parameters={})


def test_an_expectation_it_cannot_read_is_an_error() -> None:
    with pytest.raises(CheckError, match="could not be checked"):
        evaluate(_suite(_expect("expect_column_values_to_be_in_set", column="line_kind")), TABLE, parameters={})


def test_a_document_lost_on_the_way_is_an_error(world: World) -> None:
    world.put(document(1), document(2))
    world.warehouse.execute("DELETE FROM post.document_checks WHERE document_key = 2")
    with pytest.raises(CheckError, match=r"expect_table_row_count_to_equal 2 failed \(1\)"):
        run_checks(world.ctx)


def test_all_documents_lost_on_the_way_are_an_error(world: World) -> None:
    world.put(document(1))
    world.warehouse.execute("DELETE FROM post.document_checks")
    with pytest.raises(CheckError, match=r"expect_table_row_count_to_equal 1 failed \(0\)"):
        run_checks(world.ctx)


def test_a_document_doubled_on_the_way_is_an_error(world: World) -> None:
    world.put(document(1), document(2))
    world.warehouse.execute("UPDATE post.document_checks SET document_key = 1")
    with pytest.raises(CheckError, match="expect_column_values_to_be_unique on document_key failed"):
        run_checks(world.ctx)


def test_a_document_without_key_is_an_error(world: World) -> None:
    world.put(document(1), document(2))
    world.warehouse.execute("UPDATE post.document_checks SET document_key = NULL WHERE document_key = 2")
    with pytest.raises(CheckError, match="expect_column_values_to_not_be_null on document_key failed"):
        run_checks(world.ctx)


def test_a_table_that_is_not_there_is_an_error(world: World) -> None:
    world.put(document(1), lines=voucher(1))
    world.warehouse.execute("DROP TABLE post.draft_lines")
    with pytest.raises(CheckError, match="cannot be read"):
        run_checks(world.ctx)


@pytest.mark.parametrize("column", ["x_identifier", "partner_iban", "ok_no_lines", "terms_total"])
def test_a_missing_column_is_an_error(world: World, column: str) -> None:
    world.put(document(1, ok_payment_terms_not_100=False))
    world.warehouse.execute(f"ALTER TABLE post.document_checks DROP COLUMN {column}")
    with pytest.raises(CheckError, match=column):
        run_checks(world.ctx)


def test_every_suite_is_one_that_great_expectations_reads() -> None:
    from great_expectations import ExpectationSuite  # noqa: PLC0415 7 seconds, only where it is needed

    for suite in load_rules().suites.values():
        read = ExpectationSuite(**json.loads(suite.document))
        severities = [expectation.severity for expectation in read.expectations]
        assert severities == [stated["severity"] for stated in suite.expectations]


def test_the_gate_stops_just_the_rows_that_the_suite_finds_fault_with() -> None:
    dice = random.Random(47)  # noqa: S311 test data
    suite = load_rules().suites["post.document_checks"]
    gate = suite.gate()
    assert gate
    verdicts, size = sorted(gate[1]), 40
    assert len(verdicts) == sum(rule_of(name) in load_rules().rules for name in verdicts) > 40
    columns: dict[str, list[object]] = {name: [True] * size for name in verdicts}
    for row in range(0, size, 3):
        for name in dice.sample(verdicts, dice.choice((1, 1, 2, len(verdicts)))):
            columns[name][row] = dice.choice((False, None))
    table = pa.table(
        {"document_key": [*range(size)]} | {name: pa.array(columns[name], pa.bool_()) for name in verdicts}
    )
    failures = evaluate(suite, table, parameters={"documents": size})
    found = {(rule, row) for rule, _, rows in map(astuple, failures) for row in rows}
    assert found == {(rule_of(name), row) for name in verdicts for row in range(size) if columns[name][row] is not True}
    # Which of the two it was is in the finding: without one the verdict was not given.
    undecided = {(failure.rule, row) for failure in failures if failure.finding is None for row in failure.rows}
    assert undecided == {(rule_of(name), row) for name in verdicts for row in range(size) if columns[name][row] is None}


def test_a_row_that_came_twice_is_an_error_at_the_gate_too() -> None:
    suite = load_rules().suites["post.document_checks"]
    names = sorted(suite.columns - {"document_key"})
    table = pa.table({"document_key": [7, 7]} | {name: pa.array([True, True]) for name in names})
    with pytest.raises(CheckError, match="is not what it should be"):
        evaluate(suite, table, parameters={"documents": 2})


def test_a_suite_that_asserts_more_than_verdicts_has_no_gate() -> None:
    suites = load_rules().suites
    assert {name for name, suite in suites.items() if suite.gate()} == {"post.document_checks"}


def rule_of(verdict: str) -> str:
    return verdict.removeprefix("ok_")
