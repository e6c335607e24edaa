"""Who may see what: entities stand in a tree, and a token reaches its own entity and everything below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.sandbox.ledger.store import LedgerStore
    from pipelines.sandbox.ledger.values import Row

# Rows of the books belong to one entity; all other tables hold master data, which entities below see too
# (docs/systems/ledger.md#l14).
_BOOKS = frozenset({
    "import_items", "import_errors", "headers", "transactions", "ap_rows", "ar_rows", "periods_closed",
})  # fmt: skip
_MAX_DEPTH = 20


def chain(store: LedgerStore, owner: int) -> list[int]:
    """List the entity and those above it, nearest first."""
    found: list[int] = []
    at: int | None = owner
    while at is not None and len(found) < _MAX_DEPTH:
        found.append(at)
        at = store.rows[at].get("parentDbId")
    return found


def reach(store: LedgerStore, owner: int) -> set[int]:
    """List the entity and those below it."""
    return {entity for entity in store.tables["entities"].rows if owner in chain(store, entity)}


def visible(store: LedgerStore, owner: int, *, owner_set: str | None, table: str) -> set[int]:
    """List the entities whose rows of a table an ``ownerSet`` asks for.

    Source: docs/systems/ledger.md#1-4; the default is ALL.
    """
    above = set() if table in _BOOKS else set(chain(store, owner)) - {owner}
    match owner_set:
        case "CURRENT" | "MINE":
            return {owner}
        case "UPPER":
            return above
        case "LOWER":
            return reach(store, owner) - {owner}
        case _:
            return reach(store, owner) | above


def entity_by_code(store: LedgerStore, owner_code: object) -> Row | None:
    """Find an entity by its five-digit code."""
    found = store.tables["entities"].having("code", str(owner_code))
    return found[0] if found else None


def company_currency(store: LedgerStore, owner: int) -> Row:
    """Give the currency an entity keeps its books in."""
    return store.rows[store.rows[owner]["currencyDbId"]]
