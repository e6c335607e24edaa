"""The schema the ledger serves, its lenient scalars, and documents parsed and validated once per text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec
from graphql import (
    DocumentNode,
    FloatValueNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLScalarType,
    GraphQLSchema,
    IntValueNode,
    OperationDefinitionNode,
    StringValueNode,
    ValueNode,
    build_schema,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import VariablesInAllowedPositionRule

from pipelines.sandbox.ledger.errors import GraphqlFault

if TYPE_CHECKING:
    from collections.abc import Callable

# A document may contain the values of 500 nodes.
_MAX_TOKENS = 200_000
_CACHED_DOCUMENTS = 500
_LONGEST_CACHED = 20_000
# No currency has more than four decimals; how many the real ledger takes is not known.
_MONEY = re.compile(r"[+-]?\d{1,15}(\.\d{1,4})?")
_INTEGER = re.compile(r"-?\d{1,18}")


# Still a float, because graphql-core takes nothing else for a Float.
class ExactFloat(float):
    """A JSON number that keeps its digits, for the amounts that arrive as plain numbers."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Read the number from its JSON text."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def _money(value: object) -> str:
    # Amounts come as text and as numbers (docs/systems/ledger.md#1-5); neither may become a binary fraction.
    text = value.text if isinstance(value, ExactFloat) else str(value)
    if isinstance(value, bool) or not _MONEY.fullmatch(text):
        raise GraphQLError(f"MoneyString cannot represent value: {text[:50]!r}")
    return text


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str) or not _INTEGER.fullmatch(str(value)):
        raise GraphQLError(f"Int64String cannot represent value: {str(value)[:50]!r}")
    return int(value)


def _date(value: object) -> str:
    try:
        return date.fromisoformat(_text(value, r"\d{4}-\d\d-\d\d")).isoformat()
    except ValueError:
        raise GraphQLError(f"DateString must be yyyy-MM-dd, not {str(value)[:50]!r}") from None


def _date_time(value: object) -> str:
    """Take local time only: a zone would silently be read as Norwegian time."""
    try:
        text = _text(value, r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,7})?)?)?")
        datetime.fromisoformat(text[:26])
    except ValueError:
        raise GraphQLError(f"DateTimeString must be yyyy-MM-ddTHH:mm:ss, not {str(value)[:50]!r}") from None
    return text


def _text(value: object, pattern: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise ValueError(pattern)
    return value


SCALARS: dict[str, Callable[[object], Any]] = {
    "MoneyString": _money,
    "Int64String": _integer,
    "DateString": _date,
    "DateTimeString": _date_time,
}


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    """Build the schema of the packaged SDL, with scalars that take what the real API takes."""
    built = build_schema(Path(__file__).with_name("schema.graphql").read_text("utf-8"))
    for name, coerce in SCALARS.items():
        scalar = built.type_map[name]
        if isinstance(scalar, GraphQLScalarType):
            scalar.coerce_input_value = coerce
            scalar.coerce_input_literal = _literal(coerce)
    return built


def _literal(coerce: Callable[[object], Any]) -> Callable[[ValueNode], Any]:
    def from_literal(node: ValueNode) -> object:
        if not isinstance(node, IntValueNode | FloatValueNode | StringValueNode):
            raise GraphQLError("a string or a number is expected")
        return coerce(node.value)

    return from_literal


def as_decimal(value: object) -> Decimal:
    """Read an amount or a rate as it stands in a filter or a row."""
    try:
        return Decimal(value.text if isinstance(value, ExactFloat) else str(value))
    except InvalidOperation:
        raise GraphQLError(f"{str(value)[:50]!r} is no number") from None


class GraphqlRequest(msgspec.Struct):
    """What is sent to the endpoint, and what a webhook's serializedPayload holds."""

    query: str
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815 (the name on the wire)


_decoder = msgspec.json.Decoder(GraphqlRequest, float_hook=ExactFloat)


def read_request(body: bytes | str) -> GraphqlRequest:
    """Read a request from its JSON; raises ValueError, or RecursionError where it is nested too deeply."""
    return _decoder.decode(body)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that was parsed and validated; ``faults`` is empty where it may run."""

    document: DocumentNode | None
    faults: tuple[GraphqlFault, ...] = ()
    fragments: dict[str, FragmentDefinitionNode] = field(default_factory=dict)

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """Give the operation to run: the one of that name, or the only one."""
        if self.document is None:
            return None
        found = [node for node in self.document.definitions if isinstance(node, OperationDefinitionNode)]
        if name:
            found = [node for node in found if node.name and node.name.value == name]
        return found[0] if len(found) == 1 else None


def prepare(query: str) -> Prepared:
    """Parse and validate a document, once per text unless it is long (then it carries its values in itself).

    VariablesInAllowedPosition is left out: the real API lets a String variable stand for a date
    (docs/systems/ledger.md#1-5).
    """
    return _cached(query) if len(query) <= _LONGEST_CACHED else _prepare(query)


def _prepare(query: str) -> Prepared:
    try:
        document = parse(query, no_location=True, max_tokens=_MAX_TOKENS)
    except GraphQLError as error:
        return Prepared(None, (GraphqlFault(error.message, "SYNTAX_ERROR"),))
    rules = [rule for rule in specified_rules if rule is not VariablesInAllowedPositionRule]
    if validate(schema(), document, rules):
        # Rule by rule, since an error does not say which rule it came from and the code is the rule's name.
        by_rule = [(rule.__name__, validate(schema(), document, [rule])) for rule in rules]
        return Prepared(
            None, tuple(GraphqlFault(error.message, _code(name)) for name, errors in by_rule for error in errors)
        )
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    return Prepared(document, (), fragments)


_cached = lru_cache(maxsize=_CACHED_DOCUMENTS)(_prepare)


def _code(rule: str) -> str:
    """Name a rule as the API does: ValuesOfCorrectTypeRule is ARGUMENTS_OF_CORRECT_TYPE.

    >>> _code("FieldsOnCorrectTypeRule")
    'FIELDS_ON_CORRECT_TYPE'
    """
    if rule == "ValuesOfCorrectTypeRule":
        return "ARGUMENTS_OF_CORRECT_TYPE"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", rule.removesuffix("Rule")).upper()
