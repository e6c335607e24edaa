"""References inside input nodes: objects matched by any one of their keys, among what the node's owner sees."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from graphql import GraphQLInputObjectType, get_named_type

from pipelines.sandbox.ledger.entities import chain, reach
from pipelines.sandbox.ledger.errors import GraphqlFault
from pipelines.sandbox.ledger.values import SYSTEM_VALUES, LedgerType, Row, money

if TYPE_CHECKING:
    from enum import IntEnum

    from pipelines.sandbox.ledger.store import LedgerStore

# Tables by the name of the reference; a name that is not here is a value of some object kind.
_TABLES = {
    "owner": "entities",
    "projectOwner": "entities",
    "transactionSource": "transaction_sources",
    "account": "accounts",
    "subledger": "subledgers",
    "fundRecipient": "subledgers",
    "project": "projects",
    "mainProject": "projects",
    "glObject2": "projects",
    "xgl": "xgl_dimensions",
    "currency": "currencies",
    "country": "countries",
    "country2": "countries",
    "country3": "countries",
    "company": "companies",
    "definition": "object_kinds",
}
_KINDS = {"taxRule": "TAX_RULE", "discountTaxRule": "TAX_RULE"}
_REFERENCES = frozenset({"ObjectRef", "OwnerRef"})
# Kept as they come: the schema has them as references, but nothing of the kind can be created or listed.
_UNRESOLVED = frozenset({"address", "billAddress", "shipAddress"})
_OWNERS = frozenset({"owner", "ownerCode"})
# The first key that is given decides; the others are not looked at.
_KEYS = ("dbId", "code", "ownerCode", "name", "dbSubId", "description")
# Assumed, and partly taken from the file import (docs/systems/ledger.md#a22). Longer texts are refused and not cut, to
# show a client that does not cut them.
_LENGTHS = {
    "code": 25,
    "description": 100,
    "text": 100,
    "invoiceNumber": 25,
    "extIdentifier": 30,
    "bankAccount": 35,
}


class _Target(NamedTuple):
    table: str
    kind_db_id: int | None
    ledger_type: int | None


class ReferenceResolver:
    """Resolves the nodes of one mutation for the token of ``own``; what was found once is remembered."""

    def __init__(self, store: LedgerStore, *, own: int) -> None:
        self._store = store
        self.own = own
        self.reach = reach(store, own)
        self._found: dict[tuple[object, ...], int | GraphqlFault] = {}
        self.faults: list[GraphqlFault] = []

    def owner(self, node: Row) -> int:
        """Give the entity a node is for: the one it names, among those the token reaches, else the token's own."""
        given = node.get("owner") or ({"ownerCode": node["ownerCode"]} if node.get("ownerCode") else None)
        if not given:
            return self.own
        target = _Target("entities", None, None)
        found = self._lookup(given, "owner", target, owner=self.own)
        if isinstance(found, GraphqlFault):
            self.faults.append(found)
            return self.own
        return found

    def columns(self, node: Row, *, input_type: GraphQLInputObjectType, owner: int) -> Row:
        """Turn a node into columns: references become ``…DbId``; what cannot be is added to ``faults``."""
        columns: Row = {}
        ledger_type: int | None = None
        for name, value in node.items():
            if name in _OWNERS:
                continue
            named = get_named_type(input_type.fields[name].type)
            if named.name in _REFERENCES and name not in _UNRESOLVED:
                if name == "subledger":
                    ledger_type = self._ledger_type(node, owner=owner)
                columns[f"{name}DbId"] = self._reference(name, value, owner=owner, ledger_type=ledger_type)
                continue
            if isinstance(value, str) and len(value) > (longest := _LENGTHS.get(name, len(value))):
                self.faults.append(
                    GraphqlFault(f"{name}: Value is too long, at most {longest} characters are allowed.")
                )
            is_amount = named.name == "MoneyString" and value is not None
            columns[name] = money(Decimal(value)) if is_amount else value
        return columns

    def find(self, name: str, value: Row, *, owner: int) -> int | None:
        """Resolve one reference; None, and a fault, where nothing matches."""
        return self._reference(name, value, owner=owner, ledger_type=None)

    def system_value(self, name: str, value: Row | None, kind: type[IntEnum]) -> int | None:
        """Resolve a value of one of the ledger's own code lists by any one of its keys."""
        if not value:
            return None
        for db_id in kind:
            known = SYSTEM_VALUES[db_id]
            if any(given is not None and str(given) == str(known.get(key)) for key, given in value.items()):
                return int(db_id)
        key, given = next(iter(value.items()))
        self.faults.append(GraphqlFault(f"{name}.{key}: No value matching owner {self.own}, {key} '{given}'."))
        return None

    def require(self, columns: Row, *names: str) -> None:
        """Add a fault for each column that is missing or empty, unless its reference was refused already."""
        for name in names:
            is_missing = columns.get(name) in (None, "") and columns.get(f"{name}DbId") is None
            if is_missing and not any(fault.message.startswith(f"{name}.") for fault in self.faults):
                self.faults.append(GraphqlFault(f"{name}: Value is required."))

    def _reference(self, name: str, value: Row | None, *, owner: int, ledger_type: int | None) -> int | None:
        if not value:
            return None
        target = _Target(_TABLES.get(name, "object_values"), self._kind(name, owner=owner), ledger_type)
        # glObject2 is the project, unless the entity was set up with another kind.
        if name == "glObject2" and target.kind_db_id is not None:
            target = target._replace(table="object_values")
        found = self._lookup(value, name, target, owner=owner)
        if isinstance(found, GraphqlFault):
            self.faults.append(found)
            return None
        return found

    def _lookup(self, value: Row, name: str, target: _Target, *, owner: int) -> int | GraphqlFault:
        key = next((key for key in _KEYS if value.get(key) is not None), None)
        if key is None:
            return GraphqlFault(f"{name}: One of the keys {', '.join(_KEYS[:2])} … is required.")
        # A mutation of 500 lines names the same accounts and voyages many times.
        memo = (name, key, value[key], owner, target.kind_db_id, target.ledger_type)
        if memo not in self._found:
            self._found[memo] = self._find(key, value[key], f"{name}.{key}", target, owner=owner)
        return self._found[memo]

    def _find(self, key: str, value: object, path: str, target: _Target, *, owner: int) -> int | GraphqlFault:
        levels = {entity: place for place, entity in enumerate(chain(self._store, owner))}
        if target.table == "entities":
            # An owner must be below the token's entity; everything else is found above the node's
            # (docs/systems/ledger.md#1-2, #l14).
            levels = dict.fromkeys(self.reach, 0)
        seen = [row for row in self._candidates(key, value, target.table) if row.get("ownerDbId") in (None, *levels)]
        if target.kind_db_id is not None:
            seen = [row for row in seen if row["objectKindDbId"] == target.kind_db_id]
        if target.ledger_type is not None and target.table == "subledgers":
            seen = [row for row in seen if row["ledgerTypeDbId"] == target.ledger_type]
        # The nearest entity wins; two of one code on one level cannot be told apart (docs/systems/ledger.md#1-5).
        nearest = min((levels.get(row.get("ownerDbId", 0), 0) for row in seen), default=0)
        seen = [row for row in seen if levels.get(row.get("ownerDbId", 0), 0) == nearest]
        if len(seen) == 1:
            return int(seen[0]["dbId"])
        how_many = "More than one" if seen else "No"
        # `No value …` is the text seen in production, and the product reads it (docs/systems/ledger.md#1-7).
        return GraphqlFault(f"{path}: {how_many} value matching owner {owner}, {key} '{value}'.")

    def _candidates(self, key: str, value: object, name: str) -> list[Row]:
        table = self._store.tables[name]
        if key == "dbId":
            row = table.rows.get(value) if isinstance(value, int) else None
            return [] if row is None else [row]
        # Exact: upper and lower case and blanks count (docs/systems/ledger.md#l13).
        column = {"ownerCode": "code"}.get(key, key)
        if name == "object_kinds":
            column = "name"
        if column in table.index:
            return table.having(column, str(value))
        return [row for row in table.rows.values() if row.get(column) == value]

    def _kind(self, name: str, *, owner: int) -> int | None:
        """Give the object kind a reference must be of: fixed, or set up for the entity or one above it."""
        if name in _KINDS:
            kinds = self._store.tables["object_kinds"].having("name", _KINDS[name])
            # No kind has the id -1: nothing matches, and the reference is refused.
            return kinds[0]["dbId"] if kinds else -1
        if not name.startswith("glObject"):
            return None
        for entity in chain(self._store, owner):
            for entry in self._store.rows[entity].get("glSetupEntries") or ():
                if entry["field"]["name"] == name and entry["fieldObject"]["code"] != "PROJECT":
                    return int(entry["fieldObject"]["objectKindDbId"])
        return None if name == "glObject2" else -1

    def _ledger_type(self, node: Row, *, owner: int) -> int | None:
        """Tell a supplier from a customer of the same code: by the account, else by the voucher's source."""
        account = self._reference_quietly("account", node.get("account"), owner=owner)
        if account is not None and (ledger_type := self._store.rows[account].get("ledgerTypeDbId")):
            return int(ledger_type)
        source = self._reference_quietly("transactionSource", node.get("transactionSource"), owner=owner)
        code = None if source is None else self._store.rows[source]["code"]
        return LedgerType.__members__.get(code or "")

    # A wrong account or source gets its error when it is resolved itself, and only once.
    def _reference_quietly(self, name: str, value: Row | None, *, owner: int) -> int | None:
        found = self._lookup(value, name, _Target(_TABLES[name], None, None), owner=owner) if value else None
        return found if isinstance(found, int) else None
