"""Where a landed column comes from: the member of the VMS's or the ledger's API that its contract names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from pipelines.docs.control_tables import control_comments
from pipelines.docs.markdown import code
from pipelines.extract.contract import Contract, Member
from pipelines.extract.tables import CONTRACTS, SCHEMAS
from pipelines.models.table_ref import ColumnRef, TableRef

SIDES = {"vms": "VMS", "ledger": "ledger"}
# What landing adds to every object, and to the rows of its lists.
LANDING: Mapping[str, str] = {
    "fetch_id": "the landing that brought this row",
    "fetched_at": "when it was read, UTC",
    "content_hash": "hash of the object with its lists; empty: to be read anew",
    "position": "place in the list, from 0",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """A member of a remote object; ``path`` is dotted and begins below the object."""

    side: str
    entity: str
    path: str
    comment: str


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


def told(columns: Iterable[ColumnRef]) -> str:
    """Say where columns come from: the members, object by object, then other tables' columns."""
    groups: dict[str, list[str]] = {}
    for column in columns:
        origin = origins().get(column)
        if origin:
            groups.setdefault(f"{origin.side} {code(origin.entity)}", []).append(code(origin.path))
        else:
            groups.setdefault(code(str(column.table)), []).append(code(column.name))
    return "\n".join(f"{source}: {', '.join(dict.fromkeys(names))}" for source, names in sorted(groups.items()))


def comment(column: ColumnRef) -> str:
    """Return what is known of an external column, nothing when nobody said."""
    if column.table.schema == "ctl":
        return control_comments().get((column.table.name, column.name), "")
    origin = origins().get(column)
    return origin.comment if origin else LANDING.get(column.name, "")


def _members(contract: Contract) -> Iterator[tuple[str, Member, str]]:
    key = next(member for member in contract.members if member.column == contract.key)
    for member in contract.members:
        yield contract.table, member, member.path
    for children in contract.children:
        yield children.table, key, key.path
        for member in children.members:
            yield children.table, member, f"{children.path}.{member.path}"
