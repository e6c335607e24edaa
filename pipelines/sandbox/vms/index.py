"""In-memory indexes that spare a list request the walk over every object."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from pipelines.sandbox.vms.model import MODEL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.sandbox.vms.json import Obj

# Besides code properties and unique members: what integrations look things up by.
_LOOKED_UP = {
    "Account": ("company",),
    "AuditLog": ("source",),
    "BusinessPartner": ("bankAccount",),
    "BusinessPartnerType": ("businessPartnerTypeCode",),
    "Document": ("documentType", "invoicingStatus"),
    "DocumentLine": ("refDocument", "voyage"),
    "ExchangeRate": ("exchangeRateDate",),
    "VesselCode": ("vessel",),
    "Voyage": ("vessel", "voyageHeader"),
    "VoyageEstimate": ("company",),
}


def _indexed(entity: str) -> tuple[str, ...]:
    model = MODEL[entity]
    names = [member.name for member in model.members.values() if member.unique or member.name == model.code]
    return (*names, *_LOOKED_UP.get(entity, ()))


INDEXED = {entity: _indexed(entity) for entity in MODEL}


class Indexes:
    """Which keys hold a value, per indexed member, and which objects moved since a date."""

    def __init__(self) -> None:
        self._by_value: dict[tuple[str, str], dict[object, set[int]]] = {
            (entity, name): {} for entity, names in INDEXED.items() for name in names
        }
        self._moved: dict[str, list[tuple[str, int]]] = {}

    def find(self, entity: str, name: str, *, value: object) -> set[int]:
        """Give the keys of the objects whose member has the value; raises KeyError for a member without index."""
        return self._by_value[entity, name].get(value, set())

    def moved_since(self, entity: str, date: str, *, objects: Iterable[Obj]) -> list[int]:
        """Give the keys whose modifiedDate is ``date`` or later; ``objects`` builds the index at its first use."""
        if entity not in self._moved:
            self._moved[entity] = sorted(map(_moved, objects))
        moved = self._moved[entity]
        return [key for _, key in moved[bisect_left(moved, (date, 0)) :]]

    def update(self, entity: str, *, old: Obj | None, new: Obj | None) -> None:
        """Follow one object from its former state (None: it is new) to its present one (None: it is gone)."""
        for name in INDEXED[entity]:
            before = None if old is None else old.get(name)
            after = None if new is None else new.get(name)
            if before is not after and before != after:
                self._move(self._by_value[entity, name], before, after, key=(old or new or {})["key"])
        moved = self._moved.get(entity)
        if moved is not None:
            if old is not None:
                del moved[bisect_left(moved, _moved(old))]
            if new is not None:
                insort(moved, _moved(new))

    @staticmethod
    def _move(values: dict[object, set[int]], before: object, after: object, *, key: int) -> None:
        # Only keys and texts are indexed: a broken value of a seed may be one that cannot be hashed.
        if isinstance(before, int | str):
            values[before].discard(key)
        if isinstance(after, int | str):
            values.setdefault(after, set()).add(key)


def _moved(obj: Obj) -> tuple[str, int]:
    # What has no date comes first, since a null is later than nothing.
    return str(obj.get("modifiedDate") or ""), obj["key"]
