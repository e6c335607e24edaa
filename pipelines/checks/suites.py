"""The expectation suites and the rules they hold, read as data and without Great Expectations."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.errors import CheckError
from pipelines.core.resources import expectations_folder

if TYPE_CHECKING:
    from pathlib import Path

CRITICAL: Final = "critical"
WARNING: Final = "warning"
# What stands in the place of a rule where a person holds a document.
HELD_BY_PERSON: Final = "held_by_person"
SYSTEMS = ("VMS", "Xledger", "Springline settings")
DEFINITION = ("title", "finding", "system", "next_step", "source")


@dataclass(frozen=True, slots=True)
class Rule:
    """One posting requirement in an accountant's words.

    ``findings`` are templates of what was found, ``next_step`` of what to change and in which ``system``; both name
    columns of the checked table in braces. ``source`` is where the rule is laid down. ``may_be_off`` when the settings
    may switch it off (posting.rules_off); a rule that ``stands_for`` another is off with that one.
    """

    name: str
    severity: str
    title: str
    findings: tuple[str, ...]
    system: str
    next_step: str
    source: str
    may_be_off: bool = False
    stands_for: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """One suite: its JSON as Great Expectations reads it, and the columns its expectations read."""

    name: str
    document: str
    columns: frozenset[str]
    undecided: str
    expectations: tuple[Mapping[str, Any], ...]

    def gate(self) -> tuple[Suite, frozenset[str]] | None:
        """Return this suite with one expectation in the place of all that assert verdicts, and the verdicts.

        It is met by the rows that meet every verdict. None when a rule asserts anything else.
        """
        of_rules = [stated for stated in self.expectations if "rule" in stated["meta"]]
        verdicts = frozenset(column for stated in of_rules for column in columns_of(stated))
        if not all(_is_verdict(stated) for stated in of_rules) or len(of_rules) != 2 * len(verdicts):
            return None
        kwargs = {"column_list": sorted(verdicts), "sum_total": len(verdicts), "ignore_row_if": "never"}
        all_met = {"type": "expect_multicolumn_sum_to_equal", "kwargs": kwargs, "meta": {"rule": "any"}}
        stated = (*(stated for stated in self.expectations if "rule" not in stated["meta"]), all_met)
        document = json.dumps({"name": self.name, "expectations": stated})
        columns = frozenset(column for one in stated for column in columns_of(one))
        return Suite(self.name, document, columns, self.undecided, stated), verdicts


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All suites by name, and all rules by name in the order of the suites."""

    suites: Mapping[str, Suite]
    rules: Mapping[str, Rule]

    def without(self, off: Collection[str]) -> frozenset[str]:
        """Return the names of the rules that are off: those named, and those that stand for one of them."""
        return frozenset(rule.name for rule in self.rules.values() if off and {rule.name, rule.stands_for} & {*off})


@cache
def load_rules(folder: Path | None = None) -> RuleBook:
    """Read every suite below ``folder`` (default: the one that travels with the package).

    Raises CheckError that lists every fault of every file.
    """
    root = folder or expectations_folder()
    problems: list[str] = []
    suites: dict[str, Suite] = {}
    # Sorted, so that the order of rules, and with it of messages, is the same on every machine.
    for path in sorted(root.rglob("*.json")):
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        try:
            suites[name] = _read_suite(name, path.read_text(encoding="utf-8"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            problems.append(f"{path} is no expectation suite: {error!r}")
    rules = {} if problems else _collect_rules(suites.values(), problems)
    if problems:
        raise CheckError(
            "Expectations: " + "; ".join(problems),
            next_step="nothing was sent; correct these files in expectations/, or install the release again.",
        )
    return RuleBook(suites, rules)


def _read_suite(name: str, text: str) -> Suite:
    document = json.loads(text)
    if document["name"] != name:
        message = f"its name is {document['name']!r}, its path says {name!r}"
        raise ValueError(message)
    expectations = tuple(document["expectations"])
    columns = frozenset(column for expectation in expectations for column in columns_of(expectation))
    return Suite(name, text, columns, document["meta"]["undecided"], expectations)


def columns_of(expectation: Mapping[str, Any]) -> Iterator[str]:
    """Yield the columns an expectation reads."""
    kwargs = expectation["kwargs"]
    if "column" in kwargs:
        yield kwargs["column"]
    yield from kwargs.get("column_list", ())


def _is_verdict(expectation: Mapping[str, Any]) -> bool:
    """Tell whether an expectation asserts that a verdict is true, or that it was given."""
    kind, kwargs = expectation["type"], expectation["kwargs"]
    return {"type": kind, "kwargs": kwargs} in (
        {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": kwargs.get("column"), "value_set": [True]}},
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": kwargs.get("column")}},
    )


def _collect_rules(suites: Iterable[Suite], problems: list[str]) -> dict[str, Rule]:
    """Make one rule of all expectations that name it; the one with a title defines it."""
    expectations: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for suite in suites:
        for expectation in suite.expectations:
            if "rule" in expectation["meta"]:
                expectations.setdefault(expectation["meta"]["rule"], []).append((suite.name, expectation))
    return {name: _make_rule(name, stated, problems) for name, stated in expectations.items()}


def _make_rule(name: str, stated: Sequence[tuple[str, Mapping[str, Any]]], problems: list[str]) -> Rule:
    where = f"rule {name} in {stated[0][0]}"
    metas = [expectation["meta"] for _, expectation in stated]
    definitions = [meta for meta in metas if "title" in meta] or [{}]
    definition = dict.fromkeys(DEFINITION, "") | definitions[0]
    severities = {expectation["severity"] for _, expectation in stated}
    # Every fault is noted and a rule is made all the same, so that one run shows all faults of all files.
    if len(definitions) > 1 or not all(member in definitions[0] for member in DEFINITION):
        problems.append(f"{where} is not defined once, with {', '.join(DEFINITION)}")
    if severities not in ({CRITICAL}, {WARNING}):
        problems.append(f"{where} is neither {CRITICAL} nor {WARNING} throughout")
    if definition["system"] not in SYSTEMS:
        problems.append(f"{where} names the system {definition['system']!r}, not one of {', '.join(SYSTEMS)}")
    return Rule(
        name=name,
        # One of them only, as was asserted above; of two the choice does not matter, for the fault is raised.
        severity=min(severities),
        title=definition["title"],
        findings=tuple(dict.fromkeys(meta["finding"] for meta in metas if meta.get("finding"))),
        system=definition["system"],
        next_step=definition["next_step"],
        source=definition["source"],
        may_be_off=bool(definition.get("may_be_off")),
        stands_for=definition.get("stands_for", ""),
    )
