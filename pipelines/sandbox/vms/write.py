"""Writes as a client makes them: nested inserts, partial updates with the 3.0 array rule, deletes.

Source: docs/systems/vms.md#1-8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.sandbox.vms.errors import ApiError
from pipelines.sandbox.vms.model import ARRAYS, MODEL, PARENTS, READ_ONLY, REFERRERS, ObjectKind, ObjectMember
from pipelines.sandbox.vms.references import equal_value, the_key
from pipelines.sandbox.vms.values import checked

if TYPE_CHECKING:
    from pipelines.sandbox.vms.json import Obj
    from pipelines.sandbox.vms.store import Unit, VmsStore

# Its documented refusal does not name the fields.
_ALL_REQUIRED = "ExchangeRate"


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes objects within one unit of work, stamped with a time and a user."""

    store: VmsStore
    unit: Unit
    stamp: str
    user: int
    child_moves_parent: bool = False

    def create(self, entity: str, body: object, *, back: dict[str, int] | None = None) -> int:
        """Insert an object with what is nested in it and give its key; ``back`` points to the parent it comes in with.

        Raises ApiError 400 naming the member that is missing, unknown, mistyped, too long, taken or points nowhere.
        """
        given = _members(entity, body)
        if entity == "Remark" and back is None:
            _check_remark_order(given)
        # Needed first: nested children point back to it.
        key = self.store.new_key()
        obj: Obj = {"key": key, **self._stamps(), **(back or {})}
        for name, value in given.items():
            obj[name] = self._value(entity, key, MODEL[entity].members[name], value, present=[])
        self._check(entity, obj)
        self.unit.put(entity, obj)
        if back is None:
            self._attach(entity, obj)
        return key

    def update(self, entity: str, key: int, body: object, *, is_nested: bool = False) -> None:
        """Change the members that are given, leave the others; raises ApiError like ``create``, 404 for no object."""
        old = self.store.find(entity, key)
        new = {**old, "modifiedDate": self.stamp, "changedById": self.user}
        for name, value in _members(entity, body).items():
            member = MODEL[entity].members[name]
            new[name] = self._value(entity, key, member, value, present=old.get(name) or [])
            if member.kind not in ARRAYS and new[name] != old.get(name):
                self._log(entity, key, member, old=old.get(name), new=new[name])
        self._check(entity, new)
        self.unit.put(entity, new)
        if self.child_moves_parent and not is_nested:
            self._move_parents(entity, new)

    def delete(self, entity: str, key: int) -> None:
        """Remove an object with its children; raises ApiError 400 while another object points to it."""
        obj = self.store.find(entity, key)
        self._detach(entity, obj)
        self._drop(entity, obj)

    def link(self, entity: str, key: int, *, child: str, child_key: int, linked: bool) -> None:
        """Put a child into the parent's array of links or take it out; raises ApiError 404 where one is missing."""
        obj = self.store.find(entity, key)
        self.store.find(child, child_key)
        members = MODEL[entity].members.values()
        member = next((one for one in members if one.kind is ObjectKind.LINKS and one.entity == child), None)
        if member is None:
            raise ApiError(f"{entity} has no links to {child}.", status=404)
        others = [one for one in obj.get(member.name) or [] if one != child_key]
        links = [*others, child_key] if linked else others
        self.unit.put(entity, {**obj, member.name: links, "modifiedDate": self.stamp, "changedById": self.user})

    def _stamps(self) -> Obj:
        return {
            "createdDate": self.stamp,
            "modifiedDate": self.stamp,
            "createdById": self.user,
            "changedById": self.user,
        }

    def _value(self, entity: str, key: int, member: ObjectMember, value: object, *, present: list[int]) -> object:
        if member.kind is ObjectKind.REFERENCE:
            return self._reference(member, value)
        if member.kind not in ARRAYS:
            return checked(member, value)
        if not isinstance(value, list):
            raise ApiError(f"'{member.name}' of {entity} must be an array.")
        if member.kind is ObjectKind.LINKS:
            # Links left out are undone; the objects stay.
            return list(dict.fromkeys(self._link(member, element) for element in value))
        # The array of a PUT is complete: children left out are removed, so a client must never send a part
        # (docs/systems/vms.md#1-8).
        kept = [self._child(member, element, parent=key, present=present) for element in value]
        for gone in set(present) - set(kept):
            self._drop(member.entity, self.store.tables[member.entity][gone])
        return kept

    def _reference(self, member: ObjectMember, value: object) -> int | None:
        if value is None:
            return None
        if not isinstance(value, dict):
            return the_key(self.store, member, value)
        if "key" in value:
            return the_key(self.store, member, value["key"])
        shared = equal_value(self.store, member.entity, value)
        return self.create(member.entity, value) if shared is None else shared

    def _link(self, member: ObjectMember, element: object) -> int:
        if isinstance(element, dict) and "key" in element:
            key = the_key(self.store, member, element["key"])
            if element.keys() - READ_ONLY:
                self.update(member.entity, key, element, is_nested=True)
            return key
        if isinstance(element, dict):
            return self.create(member.entity, element)
        return the_key(self.store, member, element)

    def _child(self, member: ObjectMember, element: object, *, parent: int, present: list[int]) -> int:
        if not isinstance(element, dict):
            raise ApiError(f"Every element of '{member.name}' must be an object.")
        if "key" not in element:
            return self.create(member.entity, element, back={member.back: parent})
        key = element["key"]
        if key not in present:
            raise ApiError(f"'{member.name}' has no element with the key {key!r}.")
        self.update(member.entity, key, element, is_nested=True)
        return int(key)

    def _check(self, entity: str, obj: Obj) -> None:
        missing = sorted(name for name in MODEL[entity].required if obj.get(name) is None)
        if missing and entity == _ALL_REQUIRED:
            raise ApiError("Missing field(s) in json body. All fields are required.")
        if missing:
            raise ApiError(f"Missing field(s) in json body: {', '.join(missing)} of {entity}.")
        for member in MODEL[entity].members.values():
            value = obj.get(member.name)
            if member.unique and value is not None:
                taken = self.store.indexes.find(entity, member.name, value=value) - {obj["key"]}
                if taken:
                    raise ApiError(f"'{member.name}' must be unique: {value!r} is taken by {entity} {min(taken)}.")

    def _log(self, entity: str, key: int, member: ObjectMember, *, old: Any, new: Any) -> None:  # noqa: ANN401 (any value)
        entry: Obj = {
            "key": self.store.new_key(),
            "objectName": entity,
            "attributeName": member.name,
            "source": key,
            "user": self.user,
            "actionTime": self.stamp,
            "modifiedDate": self.stamp,
            "entryText": f"Field update: {member.name}",
            "isChangedByUser": True,
            "newValue": self._text(member, new),
            "oldValue": self._text(member, old),
            "action": self.store.keys_of("Action", "EDIT")[0],
        }
        self.unit.put("AuditLog", entry)

    def _text(self, member: ObjectMember, value: Any) -> str | None:  # noqa: ANN401 (any value)
        if value is None:
            return None
        if member.kind is ObjectKind.REFERENCE:
            return self.store.code_of(member.entity, value)
        return str(value).lower() if isinstance(value, bool) else str(value)

    def _owners(self, entity: str, obj: Obj) -> list[tuple[str, ObjectMember, Obj]]:
        owners = [(owner, member, obj.get(member.back)) for owner, member in PARENTS.get(entity, ())]
        tables = self.store.tables
        return [(owner, member, tables[owner][key]) for owner, member, key in owners if key in tables[owner]]

    def _parents(self, entity: str, obj: Obj) -> list[tuple[str, ObjectMember, Obj]]:
        # A source is a bare key, which a partner and a bank may share: the parent is the one that lists the child.
        return [found for found in self._owners(entity, obj) if obj["key"] in found[2].get(found[1].name, ())]

    def _attach(self, entity: str, obj: Obj) -> None:
        owners = self._owners(entity, obj)
        if obj.get("source") is not None and not owners:
            raise ApiError(f"'source': no object that holds {entity} has the key {obj['source']}.")
        for owner, member, parent in owners[:1]:
            self.unit.set(owner, parent["key"], **{member.name: [*(parent.get(member.name) or []), obj["key"]]})
        if self.child_moves_parent:
            self._move_parents(entity, obj)

    def _detach(self, entity: str, obj: Obj) -> None:
        if self.child_moves_parent:
            self._move_parents(entity, obj)
        for owner, member, parent in self._parents(entity, obj):
            rest = [key for key in parent[member.name] if key != obj["key"]]
            self.unit.set(owner, parent["key"], **{member.name: rest})

    def _move_parents(self, entity: str, obj: Obj) -> None:
        for owner, _, parent in self._parents(entity, obj):
            self.unit.set(owner, parent["key"], modifiedDate=self.stamp)

    def _drop(self, entity: str, obj: Obj) -> None:
        self._refuse_if_used(entity, obj["key"])
        for member in MODEL[entity].members.values():
            if member.kind is ObjectKind.CHILDREN:
                for child in obj.get(member.name) or []:
                    self._drop(member.entity, self.store.tables[member.entity][child])
        self.unit.remove(entity, obj["key"])

    def _refuse_if_used(self, entity: str, key: int) -> None:
        backs = {(owned.entity, owned.back) for owned in MODEL[entity].members.values() if owned.back}
        for owner, member in REFERRERS.get(entity, ()):
            # A child's way back to its parent goes with the parent.
            if (owner, member.name) in backs:
                continue
            for other in self.store.tables[owner].values():
                linked = other.get(member.name)
                if key == linked or (isinstance(linked, list) and key in linked):
                    raise ApiError(f"{entity} {key} is still used as '{member.name}' of {owner} {other['key']}.")


def _members(entity: str, body: object) -> dict[str, object]:
    """Give what a body sets, without what the VMS sets itself."""
    if not isinstance(body, dict):
        raise ApiError(f"The json body of {entity} must be an object.")
    given = {name: value for name, value in body.items() if name not in READ_ONLY}
    for name in given:
        if name not in MODEL[entity].members:
            # What the vendor does with an unknown member is not documented. A refusal shows misspelled names.
            raise ApiError(f"Unknown field '{name}' of {entity} in json body.")
    return given


def _check_remark_order(given: dict[str, object]) -> None:
    # The vendor's parser reads in order: the attachments need to know their source (docs/systems/vms.md#1-8).
    names = list(given)
    if "attachments" in given and ("source" not in given or names.index("source") > names.index("attachments")):
        raise ApiError("'source' must stand before 'attachments' in json body.")
