"""The ledger's entities as the models have them: the id behind an entity code, and whose records an entity sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.load.look_up import LookUpFinding, Presence

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from pipelines.outbox.entry import Entry


@dataclass(frozen=True, slots=True)
class LedgerEntities:
    """Entity code -> its dbId; owner of master data -> the dbIds of the entities whose master data it sees.

    The owner None stands for the entity of the token (no companies in the settings).
    """

    ids: Mapping[int, str]
    seen: Mapping[int | None, frozenset[str]]

    def owner(self, code: int | None) -> str | None:
        """Return what rows of this entity carry as `ownerDbId`; None when the ledger has no such entity."""
        return None if code is None else self.ids.get(code)


def read_entities(warehouse: duckdb.DuckDBPyConnection) -> LedgerEntities:
    """Read `map.entities` and `map.master_visibility`."""
    # An entity without a number as its code cannot be named in a voucher (`ownerCode`).
    ids = warehouse.execute("SELECT owner_code, entity_db_id FROM map.entities WHERE owner_code IS NOT NULL").fetchall()
    # Master data of a group is shared with the companies below it, so one owner sees records of several.
    seen: dict[int | None, set[str]] = {}
    for owner, db_id in warehouse.execute("SELECT owner_code, seen_owner_db_id FROM map.master_visibility").fetchall():
        seen.setdefault(owner, set()).add(str(db_id))
    return LedgerEntities(
        ids={code: str(db_id) for code, db_id in ids},
        seen={owner: frozenset(db_ids) for owner, db_ids in seen.items()},
    )


def without_entity(entry: Entry) -> LookUpFinding:
    """Say of an entry of an entity that was not read that nothing can be said, and nothing is sent.

    Without its entity nothing can be matched, and "no match" must not be read as "not there".
    """
    message = f"{entry.label}: the ledger has no entity {entry.owner_code or 'at all'}."
    return LookUpFinding(Presence.UNDECIDED, f"{message} Next: correct `companies` in the settings.")
