"""The filter grammar: ``path(OP)value``, joined by AND or by (OR) and (AND) tokens.

Source: docs/systems/vms.md#1-5, #assumptions.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.sandbox.vms.errors import ApiError
from pipelines.sandbox.vms.index import INDEXED
from pipelines.sandbox.vms.model import ARRAYS, KEY, MODEL, ORDERED, ObjectKind
from pipelines.sandbox.vms.paths import Path, is_null, is_reference, resolve
from pipelines.sandbox.vms.values import operand, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipelines.sandbox.vms.json import Obj
    from pipelines.sandbox.vms.store import VmsStore

# Blanks are accepted here: one may be a + that was not sent as %2B, and paths.resolve explains that.
_CONDITION = re.compile(r"(?P<path>[\w.+ ]+)\((?P<operator>[A-Z]+)\)(?P<value>.*)", re.DOTALL)
_SUB_QUERY = re.compile(r"\(?\{(?P<entity>\w+)\.(?P<path>[\w.+]+)(?P<filters>(?:\[.*\])?)\}\)?", re.DOTALL)
_JOINERS = ("(OR)", "(AND)")
# EQ to IN are documented. NIN, LIKE, NOTNULL and NNULL are guesses, which the product does not use
# (docs/systems/vms.md#v1).
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda value, wanted: value == wanted,
    "NE": lambda value, wanted: value != wanted,
    "GT": lambda value, wanted: value > wanted,
    "GTE": lambda value, wanted: value >= wanted,
    "LT": lambda value, wanted: value < wanted,
    "LTE": lambda value, wanted: value <= wanted,
    "IN": lambda value, wanted: value in wanted,
    "NIN": lambda value, wanted: value not in wanted,
    "LIKE": lambda value, wanted: wanted.fullmatch(value) is not None,
}
_NULL_TESTS: dict[str, Callable[[object], bool]] = {
    "NULL": is_null,
    "NOTNULL": lambda value: not is_null(value),
    "NNULL": lambda value: not is_null(value),
}
_MAX_FILTERS = 100
_MAX_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter: the path it reads, the operator, what it compares with, and the test of one value."""

    path: Path
    operator: str
    wanted: Any
    test: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """All filters of a request, each with whether OR joins it to what stands before it."""

    parts: tuple[tuple[bool, Condition], ...]

    def matches(self, obj: Obj) -> bool:
        """Tell whether an object stays in; a null on an inner join drops it, also beside an OR."""
        verdict = True
        for is_or, condition in self.parts:
            values = condition.path.values(obj)
            if values is None:
                return False
            hit = any(map(condition.test, values))
            # From left to right, without precedence: how AND and OR group is not documented (docs/systems/vms.md#a2).
            verdict = (verdict or hit) if is_or else (verdict and hit)
        return verdict

    def candidates(self, store: VmsStore) -> set[int] | None:
        """Give the fewest keys an index can promise to hold all matches, None when no index helps."""
        if any(is_or for is_or, _ in self.parts):
            return None
        found = [_narrow(store, condition) for _, condition in self.parts]
        return min((keys for keys in found if keys is not None), key=len, default=None)


def compile_filters(store: VmsStore, entity: str, *, texts: Sequence[str], enterprise: bool, depth: int = 0) -> Filter:
    """Read the ``filter`` parameters in their order; raises ApiError 400 for what the grammar does not know.

    Tokens and sub-queries are enterprise functions, which a normal tenant may lack.
    """
    if len(texts) > _MAX_FILTERS:
        raise ApiError(f"At most {_MAX_FILTERS} filters can be given.")
    parts: list[tuple[bool, Condition]] = []
    joiner = ""
    for text in texts:
        if text in _JOINERS:
            if joiner or not parts or not enterprise:
                raise ApiError(f"The operator {text} must stand between two filters and needs enterprise functions.")
            joiner = text
            continue
        condition = _condition(store, entity, text=text, enterprise=enterprise, depth=depth)
        parts.append((joiner == "(OR)", condition))
        joiner = ""
    if joiner:
        raise ApiError(f"The operator {joiner} must stand between two filters.")
    return Filter(tuple(parts))


def _condition(store: VmsStore, entity: str, *, text: str, enterprise: bool, depth: int) -> Condition:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise ApiError(f"Cannot read the filter '{text}': expected property(OPERATOR)value.")
    path = resolve(store, entity, text=found["path"], use="filter")
    operator, value = found["operator"], found["value"]
    if operator in _NULL_TESTS:
        if value:
            raise ApiError(f"The operator ({operator}) takes no value in the filter '{text}'.")
        return Condition(path, operator, None, _NULL_TESTS[operator])
    compare = _COMPARISONS.get(operator)
    if compare is None:
        raise ApiError(f"Unknown operator ({operator}) in the filter '{text}'.")
    _check(path, operator, text)
    sub_query = _SUB_QUERY.fullmatch(value)
    if sub_query is None:
        wanted = _wanted(path, operator, value, text)
    else:
        wanted = _sub_query(store, path, operator, sub_query, enterprise=enterprise, depth=depth)
    return Condition(path, operator, wanted, _test(path, compare, wanted))


def _check(path: Path, operator: str, text: str) -> None:
    kind = path.leaf.kind
    if kind in ARRAYS:
        raise ApiError(f"'{path.leaf.name}' in the filter '{text}' is an array: filter by a property of its elements.")
    if operator in ("GT", "GTE", "LT", "LTE") and kind not in ORDERED:
        raise ApiError(f"({operator}) in the filter '{text}' is only for numbers and dates.")
    if operator == "LIKE" and kind is not ObjectKind.TEXT:
        raise ApiError(f"(LIKE) in the filter '{text}' is only for texts.")


def _test(path: Path, compare: Callable[[Any, Any], bool], wanted: object) -> Callable[[Any], bool]:
    member = path.leaf

    def test(value: object) -> bool:
        # A null, or what is broken, compares with nothing, as in SQL.
        comparable = stored(member, value)
        return comparable is not None and compare(comparable, wanted)

    return test


def _wanted(path: Path, operator: str, value: str, text: str) -> object:
    if operator in ("IN", "NIN"):
        # The documentation writes the list with parentheses and without.
        inner = value[1:-1] if value.startswith("(") and value.endswith(")") else value
        return frozenset(operand(path.leaf, part, text=text) for part in _split(inner))
    if operator == "LIKE":
        return re.compile(".*".join(map(re.escape, _unquoted(value).split("%"))), re.DOTALL)
    return operand(path.leaf, _unquoted(value), text=text)


def _split(text: str) -> list[str]:
    # A quoted text may contain a comma.
    return [part.strip() for part in next(csv.reader([text], skipinitialspace=True), []) if part.strip()]


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _sub_query(
    store: VmsStore, path: Path, operator: str, found: re.Match[str], *, enterprise: bool, depth: int
) -> object:
    if not enterprise or depth >= _MAX_DEPTH:
        raise ApiError(f"Sub-queries need enterprise functions and go at most {_MAX_DEPTH} deep.")
    entity = found["entity"]
    if entity not in MODEL:
        raise ApiError(f"Unknown resource '{entity}' in the sub-query '{found[0]}'.")
    selected = resolve(store, entity, text=found["path"], use="filter")
    # One of the vendor's samples leaves the comma out.
    texts = re.split(r"\]\s*,?\s*\[", found["filters"][1:-1]) if found["filters"] else []
    inner = compile_filters(store, entity, texts=texts, enterprise=enterprise, depth=depth + 1)
    rows = [obj for obj in store.tables[entity].values() if inner.matches(obj)]
    values = {stored(path.leaf, value) for row in rows for value in selected.values(row) or ()} - {None}
    if operator in ("IN", "NIN"):
        return frozenset(values)
    if len(values) != 1:
        raise ApiError(f"The sub-query '{found[0]}' gives {len(values)} values; ({operator}) needs exactly one.")
    return values.pop()


def _narrow(store: VmsStore, condition: Condition) -> set[int] | None:
    path = condition.path
    # From the end of the path back to its start. Each key is still tested, so too many are no fault.
    keys = _at_the_end(store, condition)
    if keys is None:
        return None
    for hop in reversed(path.hops):
        if hop.member.back:
            keys = {parent for key in keys if (parent := hop.table[key].get(hop.member.back)) is not None}
        elif is_reference(hop.member) and hop.member.name in INDEXED[hop.owner]:
            keys = set().union(*(store.indexes.find(hop.owner, hop.member.name, value=key) for key in keys))
        else:
            return None
    return keys


def _at_the_end(store: VmsStore, condition: Condition) -> set[int] | None:
    """Give the keys of the entity at the end of a path whose value an index knows to match."""
    path, leaf = condition.path, condition.path.leaf
    table = store.tables[path.entity]
    if condition.operator == "GTE" and leaf.name == "modifiedDate":
        return set(store.indexes.moved_since(path.entity, condition.wanted, objects=table.values()))
    if condition.operator not in ("EQ", "IN"):
        return None
    wanted = condition.wanted if condition.operator == "IN" else (condition.wanted,)
    if leaf is KEY:
        return {int(value) for value in wanted} & table.keys()
    if leaf.name in INDEXED[path.entity]:
        return set().union(*(store.indexes.find(path.entity, leaf.name, value=value) for value in wanted))
    return None
