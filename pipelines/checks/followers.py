"""Which documents wait only for others that are ready: reversals that go in the same run, after what they reverse."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import duckdb

# The rule that holds a reversal until what it takes back is sent (docs/mapping.md#1-6-7).
AWAITS_ORIGINAL: Final = "original_not_sent"


def find_followers(
    warehouse: duckdb.DuckDBPyConnection, *, critical: Mapping[int, Collection[str]], ready: Collection[int]
) -> frozenset[int]:
    """Return the documents held by nothing but what they reverse, all of which is ready, or follows itself.

    ``critical`` are the rules that hold each document, by its key.
    """
    waiting = {key for key, rules in critical.items() if set(rules) == {AWAITS_ORIGINAL}}
    if not waiting:
        return frozenset()
    originals: dict[int, set[int]] = {}
    rows = warehouse.execute("SELECT document_key, original_key FROM map.reversal_originals WHERE state = 'waits'")
    for document, original in rows.fetchall():
        originals.setdefault(document, set()).add(original)
    found: set[int] = set()
    # A reversal may itself be reversed; each turn finds at least one more, or ends it.
    while more := {key for key in waiting - found if originals.get(key, set()) <= found.union(ready)}:
        found |= more
    return frozenset(found)


def note_followers(warehouse: duckdb.DuckDBPyConnection, keys: Collection[int]) -> None:
    """Keep the keys of the followers for as long as the warehouse is open."""
    warehouse.execute("CREATE OR REPLACE TEMP TABLE followers (document_key BIGINT)")
    if keys:
        warehouse.executemany("INSERT INTO followers VALUES (?)", [(key,) for key in sorted(keys)])


def noted_followers(warehouse: duckdb.DuckDBPyConnection) -> frozenset[int]:
    """Return the keys that ``note_followers`` has kept."""
    return frozenset(key for (key,) in warehouse.execute("SELECT document_key FROM followers").fetchall())
