"""Knows a reading that came before, byte for byte: nothing of it is parsed, and no parser is imported for it.

Windows overlap, and small lists are read whole, so on an idle run all that comes has come before. Known readings are
forgotten, in the same file and first, when anything is written to the staging table they were landed in: then the same
bytes may mean something else. So may they when other objects of their kind are set aside.
"""

# ruff: noqa: S608 names of tables come from the contracts, values go through `literal`: DuckDB imports pandas for a list

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from pipelines import __version__
from pipelines.core.literals import literal
from pipelines.wire.pages import Unreadable

if TYPE_CHECKING:
    import duckdb

    from pipelines.contracts.contract import Contract

# Larger readings are no idle ones, and to hash them would take longer than to see in their first objects what is new.
LARGEST = 16 * 1024 * 1024
# Of so many readings a table the last are kept: a window that moves on brings others.
KEPT = 20
_TABLE = "ctl.readings"
_COLUMNS = (
    "number BIGINT, table_name VARCHAR, digest VARCHAR, size BIGINT, "
    "fetched BIGINT, rejected BIGINT, keys BIGINT[], rejected_keys BIGINT[], newest TIMESTAMP, ahead TIMESTAMP"
)


class Known(NamedTuple):
    """What a reading brought when it was landed: how many objects, their keys if asked for, the newest change.

    ``ahead`` is the first time that was too far ahead to count as a change then; once it counts, the reading is new.
    """

    fetched: int
    rejected: int
    keys: list[int]
    rejected_keys: list[int]
    newest: datetime | None
    ahead: datetime | None


class Reading:
    """The pages of one reading, hashed while they pass; ``pages`` are those to parse where it is not known."""

    def __init__(
        self,
        warehouse: duckdb.DuckDBPyConnection,
        contract: Contract,
        pages: Iterable[bytes],
        *,
        schema: str,
        scope: str | None,
        returns_keys: bool,
    ) -> None:
        """Begin with no page taken; ``scope`` is what the reading is complete for."""
        self._warehouse = warehouse
        self._table = f"{schema}.{contract.table}"
        self._kept = f"FROM {_TABLE} WHERE table_name = {literal(self._table)}"
        self._size = 0
        # A release may parse otherwise, or have other members.
        self._hash = hashlib.sha256(repr((__version__, scope, returns_keys, contract)).encode())
        self.pages = self._hashed(pages)

    def recognise(self, set_aside: str, *, not_after: datetime) -> Known | None:
        """Return what is known of it, None where it is new, which shows with the first page that is too many.

        ``set_aside`` tells the objects that are set aside now from any others; no change is dated after ``not_after``.
        """
        _create(self._warehouse)
        rows = self._warehouse.execute(
            f"SELECT digest, size, * EXCLUDE (number, table_name, digest, size) {self._kept}"
        ).fetchall()
        known = {digest: Known(*told) for digest, _, *told in rows}
        largest = max((size for _, size, *_ in rows), default=-1)
        held: list[bytes] = []
        for page in self.pages:
            held.append(page)
            if self._size > largest:
                break
        else:
            found = known.get(self._digest(set_aside))
            if found and (found.ahead is None or found.ahead > not_after):
                return found
        self.pages = chain(held, self.pages)
        return None

    def keep(self, brought: Known, set_aside: str) -> None:
        """Know it from now on; all of it is staged as it came, or set aside as ``set_aside`` says."""
        if self._size > LARGEST:
            return
        _create(self._warehouse)
        told = [self._table, self._digest(set_aside), self._size, *brought]
        values = ", ".join(str(value) if isinstance(value, list) else literal(value) for value in told)
        self._warehouse.execute(f"INSERT INTO {_TABLE} SELECT coalesce(max(number), 0) + 1, {values} FROM {_TABLE}")
        self._warehouse.execute(
            f"DELETE {self._kept} AND number NOT IN (SELECT number {self._kept} ORDER BY number DESC LIMIT {KEPT})"
        )

    def _hashed(self, pages: Iterable[bytes]) -> Iterator[bytes]:
        for page in pages:
            self._size += len(page)
            if self._size <= LARGEST:
                # An object that is no JSON is known by its key: many may be answered with the same words.
                key = page.key if isinstance(page, Unreadable) else None
                self._hash.update(f"{key} {len(page)} ".encode())
                self._hash.update(page)
            yield page

    def _digest(self, set_aside: str) -> str:
        return hashlib.sha256(f"{self._hash.hexdigest()} {set_aside}".encode()).hexdigest()


def forget_readings(warehouse: duckdb.DuckDBPyConnection, table: str) -> None:
    """Forget the readings of a staging table, before anything is written to it or in the same transaction."""
    _create(warehouse)
    warehouse.execute(f"DELETE FROM {_TABLE} WHERE table_name = {literal(table)}")


def _create(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute(f"CREATE TABLE IF NOT EXISTS {_TABLE} ({_COLUMNS})")
