"""Tells which vouchers the ledger has booked, by what was read back from it (setting posting.acknowledge)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.load.ledger.entities import read_entities
from pipelines.stores.control import named_statements

if TYPE_CHECKING:
    import duckdb

    from pipelines.outbox.entry import Entry


def booked(entries: Sequence[Entry], *, warehouse: duckdb.DuckDBPyConnection) -> list[Entry]:
    """Return the entries whose vouchers are in the ledger's books as landed in `stg_ledger`."""
    entities = read_entities(warehouse)
    owners = [entities.owner(entry.owner_code) for entry in entries]
    parameters = [
        [entry.document_key for entry in entries],
        [None if owner is None else int(owner) for owner in owners],
        *([entry.look_up[name] for entry in entries] for name in ("source", "text", "ext_order_number", "lines")),
    ]
    statement = named_statements("load", folder="questions")["booked"]
    keys = {key for (key,) in warehouse.execute(statement, parameters).fetchall()}
    return [entry for entry in entries if entry.document_key in keys]
