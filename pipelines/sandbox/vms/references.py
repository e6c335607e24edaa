"""How a bare key, a bare code or an inline object becomes a reference (docs/systems/vms.md#1-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.sandbox.vms.errors import ApiError
from pipelines.sandbox.vms.model import MODEL, ObjectKind, ObjectMember

if TYPE_CHECKING:
    from pipelines.sandbox.vms.json import Obj
    from pipelines.sandbox.vms.store import VmsStore

# A status of the wrong class is refused; the class of each property is that of a status that surely belongs to it.
_CLASS_OF = {"invoicingStatus": "RFP", "voyageStatus": "NOM"}


def keys_for(store: VmsStore, member: ObjectMember, value: object) -> list[int]:
    """Give the keys that a bare value can mean: a number is a key, a text is a code; empty when it means nothing."""
    # The JSON type decides: 60526 is a key and "60526" a code, although it has only digits (docs/systems/vms.md#1-3).
    if isinstance(value, int) and not isinstance(value, bool):
        found = [value] if value in store.tables[member.entity] else []
    elif isinstance(value, str):
        found = store.keys_of(member.entity, value)
    else:
        found = []
    anchor = _CLASS_OF.get(member.name)
    if anchor is None or not found:
        return found
    statuses = store.tables["StatusType"]
    classes = {statuses[key].get("statusClass") for key in store.keys_of("StatusType", anchor)}
    return [key for key in found if not classes or statuses[key].get("statusClass") in classes]


def the_key(store: VmsStore, member: ObjectMember, value: object) -> int:
    """Give the one key that a bare value means; raises ApiError 400 when there is none, or when there are several."""
    found = keys_for(store, member, value)
    if len(found) == 1:
        return found[0]
    if found:
        # Codes need not be unique: a document's number is unique only within company and type
        # (docs/systems/vms.md#a11).
        raise ApiError(f"'{member.name}': {len(found)} objects of {member.entity} have the code {value!r}; give a key.")
    if member.name in _CLASS_OF and store.keys_of(member.entity, str(value)):
        raise ApiError(f"'{member.name}': the status {value!r} is of the wrong status class.")
    what = "code" if isinstance(value, str) else "key"
    raise ApiError(f"'{member.name}': there is no {member.entity} with the {what} {value!r}.")


def equal_value(store: VmsStore, entity: str, body: Obj) -> int | None:
    """Give the key of the stored object that an inline value stands for, by its code or by its members; None if new.

    Only entities marked as values are shared: two partners never share one inline address.
    """
    model = MODEL[entity]
    if not model.is_value:
        return None
    code = body.get(model.code) if model.code else None
    if isinstance(code, str):
        return next(iter(store.keys_of(entity, code)), None)
    given = dict(body)
    for name, value in body.items():
        member = model.members.get(name)
        if member is not None and member.kind is ObjectKind.REFERENCE and value is not None:
            given[name] = next(iter(keys_for(store, member, value)), None)
    table = store.tables[entity].values()
    return next((obj["key"] for obj in table if all(obj.get(name) == value for name, value in given.items())), None)
