"""Dot paths through an object's references and arrays, with inner and left joins (docs/systems/vms.md#1-5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.sandbox.vms.errors import ApiError
from pipelines.sandbox.vms.model import ARRAYS, KEY, ObjectKind, ObjectMember

if TYPE_CHECKING:
    from pipelines.sandbox.vms.json import Obj
    from pipelines.sandbox.vms.store import VmsStore

_MAX_HOPS = 12
# Where a left join leads when the reference is null.
_NULL_ROW: Obj = {}


@dataclass(frozen=True, slots=True)
class Hop:
    """One step from an entity to another: over which member, into which table, and whether null stays in (``+``)."""

    owner: str
    member: ObjectMember
    table: dict[int, Obj]
    is_left: bool

    @property
    def is_many(self) -> bool:
        """Tell whether the step leads to any number of objects."""
        return self.member.kind in ARRAYS


@dataclass(frozen=True, slots=True)
class Path:
    """A resolved path: the steps, the entity at their end, and the member that is read there."""

    hops: tuple[Hop, ...]
    entity: str
    leaf: ObjectMember

    @property
    def is_many(self) -> bool:
        """Tell whether an object can have several values at the end of the path."""
        return any(hop.is_many for hop in self.hops)

    def values(self, obj: Obj) -> list[Any] | None:
        """Give the values at the end, or None when an inner join drops the row.

        Decided: each filter looks through an array by itself; two filters need not meet in the same element.
        """
        rows = [obj]
        for hop in self.hops:
            found: list[Obj] = []
            for row in rows:
                linked = row.get(hop.member.name)
                if linked is None or linked == []:
                    if hop.is_left:
                        found.append(_NULL_ROW)
                elif hop.is_many:
                    found += [hop.table[key] for key in linked]
                else:
                    found.append(hop.table[linked])
            # Inner joins are the default: one null on the path and the row is silently missing
            # (docs/systems/vms.md#1-5).
            if not found:
                return None
            rows = found
        name = self.leaf.name
        return [row.get(name) for row in rows]


def resolve(store: VmsStore, entity: str, *, text: str, use: str) -> Path:
    """Read a dotted path that starts at an entity; ``use`` (filter, sort) stands in the refusal.

    Raises ApiError 400 for an unknown property, one that cannot be filtered, or a step through a plain value.
    """
    if " " in text:
        raise ApiError(f"Cannot read the {use} property '{text}': send the + of a left join as %2B.")
    segments = text.split(".")
    if len(segments) > _MAX_HOPS:
        raise ApiError(f"The {use} property '{text}' has more than {_MAX_HOPS} segments.")
    hops: list[Hop] = []
    for segment in segments[:-1]:
        member = _member(store, entity, name=segment.removesuffix("+"), use=use, text=text)
        if not member.entity:
            raise ApiError(f"'{member.name}' of {entity} in the {use} property '{text}' is no object.")
        hops.append(Hop(entity, member, store.tables[member.entity], segment.endswith("+")))
        entity = member.entity
    leaf = _member(store, entity, name=segments[-1], use=use, text=text)
    if use == "sort" and (leaf.kind in ARRAYS or any(hop.is_many for hop in hops)):
        raise ApiError(f"Cannot sort by '{text}': it runs through an array.")
    return Path(tuple(hops), entity, leaf)


def _member(store: VmsStore, entity: str, *, name: str, use: str, text: str) -> ObjectMember:
    if name == KEY.name:
        return KEY
    member = store.member(entity, name)
    if member is None and name != "self":
        raise ApiError(f"Unknown property '{name}' of {entity} in the {use} property '{text}'.")
    if member is None or not member.filterable:
        raise ApiError(f"The property '{name}' of {entity} cannot be used to {use}.")
    return member


def is_null(value: object) -> bool:
    """Tell whether a stored value counts as null; an array without elements does."""
    return value is None or value == []


def is_reference(member: ObjectMember) -> bool:
    """Tell whether a member holds the key of one other object."""
    return member.kind is ObjectKind.REFERENCE
