"""Loads the ledger side of a seed directory: JSON lines, one object a line, references as bare codes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from graphql import GraphQLInputObjectType, Undefined, get_named_type
from graphql.utilities import coerce_input_value

from pipelines.sandbox.ledger.calendar import PostingPeriod, Rate, publish_rates, set_period
from pipelines.sandbox.ledger.entities import entity_by_code
from pipelines.sandbox.ledger.errors import BadRequestError, RefusedError
from pipelines.sandbox.ledger.hand import HandVoucher, add_by_hand
from pipelines.sandbox.ledger.schema import ExactFloat, schema
from pipelines.sandbox.ledger.settings import ServedLedgerSettings
from pipelines.sandbox.ledger.store import LedgerStore, RowChanges
from pipelines.sandbox.ledger.values import OSLO, LedgerType, Row, local
from pipelines.sandbox.ledger.write import MAX_NODES, mutate
from pipelines.sandbox.state import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path

# As old as this is what a seed brings without a time of its own.
_SEEDED_AT = datetime(2026, 1, 1, 7, tzinfo=UTC)
# Records have been entered over a long time, the last ones then: a reader of what has changed does not get them all.
_BETWEEN_CALLS = timedelta(hours=2)
_ROWS_AT_ONCE = 5_000
_RATES_AT = time(16, 15)
# As client code shows them. They may be the same everywhere, but no client should depend on it.
_DOCUMENTED_SOURCES = {"AR": 797, "SO": 600, "OS": 3536}
# Loaded by the mutations that clients use: a record that a client could not write is refused in a seed too.
_MUTATIONS = {
    "companies": "addCompanies",
    "suppliers": "addSuppliers",
    "customers": "addCustomers",
    "projects": "addProjects",
}


class LedgerSeedError(Exception):
    """A seed line cannot be loaded; names file and line."""


def seed_ledger(db: sqlite3.Connection, seed: Path) -> None:
    """Load ``seed/*.jsonl`` into a state file whose ledger nobody has asked yet; raises LedgerSeedError.

    All of it or none: a seed that was refused can be corrected and loaded into the same file.
    """
    loader = _Loader(LedgerStore(db), seed)
    with transaction(db):
        for name in _ORDER:
            loader.load(name)


class _Loader:
    """Loads one file after the other; what a line names must stand in a file before."""

    def __init__(self, store: LedgerStore, seed: Path) -> None:
        self._store = store
        self._seed = seed

    def load(self, name: str) -> None:
        """Load one file, if it is there."""
        path = self._seed / f"{name}.jsonl"
        if not path.exists():
            return
        lines = list(_lines(path))
        if name in _MUTATIONS:
            self._records(name, lines)
            return
        if name == "exchange_rates":
            self._rates(lines)
            return
        changes = RowChanges()
        for number, line in enumerate(lines, start=1):
            try:
                _LINE_LOADERS[name](self, changes, line)
            except (BadRequestError, KeyError, msgspec.ValidationError) as error:
                raise LedgerSeedError(f"{path.name}, line {number}: {error}") from error
            if len(changes.puts) > _ROWS_AT_ONCE:
                self._commit(changes)
        self._commit(changes)

    def entity(self, changes: RowChanges, line: Row) -> None:
        """Take in an entity, set up with the object kinds behind its dimensions."""
        code = line["ownerCode"]
        currency = self._coded(changes, "currencies", line["currency"])
        row = self._store.new(code=str(code), ownerCode=code, description=line["description"], currencyDbId=currency)
        parent = entity_by_code(self._store, line["parent"]) if line.get("parent") else None
        # The kind behind each field is set up for each entity (docs/systems/ledger.md#2-6).
        setup = {"glObject2": "PROJECT"} | line.get("glObjects", {})
        row |= {
            "ownerDbId": row["dbId"],
            "parentDbId": None if parent is None else parent["dbId"],
            "countryDbId": self._coded(changes, "countries", line["country"]) if line.get("country") else None,
            "fiscalYearStartMonth": str(line.get("fiscalYearStartMonth", 1)),
            "glSetupEntries": [self._setup(changes, field, kind) for field, kind in sorted(setup.items())],
        }
        changes.put("entities", row)
        # An entity may stand below the one of the line before.
        self._commit(changes)

    def kind(self, changes: RowChanges, line: Row) -> None:
        """Take in an object kind."""
        self._kind(changes, line["name"])

    def object_value(self, changes: RowChanges, line: Row) -> None:
        """Take in a value of a kind; tax rules bring their percent and, if it is another than usual, their account."""
        kind = self._kind(changes, line["kind"])
        kept = {"posting": True} | {name: value for name, value in line.items() if name not in ("kind", "owner")}
        if "percent" in kept:
            kept["percent"] = str(kept["percent"])
        row = self._store.new(objectKindDbId=kind, definitionDbId=kind, ownerDbId=self._owner(line), **kept)
        changes.put("object_values", row)

    def account(self, changes: RowChanges, line: Row) -> None:
        """Take in an account; ``requires`` names dimensions, ``ledgerType`` makes it a control account."""
        kept = {name: value for name, value in line.items() if name not in ("owner", "ledgerType")}
        row: Row = {"posting": True, "balanceSheet": False} | kept
        if line.get("ledgerType"):
            row["ledgerTypeDbId"] = int(LedgerType[line["ledgerType"]])
        changes.put("accounts", self._store.new(ownerDbId=self._owner(line), **row))

    def xgl_dimension(self, changes: RowChanges, line: Row) -> None:
        """Take in a value of the XGL dimension."""
        kept = {"allowPosting": True, "description": line["code"]} | line
        del kept["owner"]
        changes.put("xgl_dimensions", self._store.new(ownerDbId=self._owner(line), **kept))

    def currency(self, changes: RowChanges, line: Row) -> None:
        """Take in a currency; ``minor`` is the number of its decimals."""
        changes.put("currencies", self._store.new(**({"description": line["code"]} | line)))

    def country(self, changes: RowChanges, line: Row) -> None:
        """Take in a country."""
        changes.put("countries", self._store.new(**({"description": line["code"]} | line)))

    def source(self, changes: RowChanges, line: Row) -> None:
        """Take in a transaction source; those whose dbId is documented have that one."""
        db_id = line.get("dbId") or _DOCUMENTED_SOURCES.get(line["code"]) or self._store.next("dbId")
        changes.put("transaction_sources", {"description": line["code"], **line, "dbId": db_id})

    def period(self, _: RowChanges, line: Row) -> None:
        """Close a period."""
        set_period(self._store, PostingPeriod(line["owner"], line["period"]), now=_SEEDED_AT)

    def voucher(self, changes: RowChanges, line: Row) -> None:
        """Book a voucher at noon of its day, in a closed period as well."""
        given = msgspec.convert(line, HandVoucher)
        noon = datetime.combine(datetime.fromisoformat(given.postedDate), time(12), OSLO)
        add_by_hand(self._store, changes, given, now=noon, may_be_closed=True)

    def _records(self, name: str, lines: list[Row]) -> None:
        """Add records through their mutation, in calls of as many nodes as one may have."""
        mutation, settings = _MUTATIONS[name], ServedLedgerSettings()
        # The entity of the sandbox's own token: it owns what a line gives no owner.
        top = next(row for row in self._store.tables["entities"].rows.values() if row.get("parentDbId") is None)
        for start in range(0, len(lines), MAX_NODES):
            part = lines[start : start + MAX_NODES]
            now = _SEEDED_AT - _BETWEEN_CALLS * ((len(lines) - start - 1) // MAX_NODES)
            try:
                inputs = {"inputs": [{"node": _node(mutation, line)} for line in part]}
                mutate(self._store, mutation, inputs, own=top["dbId"], settings=settings, files={}, now=now)
            except (BadRequestError, RefusedError) as error:
                raise LedgerSeedError(f"{name}.jsonl, lines {start + 1} to {start + len(part)}: {error}") from error

    def _rates(self, lines: list[Row]) -> None:
        """Publish rates as of the afternoon of their first day, in that order (docs/systems/ledger.md#a17)."""
        rates = []
        for line in sorted(lines, key=lambda line: str(line["fromDate"])):
            published = datetime.combine(datetime.fromisoformat(line["fromDate"]), _RATES_AT, OSLO)
            values = {"modifiedAt": local(published), **line, "rate": str(line["rate"])}
            rates.append(msgspec.convert(values, Rate))
        try:
            publish_rates(self._store, rates, now=_SEEDED_AT, keep_times=True)
        except BadRequestError as error:
            raise LedgerSeedError(f"exchange_rates.jsonl: {error}") from error

    def _commit(self, changes: RowChanges) -> None:
        self._store.commit(changes, now=_SEEDED_AT, keep_times=True)
        changes.puts.clear()

    def _owner(self, line: Row) -> int:
        entity = entity_by_code(self._store, line["owner"])
        if entity is None:
            raise BadRequestError(f"no entity {line['owner']}")
        return int(entity["dbId"])

    def _coded(self, changes: RowChanges, table: str, code: str) -> int:
        found = self._store.tables[table].having("code", code)
        if not found:
            found = [changes.put(table, self._store.new(code=code, description=code))]
        return int(found[0]["dbId"])

    def _kind(self, changes: RowChanges, name: str) -> int:
        known = self._store.tables["object_kinds"].having("name", name)
        entered = [row for (table, _), row in changes.puts.items() if table == "object_kinds" and row["name"] == name]
        if known or entered:
            return int((known or entered)[0]["dbId"])
        return int(changes.put("object_kinds", self._store.new(name=name, code=name, description=name))["dbId"])

    def _setup(self, changes: RowChanges, field: str, kind: str) -> Row:
        db_id = self._kind(changes, kind)
        field_object = {"dbId": db_id, "code": kind, "description": kind, "objectKindDbId": db_id}
        return {"dbId": self._store.next("dbId"), "field": {"name": field}, "fieldObject": field_object}


_LINE_LOADERS: dict[str, Callable[[_Loader, RowChanges, Row], None]] = {
    "entities": _Loader.entity,
    "object_kinds": _Loader.kind,
    "object_values": _Loader.object_value,
    "accounts": _Loader.account,
    "xgl_dimensions": _Loader.xgl_dimension,
    "currencies": _Loader.currency,
    "countries": _Loader.country,
    "transaction_sources": _Loader.source,
    "periods_closed": _Loader.period,
    "vouchers": _Loader.voucher,
}
# A line may only refer to lines of files before its own.
_ORDER = (
    "currencies", "countries", "entities", "object_kinds", "object_values", "accounts", "xgl_dimensions",
    "transaction_sources", "companies", "suppliers", "customers", "projects", "exchange_rates", "vouchers",
    "periods_closed",
)  # fmt: skip


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    decoder = msgspec.json.Decoder(dict[str, Any], float_hook=ExactFloat)
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield decoder.decode(line)
            # UnicodeDecodeError comes by itself, not as a DecodeError.
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise LedgerSeedError(f"{path.name}, line {number}: {error}") from error


def _node(mutation: str, line: Row) -> Row:
    """Write a seed line as an input node: bare codes become references."""
    node_type = schema().type_map[f"Add{mutation.removeprefix('add')}InputNode"]
    if not isinstance(node_type, GraphQLInputObjectType):
        raise TypeError(node_type)
    unknown = line.keys() - node_type.fields.keys()
    if unknown:
        raise BadRequestError(f"{mutation} takes no {', '.join(sorted(unknown))}")
    node = {name: _referred(get_named_type(node_type.fields[name].type).name, value) for name, value in line.items()}
    coerced = coerce_input_value(node, node_type)
    if coerced is Undefined:
        raise BadRequestError(f"a value is of a wrong type: {line}")
    found: Row = coerced
    return found


def _referred(type_name: str, value: object) -> object:
    key = {"OwnerRef": "ownerCode", "ObjectRef": "code"}.get(type_name)
    return {key: value} if key is not None and isinstance(value, str | int) else value
