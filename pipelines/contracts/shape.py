"""What follows from a contract: the paths to ask for, the tree of members, the Arrow schema, the columns, the SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.contracts.contract import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipelines.contracts.contract import Children, Contract, Member

AMOUNT_TYPE = pa.decimal128(38, 18)
ARROW_TYPES: Mapping[Kind, pa.DataType] = {
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.AMOUNT: AMOUNT_TYPE,
    Kind.RATE: AMOUNT_TYPE,
    Kind.MONEY_TEXT: AMOUNT_TYPE,
    Kind.BOOLEAN: pa.bool_(),
    Kind.TIMESTAMP: pa.timestamp("us"),
    # A day may come with a time behind it, which the cast to DATE cuts off.
    Kind.DATE: pa.timestamp("us"),
    # A decimal is the one type that pyarrow.json reads from 5 and from "5" alike.
    Kind.ID: pa.decimal128(38, 0),
}
SQL_TYPES: Mapping[Kind, str] = {
    Kind.TEXT: "VARCHAR",
    Kind.INTEGER: "BIGINT",
    Kind.AMOUNT: "DECIMAL(38,18)",
    Kind.RATE: "DECIMAL(38,18)",
    Kind.MONEY_TEXT: "DECIMAL(38,18)",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.TIMESTAMP: "TIMESTAMP",
    Kind.DATE: "DATE",
    Kind.ID: "BIGINT",
}
# Columns that landing adds, behind those of the contract.
PARENT_EXTRAS = (("fetch_id", "VARCHAR"), ("fetched_at", "TIMESTAMP"), ("content_hash", "VARCHAR"))
CHILD_EXTRAS = (("position", "INTEGER"), ("fetch_id", "VARCHAR"))

_STEP = re.compile(r"(?P<name>\w+)(?P<first>\[0\])?")


@dataclass(slots=True)
class Node:
    """One member of the tree: a value of a kind, or an object (or a list of objects) with members of its own."""

    kind: Kind | None = None
    is_required: bool = False
    is_list: bool = False
    # The objects of a child table may not be null; of any other list only the first is looked at.
    is_child_list: bool = False
    members: dict[str, Node] = field(default_factory=dict)

    @property
    def arrow_type(self) -> pa.DataType:
        """The Arrow type of the member."""
        if self.kind is not None:
            return ARROW_TYPES[self.kind]
        struct = pa.struct([(name, node.arrow_type) for name, node in self.members.items()])
        return pa.list_(struct) if self.is_list else struct


def paths(contract: Contract) -> list[str]:
    """Return the dotted paths to ask the other side for, children's included; lists are not marked."""
    wanted = [member.path for member in contract.members]
    for children in contract.children:
        wanted += [f"{children.path}.{member.path}" for member in children.members]
    return [path.replace("[0]", "") for path in wanted]


@cache
def tree(contract: Contract) -> Node:
    """Return the tree that a contract's paths make.

    >>> from pipelines.contracts.contract import Contract, text
    >>> pa.schema(tree(Contract("Ship", "ships", "k", (text("c", "codes[0].code"),))).arrow_type)
    codes: list<item: struct<code: string>>
      child 0, item: struct<code: string>
          child 0, code: string
    """
    root = Node()
    _grow(root, contract.members)
    for children in contract.children:
        branch = _branch(root, children.path)
        branch.is_list = branch.is_child_list = True
        _grow(branch, children.members)
    return root


def steps(path: str) -> list[tuple[str, bool]]:
    """Cut a member's path into names, each with whether the first element of a list is meant.

    >>> steps("vesselCodes[0].vesselCode")
    [('vesselCodes', True), ('vesselCode', False)]
    """
    return [(step["name"], bool(step["first"])) for step in _STEP.finditer(path)]


def _grow(node: Node, members: Iterable[Member]) -> None:
    for member in members:
        leaf = _branch(node, member.path)
        leaf.kind, leaf.is_required = member.kind, member.required


def _branch(node: Node, path: str) -> Node:
    for name, is_first_of_list in steps(path):
        node = node.members.setdefault(name, Node())
        node.is_list = node.is_list or is_first_of_list
    return node


@cache
def arrow_schema(contract: Contract) -> pa.Schema:
    """Return the schema that the objects of a contract are parsed with."""
    return pa.schema([(name, node.arrow_type) for name, node in tree(contract).members.items()])


def parent_columns(contract: Contract) -> list[tuple[str, str]]:
    """Return the columns of a contract's table with their DuckDB types."""
    return [*((m.column, SQL_TYPES[m.kind]) for m in contract.members), *PARENT_EXTRAS]


def child_columns(contract: Contract, children: Children) -> list[tuple[str, str]]:
    """Return the columns of a child table: the parent's key in front, then its own, its place and the fetch."""
    own = [(m.column, SQL_TYPES[m.kind]) for m in children.members]
    return [(contract.key, "BIGINT"), *own, *CHILD_EXTRAS]


def list_expression(children: Children) -> str:
    """Return the DuckDB expression of a nested list in an object ``o``."""
    return "o." + ".".join(f'"{name}"' for name in children.path.split("."))
