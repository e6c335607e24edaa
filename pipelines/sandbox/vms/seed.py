"""Loads a seed directory into an empty VMS: objects as one would POST them, kept as they are, right or wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pipelines.sandbox.vms.errors import SeedError
from pipelines.sandbox.vms.json import Obj, decode
from pipelines.sandbox.vms.model import ARRAYS, MODEL, ObjectKind, ObjectMember
from pipelines.sandbox.vms.references import equal_value, keys_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.sandbox.vms.store import Unit, VmsStore

# What others refer to comes first; references that are still missing are settled at the end.
_FIRST = (
    "Country",
    "Currency",
    "StatusType",
    "DocumentType",
    "Company",
    "System",
    "BusinessPartnerType",
    "BusinessPartner",
    "Vessel",
    "VoyageHeader",
    "Voyage",
    "Account",
    "Vat",
    "ExchangeRate",
    "Document",
)


class _Place(NamedTuple):
    """Where an object stands in the seed, and the audit members that it has unless it brings its own."""

    where: str
    stamps: Obj

    def inside(self, body: Obj) -> _Place:
        """Give the place of what is nested in a body: it was written when its parent was."""
        modified = body.get("modifiedDate")
        if modified is None:
            return self
        return _Place(self.where, {**self.stamps, "createdDate": modified, "modifiedDate": modified})


@dataclass(frozen=True, slots=True)
class _Late:
    """A reference to something that had not been loaded yet."""

    entity: str
    key: int
    member: ObjectMember
    value: object
    place: _Place


@dataclass(frozen=True, slots=True)
class Loader:
    """Places seeded objects within one unit of work; the rules of a POST do not hold here, references do."""

    store: VmsStore
    unit: Unit
    stamps: Obj
    _late: list[_Late] = field(default_factory=list)

    def load(self, directory: Path) -> None:
        """Load every ``<Entity>.jsonl``; raises SeedError naming file, line and member."""
        rows = list(_rows(directory))
        # Keys that are given out here start above every key that the seed fixes.
        for _, body, _ in rows:
            self._reserve(body)
        for entity, body, where in rows:
            self._place(entity, body, _Place(where, self.stamps), back={})
        for late in self._late:
            self._settle(late)

    def _reserve(self, value: object) -> None:
        if isinstance(value, dict):
            if isinstance(key := value.get("key"), int):
                self.store.reserve(key)
            for inner in value.values():
                self._reserve(inner)
        elif isinstance(value, list):
            for inner in value:
                self._reserve(inner)

    def _place(self, entity: str, body: object, place: _Place, *, back: dict[str, int]) -> int:
        if not isinstance(body, dict):
            raise SeedError(f"{place.where}: {entity} must be an object, not {body!r}")
        key = body.get("key")
        if key is None:
            key = self.store.new_key()
        if not isinstance(key, int) or key in self.store.tables[entity]:
            raise SeedError(f"{place.where}: the key {key!r} of {entity} is no number, or is given twice")
        inside = place.inside(body)
        members = MODEL[entity].members
        obj: Obj = {"key": key, **inside.stamps}
        for name, value in body.items():
            member = members.get(name)
            if member is None or not member.entity or value is None:
                obj[name] = value
            else:
                obj[name] = self._linked(entity, key, member, value, inside)
        # `self` depends on the address that was asked, and is never stored.
        obj.pop("self", None)
        obj["key"] = key
        obj |= back
        self.store.learn(entity, obj)
        self.unit.put(entity, obj)
        return key

    def _linked(self, entity: str, key: int, member: ObjectMember, value: object, place: _Place) -> object:
        if member.kind not in ARRAYS:
            return self._reference(entity, key, member, value, place)
        if not isinstance(value, list):
            raise SeedError(f"{place.where}: '{member.name}' of {entity} must be an array")
        return [self._element(entity, key, member, element, place) for element in value]

    def _element(self, entity: str, key: int, member: ObjectMember, element: object, place: _Place) -> int:
        if member.kind is ObjectKind.CHILDREN or isinstance(element, dict):
            return self._place(member.entity, element, place, back={member.back: key} if member.back else {})
        found = keys_for(self.store, member, element)
        if not found:
            raise SeedError(
                f"{place.where}: '{member.name}' of {entity} links to {element!r}, which is not loaded before it"
            )
        return found[0]

    def _reference(self, entity: str, key: int, member: ObjectMember, value: object, place: _Place) -> int | None:
        if isinstance(value, dict):
            if value.get("key") in self.store.tables[member.entity]:
                return int(value["key"])
            shared = equal_value(self.store, member.entity, value)
            return self._place(member.entity, value, place, back={}) if shared is None else shared
        found = keys_for(self.store, member, value)
        if found:
            return found[0]
        self._late.append(_Late(entity, key, member, value, place))
        return None

    def _settle(self, late: _Late) -> None:
        found = keys_for(self.store, late.member, late.value)
        target = MODEL[late.member.entity]
        # A value, such as a port or an event, may appear only by its code.
        if not found and target.is_value and target.code and isinstance(late.value, str):
            found = [self._place(target.name, {target.code: late.value}, late.place, back={})]
        if not found:
            raise SeedError(
                f"{late.place.where}: '{late.member.name}' of {late.entity} {late.key}"
                f" points to {late.value!r}, but no {target.name} has that key or code"
            )
        self.unit.set(late.entity, late.key, **{late.member.name: found[0]})


def _rows(directory: Path) -> Iterator[tuple[str, object, str]]:
    files = {path.stem: path for path in sorted(directory.glob("*.jsonl"))}
    unknown = sorted(files.keys() - MODEL.keys())
    if unknown:
        raise SeedError(f"{directory}: no such entities: {', '.join(unknown)}")
    for entity in sorted(files, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)):
        for number, line in enumerate(files[entity].read_bytes().splitlines(), start=1):
            if line.strip():
                where = f"{files[entity].name}:{number}"
                try:
                    yield entity, decode(line), where
                except ValueError as error:
                    raise SeedError(f"{where}: {error}") from error
