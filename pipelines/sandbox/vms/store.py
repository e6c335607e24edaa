"""The VMS's objects: read from memory, written through to SQLite before an answer goes out."""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.sandbox.state import transaction
from pipelines.sandbox.vms.errors import ApiError
from pipelines.sandbox.vms.index import Indexes
from pipelines.sandbox.vms.json import Obj, decode, encode
from pipelines.sandbox.vms.model import CODE_PROPERTY, MODEL, OTHER_CODES, ObjectKind, ObjectMember

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

# Seven digits, as in the vendor's samples.
_FIRST_KEY = 5_000_000
_LARGEST_KEY = 2**31 - 1
# A write to these leaves every rendered reference as it was, so that an acknowledgement costs no cache.
_VOLATILE = frozenset({"Document", "DocumentLine", "DocumentPaymentTerm", "AuditLog"})


@contextmanager
def uncollected() -> Iterator[None]:
    """Load without looking for garbage: nothing that is loaded becomes any, and the search takes longer than that."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class VmsStore:
    """Every entity's objects by key; ``generation`` counts writes, ``reference_generation`` those to master data."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.lock = threading.RLock()
        self.tables: dict[str, dict[int, Obj]] = {name: {} for name in MODEL}
        self.indexes = Indexes()
        self.learned: dict[str, dict[str, ObjectMember]] = {name: {} for name in MODEL}
        self.generation = 0
        self.reference_generation = 0
        self._db = db
        self._next_key = _FIRST_KEY
        db.execute(
            "CREATE TABLE IF NOT EXISTS vms_objects"
            " (entity TEXT NOT NULL, key INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (entity, key)) WITHOUT ROWID"
        )
        with uncollected():
            for entity, body in db.execute("SELECT entity, body FROM vms_objects"):
                self._place(entity, decode(body))

    def find(self, entity: str, key: int) -> Obj:
        """Give an object; raises ApiError 404 where there is none."""
        obj = self.tables[entity].get(key)
        if obj is None:
            raise ApiError(f"{entity} with key {key} does not exist.", status=404)
        return obj

    def member(self, entity: str, name: str) -> ObjectMember | None:
        """Give what is known of a member: from the model, or learned from a seed that brought it."""
        return MODEL[entity].members.get(name) or self.learned[entity].get(name)

    def keys_of(self, entity: str, code: str) -> list[int]:
        """Give the keys of the objects with a code, lowest first, by each entity's own idea of its code."""
        if entity == "Voyage":
            # A voyage has no code of its own; samples use the number of its header (docs/systems/vms.md#3-9).
            headers = self.indexes.find("VoyageHeader", "referenceNo", value=code)
            return sorted(key for head in headers for key in self.indexes.find("Voyage", "voyageHeader", value=head))
        if entity == "Vessel":
            codes = self.indexes.find("VesselCode", "vesselCode", value=code)
            vessels = {key: self.tables["VesselCode"][key]["vessel"] for key in codes}
            # A vessel may have several codes: only the first names it, then its name does.
            firsts = [vessel for key, vessel in vessels.items() if self._first_code(vessel) == key]
            if firsts:
                return sorted(firsts)
        names = OTHER_CODES.get(entity, (MODEL[entity].code,))
        return sorted(key for name in names if name for key in self.indexes.find(entity, name, value=code))

    def code_of(self, entity: str, key: int) -> str:
        """Give an object's code as people know it, its key where it has no code, nothing where there is no object."""
        obj = self.tables[entity].get(key)
        if obj is None:
            return ""
        if entity == "Voyage" and obj.get("voyageHeader") is not None:
            return self.code_of("VoyageHeader", obj["voyageHeader"])
        names = OTHER_CODES.get(entity, (MODEL[entity].code,))
        return str(next((obj[name] for name in names if obj.get(name) is not None), key))

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """Write a unit of work: all of it is on disk at the end, none of it in memory when the block raises."""
        with self.lock:
            unit = Unit(self)
            try:
                yield unit
                # Inside the try: if the disk refuses, memory is undone as well.
                self._flush(unit)
            except BaseException:
                unit.undo()
                raise

    def new_key(self) -> int:
        """Give a key that no object of any entity has."""
        # Keys of a refused request are not used again.
        key, self._next_key = self._next_key, self._next_key + 1
        return key

    def reserve(self, key: int) -> None:
        """Give out no key up to this one from now on; one beyond 32 bits does not drag the others after it."""
        if key < _LARGEST_KEY:
            self._next_key = max(self._next_key, key + 1)

    def _first_code(self, vessel: int) -> int | None:
        return next(iter(self.tables["Vessel"][vessel].get("vesselCodes") or ()), None)

    def _place(self, entity: str, obj: Obj) -> None:
        key = obj["key"]
        self.tables[entity][key] = obj
        self.indexes.update(entity, old=None, new=obj)
        self.learn(entity, obj)

    def learn(self, entity: str, obj: Obj) -> None:
        """Take up what a seeded object brings beyond the model: its key, and members that the model does not name."""
        self.reserve(obj["key"])
        for name in obj.keys() - MODEL[entity].members.keys() - {"key", CODE_PROPERTY}:
            self.learned[entity].setdefault(name, ObjectMember(name, ObjectKind.TEXT))

    def _flush(self, unit: Unit) -> None:
        if not unit.touched:
            return
        # In the order of the primary key, which SQLite writes several times faster than any other.
        touched = sorted(unit.touched)
        gone = [(entity, key) for entity, key in touched if key not in self.tables[entity]]
        kept = [
            (entity, key, encode(self.tables[entity][key])) for entity, key in touched if key in self.tables[entity]
        ]
        with transaction(self._db) as db:
            db.executemany("INSERT OR REPLACE INTO vms_objects (entity, key, body) VALUES (?, ?, ?)", kept)
            db.executemany("DELETE FROM vms_objects WHERE entity = ? AND key = ?", gone)
        self.generation += 1
        if any(entity not in _VOLATILE for entity, _ in unit.touched):
            self.reference_generation += 1


class Unit:
    """The writes of one request; ``touched`` holds each object's state from before."""

    def __init__(self, store: VmsStore) -> None:
        self._store = store
        self.touched: dict[tuple[str, int], Obj | None] = {}

    def put(self, entity: str, obj: Obj) -> None:
        """Store an object; ``obj`` is a new dictionary, never the stored one changed in place."""
        old = self._remember(entity, obj["key"])
        self._store.tables[entity][obj["key"]] = obj
        self._store.indexes.update(entity, old=old, new=obj)

    def set(self, entity: str, key: int, **members: object) -> None:
        """Change some members of a stored object."""
        self.put(entity, {**self._store.tables[entity][key], **members})

    def remove(self, entity: str, key: int) -> None:
        """Forget an object."""
        old = self._remember(entity, key)
        del self._store.tables[entity][key]
        self._store.indexes.update(entity, old=old, new=None)

    def undo(self) -> None:
        """Put everything back as it was."""
        for (entity, key), old in self.touched.items():
            table = self._store.tables[entity]
            new = table.pop(key, None)
            self._store.indexes.update(entity, old=new, new=old)
            if old is not None:
                table[key] = old

    def _remember(self, entity: str, key: int) -> Obj | None:
        old = self._store.tables[entity].get(key)
        self.touched.setdefault((entity, key), old)
        return old
