"""Suites, templates and the tests' own world name columns that the SQL models have."""

from __future__ import annotations

import pytest
import sqlglot

from pipelines.checks.messages import LABEL_COLUMNS, fields
from pipelines.checks.suites import Rule, load_rules
from pipelines.core.resources import sql_folder
from tests.expectations.world import DOCUMENT, LINE, VERDICTS

MADE_IN_PYTHON = {"ok_kid_invalid", "ok_iban_invalid", "iban_end"}


def _model(name: str) -> set[str]:
    sql = (sql_folder() / "post" / f"{name}.sql").read_text(encoding="utf-8")
    statement = sqlglot.parse_one(sql, dialect="duckdb")
    assert isinstance(statement, sqlglot.exp.Query)
    return set(statement.named_selects)


CHECKED = {
    "post.document_checks": _model("document_checks") - {"partner_iban"} | MADE_IN_PYTHON,
    "post.draft_lines": _model("draft_lines") | set(LABEL_COLUMNS),
    "post.draft_totals": _model("draft_totals"),
}


def test_the_world_of_the_tests_has_the_columns_of_the_models() -> None:
    assert DOCUMENT.keys() | {f"ok_{rule}" for rule in VERDICTS} == _model("document_checks")
    assert LINE.keys() <= _model("draft_lines")


@pytest.mark.parametrize("name", CHECKED)
def test_a_suite_reads_columns_its_table_has(name: str) -> None:
    assert load_rules().suites[name].columns <= CHECKED[name]


@pytest.mark.parametrize("name", CHECKED)
def test_a_message_names_columns_its_table_has(name: str) -> None:
    rules = load_rules().rules
    for meta in (stated["meta"] for stated in load_rules().suites[name].expectations if "rule" in stated["meta"]):
        assert fields(meta.get("finding", "") + rules[meta["rule"]].next_step) <= CHECKED[name]


@pytest.mark.parametrize("column", sorted(name for name in CHECKED["post.document_checks"] if name.startswith("ok_")))
def test_each_verdict_has_its_rule_and_may_not_be_empty(column: str) -> None:
    stated = [
        e for e in load_rules().suites["post.document_checks"].expectations if e["kwargs"].get("column") == column
    ]
    assert [e["type"] for e in stated] == ["expect_column_values_to_be_in_set", "expect_column_values_to_not_be_null"]
    assert stated[0]["kwargs"]["value_set"] == [True]
    assert {e["meta"]["rule"] for e in stated} == {column.removeprefix("ok_")}


@pytest.mark.parametrize("rule", load_rules().rules.values(), ids=lambda rule: rule.name)
def test_a_rule_says_where_to_correct_it(rule: Rule) -> None:
    begins = {"VMS": ("In the VMS, ", "Look at it"), "Xledger": ("In Xledger, ",)}
    assert rule.next_step.startswith(begins.get(rule.system, ("In Springline's settings, ",)))
    assert rule.next_step.endswith(".")
    assert rule.title
    assert rule.title[-1] != "."
    assert rule.source.startswith("docs/mapping.md#1-")
