"""Opens what can be read while a batch may hold the tables: the warehouse when it is free, else the published file."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import duckdb

from pipelines.core.literals import literal
from pipelines.stores.rows import Row, rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.core.settings import Settings

PUBLISHED_FILE = "springline.duckdb"
WAREHOUSE, PUBLISHED = "warehouse", "published file"
# Seconds that a batch which holds the warehouse is waited for, and between two looks.
PATIENCE, LOOK = 3.0, 0.1


@dataclass(frozen=True, slots=True)
class Tables:
    """An open file of tables: which one it is, and when it was last written (aware UTC)."""

    connection: duckdb.DuckDBPyConnection
    origin: str
    as_of: datetime

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Return the rows of a query by column name; none when the file does not have the table."""
        try:
            if parameters:
                # Not bound from here: for that DuckDB imports pandas, half of what a question may take.
                self.connection.execute(f"PREPARE asked AS {statement}")
                statement = f"EXECUTE asked({', '.join(map(_written, parameters))})"
            cursor = self.connection.execute(statement)
        except duckdb.CatalogException:
            return []
        return rows_of(cursor)


@contextmanager
def open_tables(settings: Settings, *, is_published: bool = False) -> Iterator[Tables | None]:
    """Open the warehouse read-only or, where a batch holds it, the published file; None when there is neither.

    A batch is waited for as long as most of a watch's take. While the warehouse is open here no batch can begin: read
    what is needed and leave. Who looks again and again asks for the published file alone (``is_published``), which
    keeps no batch out.
    """
    warehouse = None if is_published else _open(settings.warehouse_path, WAREHOUSE, patience=PATIENCE)
    tables = warehouse or _open(settings.published / PUBLISHED_FILE, PUBLISHED)
    try:
        yield tables
    finally:
        if tables is not None:
            tables.connection.close()


def _open(path: Path, origin: str, *, patience: float = 0) -> Tables | None:
    end = time.monotonic() + patience
    while True:
        try:
            as_of = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            return Tables(duckdb.connect(str(path), read_only=True), origin, as_of)
        except (OSError, duckdb.Error) as error:
            # Not there, held by a batch, or left by a killed one with changes that only a writer may take in.
            if "lock" not in str(error).lower() or time.monotonic() >= end:
                return None
        time.sleep(LOOK)


def _written(value: object) -> str:
    """Write a value, or a list of them, into a statement.

    >>> _written([1, 2]), _written("O'Hara"), _written(None)
    ('[1, 2]', "'O''Hara'", 'NULL')
    """
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    if value is None or isinstance(value, int | str | date):
        return literal(value)
    raise TypeError(type(value))
