"""Each rule of post.document_checks: a document that meets it, and one that fails it with its exact message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NotRequired, TypedDict

import pytest
import yaml

from pipelines.checks.run import run_checks
from pipelines.checks.steps import check_documents
from pipelines.checks.suites import CRITICAL, load_rules
from pipelines.checks.verdicts import CheckResult
from pipelines.core.errors import SettingsError
from pipelines.core.settings import load_settings
from pipelines.core.settings_books import RULES_THAT_MAY_BE_OFF
from pipelines.stores.marks import left_alone
from tests.expectations.world import SETTINGS, VERDICTS, World, document


class Case(TypedDict):
    """A rule's failing document and its message."""

    given: NotRequired[dict[str, object]]
    message: str


LABEL = "INI 2707400 (Nordic Agency AS): "

CASES: dict[str, Case] = yaml.safe_load(Path(__file__).with_name("rules.yaml").read_text(encoding="utf-8"))
KEYS = {rule: place for place, rule in enumerate(CASES, start=1)} | {"document_key_too_large": 2147483648}


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckResult]:
    """One document per rule that fails it alone, and one (key 0) that meets them all."""
    world = World(tmp_path_factory.mktemp("rules"))
    spoiled = [
        document(KEYS[rule], **{f"ok_{rule}": False} if rule in VERDICTS else {}, **case.get("given", {}))
        for rule, case in CASES.items()
    ]
    world.put(document(0), *spoiled)
    yield run_checks(world.ctx)
    world.close()


def test_each_rule_has_a_case() -> None:
    assert set(CASES) == set(load_rules().rules) - {"voucher_incomplete"}


@pytest.mark.parametrize("rule", CASES)
def test_a_failed_rule_says_what_to_do_about_it(checked: CheckResult, rule: str) -> None:
    verdicts = checked.verdicts[KEYS[rule]]
    assert [(verdict.rule, verdict.message) for verdict in verdicts] == [(rule, LABEL + CASES[rule]["message"])]


def test_a_document_that_meets_every_rule_has_no_verdict(checked: CheckResult) -> None:
    assert checked.checked == len(CASES) + 1
    assert 0 not in checked.verdicts


def test_critical_rules_hold_and_warnings_do_not(checked: CheckResult) -> None:
    critical = {KEYS[rule] for rule in CASES if load_rules().rules[rule].severity == CRITICAL}
    assert checked.held == critical
    assert checked.warned == set(KEYS.values()) - critical


def test_an_empty_verdict_fails_its_rule(tmp_path_factory: pytest.TempPathFactory) -> None:
    world = World(tmp_path_factory.mktemp("undecided"))
    world.put(document(1, ok_period_closed=None), document(2))
    result = run_checks(world.ctx)
    world.close()
    assert result.held == {1}
    assert result.verdicts[1][0].message == (
        LABEL
        + "period is closed (this cannot be decided, because a value it depends on is empty). In Xledger, open the "
        "period for the company's entity, or correct the document date in the VMS."
    )


def test_a_rule_that_is_switched_off_holds_nothing_and_is_told(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put(
        document(1, ok_partner_is_charterer=False),
        document(2, ok_partner_types_unreadable=False),
        document(3, ok_partner_is_charterer=False, ok_due_date_missing=False),
    )
    assert run_checks(world.ctx).held == {1, 2, 3}
    told: list[str] = []
    assert check_documents(replace(world.switch_off("partner_is_charterer"), tell=told.append)).held == 1
    assert told == ["Switched off by the settings (posting.rules_off): partner_is_charterer (partner is a charterer)."]
    # Switched on again it counts again, though no document has changed.
    assert check_documents(world.ctx).held == 3
    world.close()


def test_a_dry_run_tells_what_is_left_alone_and_keeps_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put(document(1))
    world.warehouse.execute("INSERT INTO map.left_companies VALUES ('28602', 2)")
    told: list[str] = []
    check_documents(replace(world.batch(is_dry_run=True), tell=told.append))
    assert told == ["Left alone, as companies_others in the settings says: 28602 (2 documents)."]
    assert left_alone(world.control) == {}
    check_documents(world.ctx)
    assert left_alone(world.control) == {"28602": 2}
    world.close()


def test_the_settings_may_switch_off_what_the_rules_say() -> None:
    assert {name for name, rule in load_rules().rules.items() if rule.may_be_off} == {*RULES_THAT_MAY_BE_OFF}


@pytest.mark.parametrize("name", ["voucher_not_balanced", "partner_is_chartrer"])
def test_no_other_rule_may_be_switched_off(name: str) -> None:
    with pytest.raises(SettingsError, match=f"no rule that may be switched off: {name}; these may"):
        load_settings(None, environ={**SETTINGS, "SPRINGLINE_POSTING__RULES_OFF": name})
