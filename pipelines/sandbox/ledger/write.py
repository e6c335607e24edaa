"""Mutations: add, update and remove, all nodes or none, answered in input order (docs/systems/ledger.md#1-6 and #3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphql import GraphQLInputObjectType

from pipelines.sandbox.ledger.entities import reach
from pipelines.sandbox.ledger.errors import GraphqlFault, RefusedError
from pipelines.sandbox.ledger.import_items import import_item
from pipelines.sandbox.ledger.partners import company, customer, supplier
from pipelines.sandbox.ledger.refs import ReferenceResolver
from pipelines.sandbox.ledger.schema import schema
from pipelines.sandbox.ledger.store import RowChanges
from pipelines.sandbox.ledger.subscriptions import webhook
from pipelines.sandbox.ledger.values import LedgerType, Row
from pipelines.sandbox.ledger.work import Node, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pipelines.sandbox.ledger.settings import ServedLedgerSettings
    from pipelines.sandbox.ledger.store import LedgerStore

# Official (docs/systems/ledger.md#1-6).
MAX_NODES = 500


def _project(work: Work, node: Node) -> Row:
    row: Row = {"allowPosting": True, "billable": False, "external": False} | work.row(node)
    work.resolver.require(row, "code", "description")
    return row


def _object_value(work: Work, node: Node) -> Row:
    row: Row = {"posting": True} | work.row(node)
    # The definition names the kind that a value belongs to (docs/systems/ledger.md#l16).
    row["objectKindDbId"] = row.get("definitionDbId")
    work.resolver.require(row, "code", "description", "definition")
    return row


def _xgl_dimension(work: Work, node: Node) -> Row:
    row: Row = {"allowPosting": True} | work.row(node)
    work.resolver.require(row, "code", "description")
    return row


def _bank_account(work: Work, node: Node) -> Row:
    row = work.row(node)
    work.resolver.require(row, "bankAccount")
    return row


class _Kind(NamedTuple):
    table: str
    build: Callable[[Work, Node], Row]
    only: LedgerType | None = None


# A code that exists is not refused: codes are not unique, and a client has to look first (docs/systems/ledger.md#3-8).
_KINDS: dict[str, _Kind] = {
    "Suppliers": _Kind("subledgers", supplier, LedgerType.AP),
    "Customers": _Kind("subledgers", customer, LedgerType.AR),
    "Companies": _Kind("companies", company),
    "Projects": _Kind("projects", _project),
    "ObjectValues": _Kind("object_values", _object_value),
    "XGLDimensions": _Kind("xgl_dimensions", _xgl_dimension),
    "BankAccounts": _Kind("bank_accounts", _bank_account),
    "GLImportItems": _Kind("import_items", import_item),
    "Webhooks": _Kind("webhooks", webhook),
}
_REMOVABLE = {"removeBankAccounts": "bank_accounts", "removeWebhooks": "webhooks"}


def mutate(
    store: LedgerStore,
    name: str,
    arguments: Row,
    *,
    own: int,
    settings: ServedLedgerSettings,
    files: Mapping[str, bytes],
    now: datetime,
    token: str = "",
) -> tuple[Row, list[GraphqlFault]]:
    """Run one root field for the token of ``own``; raises RefusedError when a node is bad and nothing was written.

    ``files`` are the parts of the request that a node may name; ``token`` is the token itself.

    With ``atomic_mutations`` off the good nodes are written, and the faults of the others come back beside them.
    """
    if name in _REMOVABLE:
        return _remove(store, _REMOVABLE[name], arguments["dbIds"], own=own, now=now), []
    verb, plural = (name[:3], name[3:]) if name.startswith("add") else (name[:6], name[6:])
    inputs: list[Row] = arguments["inputs"]
    if len(inputs) > MAX_NODES:
        raise RefusedError(
            GraphqlFault(f"inputs: At most {MAX_NODES} nodes are allowed per mutation, not {len(inputs)}.")
        )
    input_type = _input_type(f"{verb.capitalize()}{plural}InputNode")
    work = Work(store, ReferenceResolver(store, own=own), settings, input_type, files, token, now)
    changes = RowChanges()
    edges = []
    for item in inputs:
        row = _built(work, _KINDS[plural], item, changes, is_new=verb == "add")
        edges.append({"clientId": item.get("clientId"), "node": row})
    faults = work.resolver.faults
    # All or nothing is assumed (docs/systems/ledger.md#l1).
    if faults and (settings.atomic_mutations or not changes.puts):
        raise RefusedError(*faults)
    store.commit(changes, now=now)
    return {"edges": edges or None}, faults


def _built(work: Work, kind: _Kind, item: Row, changes: RowChanges, *, is_new: bool) -> Row | None:
    """Build the rows of one node and take them into ``changes`` when nothing is wrong with it."""
    values, known = item["node"], len(work.resolver.faults)
    old = None if is_new else _old(work, kind, values.get("dbId"), changes)
    if old is None and not is_new:
        return None
    # An update does not move a row to another entity, unless it names one.
    owner = old["ownerDbId"] if old is not None and not values.get("owner") else work.resolver.owner(values)
    node = Node(values, owner, old, item.get("clientId"), RowChanges())
    row = kind.build(work, node)
    if len(work.resolver.faults) > known:
        return None
    changes.puts.update(node.changes.puts)
    return changes.put(kind.table, row)


def _old(work: Work, kind: _Kind, db_id: int | None, changes: RowChanges) -> Row | None:
    # One mutation may update a row twice; the second update continues from the first.
    row = changes.puts.get((kind.table, db_id or 0)) or work.store.tables[kind.table].rows.get(db_id or 0)
    is_seen = row is not None and row["ownerDbId"] in work.resolver.reach
    if row is None or not is_seen or (kind.only is not None and row["ledgerTypeDbId"] != kind.only):
        work.resolver.faults.append(GraphqlFault(f"dbId: No value matching owner {work.resolver.own}, dbId '{db_id}'."))
        return None
    return row


def _input_type(name: str) -> GraphQLInputObjectType:
    found = schema().type_map[name]
    if not isinstance(found, GraphQLInputObjectType):
        raise TypeError(name)
    return found


def _remove(store: LedgerStore, table: str, db_ids: list[int], *, own: int, now: datetime) -> Row:
    changes, seen = RowChanges(), reach(store, own)
    rows = [store.tables[table].rows.get(db_id) for db_id in dict.fromkeys(db_ids)]
    for row in rows:
        if row is not None and row["ownerDbId"] in seen:
            changes.remove(table, row)
    gone = {db_id for _, db_id in changes.removed}
    store.commit(changes, now=now)
    return {"numAffected": len(gone), "skippedDbIds": [str(db_id) for db_id in db_ids if db_id not in gone]}
