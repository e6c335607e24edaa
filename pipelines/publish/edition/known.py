"""What is known of the published file without reading it: how many rows each part has, and the sum of their hashes.

It stands in the warehouse, with which file it is of, and holds as long as that is still the file in place, byte for
byte, and for the accounting day alone: the first edition of a day reads all of the warehouse and of the file, and finds
what nobody noted, and a block that is damaged.
"""

# ruff: noqa: S608 - statements are made of our own names and of hashes, never of data

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path

import duckdb

from pipelines import __version__
from pipelines.core.literals import literal
from pipelines.core.table_ref import TableRef
from pipelines.publish.edition.parts import Part, Sums, part_name, part_of
from pipelines.stores.changes import Changed, create_changes, forget_changes, noted_changes
from pipelines.stores.warehouse import STORAGE_VERSION, transaction

FILE, PARTS = TableRef("ctl", "published_file"), TableRef("ctl", "published_parts")


@dataclass(frozen=True, slots=True)
class Known:
    """What a file holds: ``sums`` of its tables, as far as known.

    ``followed`` are the tables of which every change is noted, ``changed`` those that have changed since.
    """

    sums: Mapping[TableRef, Sums] = field(default_factory=dict)
    followed: frozenset[TableRef] = frozenset()
    changed: Mapping[TableRef, Changed] = field(default_factory=dict)

    def scope(self, ref: TableRef) -> Changed | None:
        """Return which rows of a table may be others than in the file; None for none of them."""
        return self.changed.get(ref) if ref in self.sums and ref in self.followed else Changed()


def read_known(connection: duckdb.DuckDBPyConnection, place: Path, *, today: date) -> Known:
    """Return what the warehouse knows of the file in place; nothing where it is another, or of another day."""
    _create(connection)
    # Who writes a table goes on to note it, whatever became of the file.
    names = connection.execute(f"SELECT DISTINCT table_name FROM {PARTS.quoted} WHERE is_followed").fetchall()
    followed = frozenset(TableRef.parse(name) for (name,) in names)
    is_of_place = place.exists() and connection.execute(f"FROM {FILE.quoted}").fetchall() == [
        (_identity(place, today),)
    ]
    return Known(_sums(connection) if is_of_place else {}, followed, noted_changes(connection))


def _sums(connection: duckdb.DuckDBPyConnection) -> dict[TableRef, Sums]:
    sums: dict[TableRef, dict[Part, tuple[int, int]]] = {}
    rows = connection.execute(f"SELECT table_name, part, row_count, total FROM {PARTS.quoted}").fetchall()
    for name, part, count, total in rows:
        # A table without rows has one line of no part.
        sums.setdefault(TableRef.parse(name), {}).update({} if part is None else {part_of(part): (count, total)})
    return dict(sums)


def keep_known(
    connection: duckdb.DuckDBPyConnection,
    place: Path,
    sums: Mapping[TableRef, Sums],
    *,
    before: Known,
    tables: frozenset[TableRef],
    today: date,
) -> None:
    """Keep what is in the file that was just put in place, and forget the notes; ``tables`` are no views.

    Killed before this line, the warehouse knows another file, and the next edition reads all.
    """
    followed = (before.followed | {*before.changed}) & tables
    rows = ", ".join(_rows(sums, followed))
    with transaction(connection):
        forget_changes(connection)
        connection.execute(f"DELETE FROM {FILE.quoted}")
        connection.execute(f"DELETE FROM {PARTS.quoted}")
        connection.execute(f"INSERT INTO {FILE.quoted} VALUES ({literal(_identity(place, today))})")
        if rows:
            connection.execute(f"INSERT INTO {PARTS.quoted} VALUES {rows}")


def _rows(sums: Mapping[TableRef, Sums], followed: frozenset[TableRef]) -> Iterator[str]:
    for ref, parts in sums.items():
        told = f"{literal(str(ref))}, {ref in followed}"
        for part, (count, total) in parts.items():
            yield f"({told}, {literal(part_name(part))}, {count}, {total})"
        if not parts:
            yield f"({told}, NULL, 0, 0)"


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    create_changes(connection)
    connection.execute(f"CREATE TABLE IF NOT EXISTS {FILE.quoted} (identity VARCHAR)")
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {PARTS.quoted} "
        "(table_name VARCHAR, is_followed BOOLEAN, part VARCHAR, row_count BIGINT, total HUGEINT)"
    )


def _identity(place: Path, today: date) -> str:
    """Tell one file from any other and from itself after anybody has written to it, on one accounting day."""
    found = place.stat()
    return f"{writer()} {today} {found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"


@cache
def writer() -> str:
    """Hash what publishes: other code may have masked or left out other columns, another DuckDB has other hashes."""
    digest = hashlib.sha256(f"{__version__}\0{duckdb.__version__}\0{STORAGE_VERSION}".encode())
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
