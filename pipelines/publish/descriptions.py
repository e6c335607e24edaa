"""What every table and column is, in words: from the models, the contracts of both APIs and the control store's DDL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from pipelines.checks.steps import load_rules
from pipelines.contracts.contract import Contract, Member
from pipelines.contracts.tables import CONTRACTS, SCHEMAS
from pipelines.core.table_ref import ColumnRef, TableRef
from pipelines.models.steps import Catalog, ModelColumn
from pipelines.stores.control_schema import control_tables, made_tables

SIDES = {"vms": "VMS", "ledger": "ledger"}
# What landing adds to every object, and to the rows of its lists.
LANDING: Mapping[str, str] = {
    "fetch_id": "the landing that brought this row",
    "fetched_at": "when it was read, UTC",
    "content_hash": "hash of the object with its lists; empty: to be read anew",
    "position": "place in the list, from 0",
}
VERDICT = "ok_"
SHOWN_ORIGINS = 4
# A column as it is, at most under another name.
_PASSED_ON = re.compile(r"(\w+\.\w+)?")


@dataclass(frozen=True, slots=True)
class Origin:
    """A member of a remote object; ``path`` is dotted and begins below the object."""

    side: str
    entity: str
    path: str
    comment: str


def column_meaning(catalog: Catalog, ref: TableRef, name: str) -> str:
    """Return what a column of a model is: its description; without one its origin, or what computes it."""
    return description(catalog, ColumnRef(ref, name)) or _derived(catalog, catalog.by_ref[ref].column(name), ref)


def description(catalog: Catalog, column: ColumnRef) -> str:
    """Return what a column is: its own comment, its rule, else what is said of the one column it passes on."""
    # Up the lineage as long as a column is passed on unchanged: a comment written once then holds for all its copies.
    while (model := catalog.by_ref.get(column.table)) is not None:
        defined = model.column(column.name)
        if defined.description:
            return defined.description
        if rule := load_rules().rules.get(column.name.removeprefix(VERDICT)):
            return f"false: {rule.title}"
        if len(defined.parents) != 1 or not _PASSED_ON.fullmatch(defined.expression):
            return ""
        column = defined.parents[0]
    return comment(column)


def comment(column: ColumnRef) -> str:
    """Return what is known of a column that no model makes; empty when nothing is."""
    if column.table.schema == "ctl":
        table = {**control_tables(), **made_tables()}.get(column.table.name)
        return table.words.get(column.name, "") if table else ""
    origin = origins().get(column)
    return origin.comment if origin else LANDING.get(column.name, "")


@cache
def origins() -> Mapping[ColumnRef, Origin]:
    """Return the member behind every landed column; what landing itself adds is not among them."""
    return {
        ColumnRef(TableRef(SCHEMAS[side], table), member.column): Origin(
            SIDES[side], contract.entity, path, member.comment
        )
        for side, contracts in CONTRACTS.items()
        for contract in contracts
        for table, member, path in _members(contract)
    }


def _derived(catalog: Catalog, column: ModelColumn, ref: TableRef) -> str:
    ends = [_place(end) for end in catalog.origins[ColumnRef(ref, column.name)]]
    shown = ", ".join(dict.fromkeys(ends[:SHOWN_ORIGINS]))
    if not shown:
        return f"computed: {column.expression or column.name}"
    more = ", …" if len(ends) > SHOWN_ORIGINS else ""
    return f"from {shown}{more}"


def _place(column: ColumnRef) -> str:
    origin = origins().get(column)
    return f"{origin.side} {origin.entity}.{origin.path}" if origin else str(column)


def _members(contract: Contract) -> Iterator[tuple[str, Member, str]]:
    key = next(member for member in contract.members if member.column == contract.key)
    for member in contract.members:
        yield contract.table, member, member.path
    for children in contract.children:
        yield children.table, key, key.path
        for member, path in children.located:
            yield children.table, member, path
