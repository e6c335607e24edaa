"""What the VMS knows of its entities: members, their kinds, code properties and limits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from pipelines.sandbox.vms.entities import ENTITIES


class ObjectKind(StrEnum):
    """What a member holds; the values are the signs of the table in entities.py."""

    TEXT = ":"
    NUMBER = "#"
    INTEGER = "%"
    DATE = "@"
    BOOLEAN = "?"
    REFERENCE = ">"
    CHILDREN = "*"
    LINKS = "+"


ARRAYS = (ObjectKind.CHILDREN, ObjectKind.LINKS)
ORDERED = (ObjectKind.NUMBER, ObjectKind.INTEGER, ObjectKind.DATE)


@dataclass(frozen=True, slots=True)
class ObjectMember:
    """One member of an entity; ``entity`` is what a reference or an array holds, ``back`` the child's way back."""

    name: str
    kind: ObjectKind
    entity: str = ""
    back: str = ""
    size: int | None = None
    required: bool = False
    unique: bool = False
    filterable: bool = True


@dataclass(frozen=True, slots=True)
class Entity:
    """One resource: ``code`` is its code property (empty: it has none), ``is_value`` shares equal objects."""

    name: str
    code: str
    is_value: bool
    members: dict[str, ObjectMember]
    required: frozenset[str]


KEY = ObjectMember("key", ObjectKind.INTEGER)
AUDIT = (
    ObjectMember("createdDate", ObjectKind.DATE),
    ObjectMember("modifiedDate", ObjectKind.DATE),
    ObjectMember("createdById", ObjectKind.INTEGER),
    ObjectMember("changedById", ObjectKind.INTEGER),
    ObjectMember("externalObjectKey", ObjectKind.TEXT),
)
CODE_PROPERTY = "codeProperty"
# The members that hold an entity's code where installations spell it differently (docs/systems/vms.md#3-11).
OTHER_CODES = {"BusinessPartnerType": ("businessPartnerType", "businessPartnerTypeCode")}
# What the VMS sets by itself: a client that sends an object back as it got it is not refused for these.
READ_ONLY = frozenset({"key", "self", CODE_PROPERTY, "createdDate", "modifiedDate", "createdById", "changedById"})

_MEMBER = re.compile(r"(?P<flags>[!-]*)(?P<name>\w+)(?P<sign>[:#%@?>*+]?)(?P<detail>[\w.]*)(?P<unique>\^?)")
_HEAD = re.compile(r"^(?P<name>\w+)(?P<value>~?)(?:/(?P<code>\w+))?: (?P<members>.+)$")


def _member(text: str) -> ObjectMember:
    found = _MEMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"cannot read the member {text!r} of the entity table")
    kind = ObjectKind(found["sign"] or ":")
    entity, _, back = found["detail"].partition(".")
    return ObjectMember(
        name=found["name"],
        kind=kind,
        entity="" if kind is ObjectKind.TEXT else entity,
        back=back,
        size=int(entity) if kind is ObjectKind.TEXT and entity else None,
        required="!" in found["flags"],
        unique=bool(found["unique"]),
        filterable="-" not in found["flags"],
    )


def _entity(line: str) -> Entity:
    found = _HEAD.match(line)
    if found is None:
        raise ValueError(f"cannot read the line {line!r} of the entity table")
    own = [_member(text) for text in found["members"].split()]
    members = {member.name: member for member in (*own, *AUDIT)}
    required = frozenset(member.name for member in own if member.required)
    return Entity(found["name"], found["code"] or "", bool(found["value"]), members, required)


def _read(table: str) -> dict[str, Entity]:
    lines = table.replace("\n  ", " ").strip().splitlines()
    return {entity.name: entity for entity in map(_entity, lines)}


MODEL = _read(ENTITIES)


def _parents() -> dict[str, list[tuple[str, ObjectMember]]]:
    parents: dict[str, list[tuple[str, ObjectMember]]] = {}
    for entity in MODEL.values():
        for member in entity.members.values():
            if member.kind is ObjectKind.CHILDREN:
                parents.setdefault(member.entity, []).append((entity.name, member))
    return parents


def _referrers() -> dict[str, list[tuple[str, ObjectMember]]]:
    referrers: dict[str, list[tuple[str, ObjectMember]]] = {}
    for entity in MODEL.values():
        for member in entity.members.values():
            if member.kind in (ObjectKind.REFERENCE, ObjectKind.LINKS):
                referrers.setdefault(member.entity, []).append((entity.name, member))
    return referrers


# For an entity: which (entity, array) may own it, and which (entity, member) may point to it.
PARENTS = _parents()
REFERRERS = _referrers()


def _identity(entity: Entity) -> dict[str, str]:
    codes = OTHER_CODES.get(entity.name, (entity.code,)) if entity.code else ()
    names = [name for name in entity.members if name.endswith(("Name", "Desc"))] if entity.code else []
    return dict.fromkeys((*codes, *names[:1]), "*")


# What an answer says of an object that it only refers to: its code and its first name or description.
IDENTITY = {name: _identity(entity) for name, entity in MODEL.items()}
