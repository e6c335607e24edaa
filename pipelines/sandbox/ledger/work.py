"""What the builders of rows are given: the mutation they belong to, and the node they build from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from graphql import GraphQLInputObjectType

    from pipelines.sandbox.ledger.refs import ReferenceResolver
    from pipelines.sandbox.ledger.settings import ServedLedgerSettings
    from pipelines.sandbox.ledger.store import LedgerStore, RowChanges
    from pipelines.sandbox.ledger.values import Row


@dataclass(frozen=True, slots=True)
class Node:
    """One input node: its values, its entity, the row it changes (None when it adds one), what else it writes."""

    values: Row
    owner: int
    old: Row | None
    client_id: str | None
    changes: RowChanges


@dataclass(frozen=True, slots=True)
class Work:
    """What the nodes of one mutation share, the token and the files of its request too.

    Faults are collected by the resolver.
    """

    store: LedgerStore
    resolver: ReferenceResolver
    settings: ServedLedgerSettings
    input_type: GraphQLInputObjectType
    files: Mapping[str, bytes]
    token: str
    now: datetime

    def columns(self, node: Node) -> Row:
        """Turn the values of a node into columns, references resolved."""
        return self.resolver.columns(node.values, input_type=self.input_type, owner=node.owner)

    def row(self, node: Node) -> Row:
        """Give the row as it will stand: the old one with the given columns over it, or a new one."""
        columns = self.columns(node) | {"ownerDbId": node.owner}
        # In an update this names the row; it is no column.
        columns.pop("dbId", None)
        return {**node.old, **columns} if node.old is not None else self.store.new(**columns)
