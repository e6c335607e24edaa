"""What follows from a contract: the paths to ask for, the tree of members, the Arrow schema, the tables and columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from pipelines.contracts.contract import Form, MemberKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

    from pipelines.contracts.contract import Contract, Member

# Names of columns with their DuckDB types, in order.
Columns = list[tuple[str, str]]

# 38 digits are the most that both Arrow's decimal128 and DuckDB hold.
DECIMAL = "DECIMAL(38,18)"
# Of each kind the type of its column; what its JSON is parsed with stands in _arrow_types.
TYPES: Mapping[MemberKind, str] = {
    MemberKind.TEXT: "VARCHAR",
    MemberKind.INTEGER: "BIGINT",
    MemberKind.AMOUNT: DECIMAL,
    MemberKind.RATE: DECIMAL,
    MemberKind.MONEY_TEXT: DECIMAL,
    MemberKind.BOOLEAN: "BOOLEAN",
    MemberKind.TIMESTAMP: "TIMESTAMP",
    MemberKind.DATE: "DATE",
    MemberKind.ID: "BIGINT",
}
# Columns that landing adds, behind those of the contract. A child row counts only while its fetch_id is that of its
# parent: this is how a line that was removed on the other side is gone here without a delete.
PARENT_EXTRAS = (("fetch_id", "VARCHAR"), ("fetched_at", "TIMESTAMP"), ("content_hash", "VARCHAR"))
CHILD_EXTRAS = (("position", "INTEGER"), ("fetch_id", "VARCHAR"))

_STEP = re.compile(r"(?P<name>\w+)(?P<first>\[0\])?")


@dataclass(slots=True)
class TreeNode:
    """One member of the tree: a value of a kind, or an object (or a list of objects) with members of its own."""

    kind: MemberKind | None = None
    is_required: bool = False
    is_list: bool = False
    # The objects of a child table may not be null; of any other list only the first is looked at.
    is_child_list: bool = False
    members: dict[str, TreeNode] = field(default_factory=dict)

    @property
    def arrow_type(self) -> pa.DataType:
        """The Arrow type of the member."""
        if self.kind is not None:
            return _arrow_types()[self.kind]
        import pyarrow as pa  # noqa: PLC0415 as in _arrow_types

        struct = pa.struct([(name, node.arrow_type) for name, node in self.members.items()])
        return pa.list_(struct) if self.is_list else struct


def paths(contract: Contract) -> list[str]:
    """Return the dotted paths to ask the other side for, children's included; lists are not marked."""
    asked = [member.path for member in contract.members]
    for children in contract.children:
        asked += [path for _, path in children.located]
    return [path.replace("[0]", "") for path in dict.fromkeys(asked)]


@cache
def tree(contract: Contract) -> TreeNode:
    """Return the tree that a contract's paths make.

    >>> from pipelines.contracts.contract import Contract, text
    >>> import pyarrow as pa
    >>> pa.schema(tree(Contract("Ship", "ships", "k", (text("c", "codes[0].code"),))).arrow_type)
    codes: list<item: struct<code: string>>
      child 0, item: struct<code: string>
          child 0, code: string
    """
    root = TreeNode()
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


def _grow(node: TreeNode, members: Iterable[Member]) -> None:
    for member in members:
        leaf = _branch(node, member.path)
        leaf.kind, leaf.is_required = member.kind, member.required


def _branch(node: TreeNode, path: str) -> TreeNode:
    # Paths that begin alike share their branch, so each member is parsed once.
    for name, is_first_of_list in steps(path):
        node = node.members.setdefault(name, TreeNode())
        node.is_list = node.is_list or is_first_of_list
    return node


@cache
def _arrow_types() -> Mapping[MemberKind, pa.DataType]:
    import pyarrow as pa  # noqa: PLC0415 a question asks for columns alone, and to import it takes a tenth of a second

    decimal = pa.decimal128(38, 18)
    return {
        MemberKind.TEXT: pa.string(),
        MemberKind.INTEGER: pa.int64(),
        MemberKind.AMOUNT: decimal,
        MemberKind.RATE: decimal,
        MemberKind.MONEY_TEXT: decimal,
        MemberKind.BOOLEAN: pa.bool_(),
        MemberKind.TIMESTAMP: pa.timestamp("us"),
        # A day may come with a time behind it, which the cast to DATE cuts off.
        MemberKind.DATE: pa.timestamp("us"),
        # A decimal is the one type that pyarrow.json reads from 5 and from "5" alike.
        MemberKind.ID: pa.decimal128(38, 0),
    }


@cache
def arrow_schema(contract: Contract) -> pa.Schema:
    """Return the schema that the objects of a contract are parsed with."""
    import pyarrow as pa  # noqa: PLC0415 as in _arrow_types

    return pa.schema([(name, node.arrow_type) for name, node in tree(contract).members.items()])


def tables_of(contract: Contract) -> dict[str, Columns]:
    """Return the tables of a contract with their columns: its own first, then those of its nested lists.

    A child table has the parent's key in front, and behind its own columns its position in the list.
    """
    tables = {contract.table: [*_columns(contract.members), *PARENT_EXTRAS]}
    for children in contract.children:
        tables[children.table] = [(contract.key, "BIGINT"), *_columns(children.columns), *CHILD_EXTRAS]
    return tables


def codes_of(contract: Contract) -> dict[str, list[tuple[Member, str]]]:
    """Return the members of each table that are cleaned on their way, with their paths in the whole object."""
    located = {contract.table: tuple((member, member.path.replace("[0]", "")) for member in contract.members)}
    located |= {children.table: children.located for children in contract.children}
    return {
        table: [(member, path) for member, path in members if member.form is not Form.AS_IT_CAME]
        for table, members in located.items()
    }


def _columns(members: Iterable[Member]) -> Columns:
    return [(member.column, TYPES[member.kind]) for member in members]
