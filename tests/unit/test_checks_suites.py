"""Suites are read as data, with every fault of every file at once; messages and the rules' page follow from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.checks.messages import document_label, fields, fill, split_message, write_message
from pipelines.checks.suites import Rule, load_rules
from pipelines.core.errors import CheckError
from pipelines.core.words import value as written
from pipelines.reference.rules import rules_page
from pipelines.steering.bank_changes import waiting_message

DEFINITION = {"title": "t", "finding": "f", "system": "VMS", "next_step": "n.", "source": "s"}
ROW = {"document_key": 7, "document_no": "1", "document_type": "INI", "partner_name": None, "company_code": "28601"}
RULE = Rule("r", "critical", "title", ("found {x}",), "VMS", "In the VMS, correct {x}.", "docs/mapping.md#1-6")


def _stated(column: str = "a", *, severity: str = "critical", **meta: str) -> dict[str, Any]:
    kwargs = {"column": column}
    return {"type": "expect_column_values_to_not_be_null", "kwargs": kwargs, "severity": severity, "meta": meta}


def _write(folder: Path, *stated: Mapping[str, Any], name: str = "post.some") -> Path:
    (folder / "post").mkdir(exist_ok=True)
    document = {"name": name, "expectations": stated, "meta": {"undecided": "undecided"}}
    (folder / "post" / f"{name.removeprefix('post.')}.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


def test_a_rule_is_defined_once_and_named_again(tmp_path: Path) -> None:
    again = _stated("b", rule="r"), _stated("c", rule="r", finding="g")
    book = load_rules(_write(tmp_path, _stated(rule="r", **DEFINITION), *again, _stated("d")))
    assert book.rules == {"r": Rule("r", "critical", "t", ("f", "g"), "VMS", "n.", "s")}
    assert book.suites["post.some"].columns == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    ("stated", "fault"),
    [
        ([_stated(rule="r")], "not defined once"),
        ([_stated(rule="r", title="t")], "not defined once"),
        ([_stated(rule="r", **DEFINITION), _stated(rule="r", **DEFINITION)], "not defined once"),
        ([_stated(rule="r", severity="info", **DEFINITION)], "neither critical nor warning"),
        ([_stated(rule="r", **DEFINITION), _stated(rule="r", severity="warning")], "neither critical nor warning"),
        ([_stated(rule="r", **DEFINITION | {"system": "SAP"})], "names the system 'SAP'"),
    ],
)
def test_a_wrong_rule_is_a_fault(tmp_path: Path, stated: list[dict[str, Any]], fault: str) -> None:
    with pytest.raises(CheckError, match=fault):
        load_rules(_write(tmp_path, *stated))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    _write(tmp_path, name="post.one")
    (tmp_path / "post" / "one.json").write_text("{", encoding="utf-8")
    (tmp_path / "post" / "two.json").write_text('{"name": "post.three", "expectations": []}', encoding="utf-8")
    (tmp_path / "post" / "four.json").write_text('{"name": "post.four", "meta": {}}', encoding="utf-8")
    with pytest.raises(CheckError) as caught:
        load_rules(tmp_path)
    assert [name for name in ("one.json", "two.json", "four.json") if name in caught.value.message] == [
        "one.json",
        "two.json",
        "four.json",
    ]


def test_a_message_is_one_line() -> None:
    row = ROW | {"partner_name": "Nordic\n'Agency'\t\x00AS", "x": "a\r\nb"}
    message = write_message(RULE, findings=[fill("found {x}", row=row)] * 2, row=row)
    assert message == "INI 1 (Nordic 'Agency' AS): title (found a b). In the VMS, correct a b."


@pytest.mark.parametrize("name", load_rules().rules)
def test_a_message_is_parted_into_why_and_what_to_do(name: str) -> None:
    rule = load_rules().rules[name]
    row = dict.fromkeys(fields(rule.next_step), "CR")
    row |= {"document_type": "INI", "document_no": "2707400", "partner_name": "Agent: AS"}
    message = write_message(rule, findings=["line 2. In the VMS, it is 3"], row=row)
    why = f"{rule.title} (line 2. In the VMS, it is 3)."
    assert split_message(message, rule=rule) == (why, fill(rule.next_step, row=row))


def test_a_message_of_no_rule_is_parted_at_its_command() -> None:
    told = "INI 7: held by kari (why). `springline release 7` lifts it."
    assert split_message(told, rule=None) == ("held by kari (why).", "`springline release 7` lifts it.")
    assert split_message("no colon", rule=None) == ("no colon", "")


@pytest.mark.parametrize("name", ["Nordic AS", "Dr. Berg: Agents", "held by. Check it ", "A. `springline ", ""])
def test_a_changed_bank_account_is_parted_behind_the_supplier(name: str) -> None:
    message = waiting_message(("60504", "86011117947", "NO9386011117947"), name, "kari")
    why, step = split_message(message, rule=None)
    assert why.startswith("its bank account changes from ")
    assert why.endswith(" and is not sent.")
    assert step.startswith("Check it with the supplier by other means")
    assert message.endswith(f"{why} {step}")


def test_a_value_with_braces_is_no_template() -> None:
    assert fill("{x}", row={"x": "{document_no}"}) == "{document_no}"


def test_a_document_without_number_is_named_by_its_key() -> None:
    assert document_label(ROW | {"document_no": None}) == "INI with key 7"


def test_a_template_of_an_unknown_column_is_an_error() -> None:
    with pytest.raises(CheckError, match="names a column"):
        fill("{nobody}", row=ROW)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1234567.5000"), "1,234,567.50"),
        (Decimal("-0.0010"), "-0.001"),
        (Decimal("100.0000"), "100"),
        (Decimal("1E+3"), "1,000"),
        (date(2026, 11, 2), "2026-11-02"),
        (None, "none"),
        (501, "501"),
        ("x" * 400, "x" * 299 + "…"),
    ],
)
def test_a_value_is_shown_as_people_write_it(value: object, text: str) -> None:
    assert written(value) == text


def test_the_rules_page_has_a_line_for_every_rule() -> None:
    page = rules_page()
    rules = load_rules().rules
    assert [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")] == sorted(
        rules, key=lambda name: (rules[name].severity, list(rules).index(name))
    )
    assert all(line.count(" | ") == 5 for line in page.splitlines() if line.startswith("| "))
