"""Runs a prepared document: root fields through resolvers, rows through projections compiled from the selection.

The schema has no interfaces and every field below a root field is a column or a reference, so a selection becomes one
closure per object. graphql-core's own executor needs about 10 µs a field, which is half a second for a page of rows.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_object_type,
)
from graphql.execution.values import get_argument_values, get_directive_values
from graphql.utilities import coerce_input_value, validate_input_value

from pipelines.sandbox.ledger.errors import GraphqlFault, RefusedError
from pipelines.sandbox.ledger.values import Row, period_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from graphql import FragmentDefinitionNode, GraphQLError, GraphQLInputType, ValueNode
    from graphql.execution.values import VariableValues

    Step: TypeAlias = Callable[[Row], Any]

# Types that give their dbId as a string; all others give a number (docs/systems/ledger.md#1-5, #10-3 to #10-8).
_STRING_IDS = frozenset({
    "APTransaction", "APTransactionDelta", "ARTransaction", "ARTransactionDelta", "BankAccount", "ExchangeRate",
    "GLImportItem", "GLImportItemError", "ObjectKind", "PeriodStatusItem", "Webhook", "XGLDimension",
})  # fmt: skip
# Objects that only group columns of their parent.
_SAME_ROW = frozenset({"glDimension", "address"})
# References whose column is not the field's name with DbId behind it.
_LINKS = {"transactionHeader": "headerDbId", "parent": "parentDbId"}


class Selection:
    """Compiles the selections of one operation, with its fragments and variables, for rows kept by dbId."""

    def __init__(
        self,
        rows: Mapping[int, Row],
        *,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: VariableValues,
    ) -> None:
        self._rows = rows
        self._fragments = fragments
        self._variables = variables

    def collect(self, selection_sets: Iterable[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        """List the fields by response key, fragments and directives resolved."""
        found: dict[str, list[FieldNode]] = {}
        for selection_set in selection_sets:
            self._collect(selection_set, found)
        return found

    def arguments(self, parent: GraphQLObjectType, node: FieldNode) -> dict[str, Any]:
        """Give the coerced arguments of a field; raises RefusedError for a value of a wrong type.

        Variables may be declared with another type than their place has, so their values are coerced once more.
        """
        field = parent.fields[node.name.value]
        found = get_argument_values(field, node, self._variables)
        for argument in node.arguments or ():
            name, wanted = argument.name.value, field.args[argument.name.value].type
            if name in found and self._declared(argument.value) != str(wanted):
                found[name] = _coerced(found[name], name, wanted)
        return found

    def project(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> Step:
        """Compile the value of a field, from its parent's row."""
        name = nodes[0].name.value
        if name == "__typename":
            return lambda _: parent.name
        field = parent.fields[name]
        named = get_named_type(field.type)
        if not is_object_type(named):
            return _leaf(parent.name, name, named.name)
        members = self.row(named, nodes)
        if is_list_type(get_nullable_type(field.type)):
            return lambda row: None if (found := row.get(name)) is None else [members(member) for member in found]
        reference = self._reference(name)
        return lambda row: None if (found := reference(row)) is None else members(found)

    def row(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> Callable[[Row], Row]:
        """Compile what is selected of an object."""
        chosen = self.collect(node.selection_set for node in nodes if node.selection_set)
        steps = [(key, self.project(parent, found)) for key, found in chosen.items()]
        return lambda row: {key: step(row) for key, step in steps}

    def _declared(self, value: ValueNode) -> str | None:
        """Give the type a variable was declared with, None for anything but a variable."""
        source = self._variables.sources.get(value.name.value) if isinstance(value, VariableNode) else None
        return None if source is None else str(source.signature.type)

    def _reference(self, name: str) -> Callable[[Row], Row | None]:
        if name in _SAME_ROW:
            return lambda row: row
        if name == "period":
            # Periods are not stored: the dbId itself contains year and month (values.period_id).
            return lambda row: None if (db_id := row.get("periodDbId")) is None else period_row(db_id)
        link, rows = _LINKS.get(name, f"{name}DbId"), self._rows

        def referred(row: Row) -> Row | None:
            # No row has the dbId 0. Entries of a list, such as glSetupEntries, contain their objects.
            return rows.get(row.get(link, 0)) or _inline(row.get(name))

        return referred

    def _collect(self, selection_set: SelectionSetNode, found: dict[str, list[FieldNode]]) -> None:
        for node in selection_set.selections:
            if not self._is_wanted(node):
                continue
            if isinstance(node, FieldNode):
                found.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                self._collect(node.selection_set, found)
            elif isinstance(node, FragmentSpreadNode):
                # A circle of fragments was refused by validation.
                self._collect(self._fragments[node.name.value].selection_set, found)

    def _is_wanted(self, node: Any) -> bool:  # noqa: ANN401 (one of three node classes, all of which have directives)
        if not node.directives:
            return True
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return not (skip or {}).get("if", False) and bool((include or {}).get("if", True))


def _coerced(value: object, name: str, wanted: GraphQLInputType) -> object:
    faults: list[GraphqlFault] = []

    def refuse(error: GraphQLError, path: list[str | int]) -> None:
        faults.append(GraphqlFault(f"{'.'.join([name, *map(str, path)])}: {error.message}"))

    validate_input_value(value, wanted, refuse)
    if faults:
        raise RefusedError(*faults)
    return coerce_input_value(value, wanted)


def _inline(value: object) -> Row | None:
    return cast("Row", value) if isinstance(value, dict) else None


def _leaf(parent: str, name: str, scalar: str) -> Step:
    if name == "dbId" and parent in _STRING_IDS:
        return lambda row: str(row["dbId"])
    if scalar == "Float":
        # A Decimal becomes a JSON number with the stored digits; a float could change them.
        return lambda row: None if (value := row.get(name)) is None else Decimal(str(value))
    return lambda row: row.get(name)
