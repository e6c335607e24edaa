"""Finds out what has changed in tables that no model makes, and notes it as of the build that finds it.

A sum of hashes is kept of each table, and one of each of its parts. Of a table that is landed only the parts of rows
that were written since the last look are added up anew. Where the rest does not come to what it was, rows have gone or
have other stamps, and all parts are.
"""

# ruff: noqa: S608 - statements are made of quoted names, of hashes and of whole numbers

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pipelines.core.literals import literal
from pipelines.models.noted import (
    MOST_PARTS,
    SEEN,
    VERSIONS,
    Keys,
    Stream,
    differences,
    note_moved,
    of_parts,
    version,
    versions,
)
from pipelines.stores.changes import part_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from pipelines.core.table_ref import TableRef
    from pipelines.models.model import Columns


class _FoundBy(NamedTuple):
    """How rows that were written since are found: until when they were written, and which are later, as SQL."""

    newest: str
    later: str


# A child row has the number of the fetch alone, which begins with the batch. What is found is only where to look first.
_FOUND_BY = {
    "fetched_at": _FoundBy("max(fetched_at)", "fetched_at > CAST({} AS TIMESTAMP)"),
    "fetch_id": _FoundBy("split_part(max(fetch_id), '.', 1)", "fetch_id >= {}"),
}


def _found_by(columns: Columns) -> _FoundBy | None:
    return next((found_by for name, found_by in _FOUND_BY.items() if name in columns), None)


class _Sum(NamedTuple):
    """The sum over all rows of a table, and until when they were written, where they say that."""

    total: int = 0
    until: str | None = None


class _Part(NamedTuple):
    """The sum over a part as it is and as it is noted, 0 where there is none."""

    part: int | None
    now: int
    before: int


@dataclass(slots=True)
class Looking:
    """The looks of one build: each table is added up once, by however many columns it is read in parts."""

    connection: duckdb.DuckDBPyConnection
    build_no: int
    _sums: dict[tuple[TableRef, str], _Sum] = field(default_factory=dict)

    def look(self, stream: Stream, columns: Columns, *, where: str = "TRUE") -> None:
        """Note what has changed in a table; ``where`` are the rows to look at, of all that are ever looked at."""
        now, before = self._sum(stream.table, columns, where), self._seen(stream)
        if now.total == before.total:
            return
        changed = self._changed(stream, columns, before, now, where) if stream.column else None
        note_moved(self.connection, stream, changed, build_no=self.build_no)
        self.connection.execute(f"DELETE FROM {SEEN.quoted} WHERE {stream.place}")
        values = f"'{stream.table}', '{stream.column}', {now.total}, {literal(now.until)}"
        self.connection.execute(f"INSERT INTO {SEEN.quoted} VALUES ({values})")

    def _sum(self, ref: TableRef, columns: Columns, where: str) -> _Sum:
        if (found := self._sums.get((ref, where))) is None:
            found_by = _found_by(columns)
            newest = found_by.newest if found_by else "NULL"
            row = self.connection.execute(
                f"SELECT coalesce({version(ref, columns)}, 0), CAST({newest} AS VARCHAR) "
                f"FROM {ref.quoted} AS whole_row WHERE {where}"
            ).fetchone()
            found = self._sums[ref, where] = _Sum(*row or ())
        return found

    def _seen(self, stream: Stream) -> _Sum:
        found = f"SELECT total, until FROM {SEEN.quoted} WHERE {stream.place}"
        return _Sum(*self.connection.execute(found).fetchone() or ())

    def _changed(self, stream: Stream, columns: Columns, before: _Sum, now: _Sum, where: str) -> Keys | None:
        """Return the parts that have changed, None for any of them, and note their sums."""
        if (fresh := self._fresh(stream, columns, before)) is not None:
            these = of_parts(stream.column, fresh, columns[stream.column])
            rows = self._differing(stream, versions(stream, columns, where=these), of_parts("part", fresh))
            if sum(row.now - row.before for row in rows) == now.total - before.total:
                return self._noted(stream, rows)
        everything = versions(stream, columns, where=where)
        rows = self._differing(stream, everything, "TRUE")
        if len(rows) <= MOST_PARTS and None not in {row.part for row in rows}:
            return self._noted(stream, rows)
        self._note(stream, "TRUE", everything)
        return None

    def _fresh(self, stream: Stream, columns: Columns, before: _Sum) -> Keys | None:
        """Return the parts of rows that were written since; None: too many, or it is not known."""
        found_by = _found_by(columns)
        if found_by is None or before.until is None:
            return None
        part = part_number(stream.column, columns[stream.column])
        rows = self.connection.execute(
            f"SELECT DISTINCT {part} FROM {stream.table.quoted} "
            f"WHERE {found_by.later.format(literal(before.until))} LIMIT {MOST_PARTS + 1}"
        ).fetchall()
        keys = frozenset(key for (key,) in rows)
        return None if len(keys) > MOST_PARTS or None in keys else keys

    def _differing(self, stream: Stream, query: str, noted: str) -> list[_Part]:
        """Return the parts of which a query gives another sum than is noted: no more than one above the most."""
        before = f"SELECT part, version FROM {VERSIONS.quoted} WHERE {stream.place} AND {noted}"
        return [_Part(*row) for row in self.connection.execute(differences(query, before)).fetchall()]

    def _noted(self, stream: Stream, rows: Sequence[_Part]) -> Keys:
        keys = frozenset(row.part for row in rows if row.part is not None)
        values = ", ".join(f"({row.part}, {row.now})" for row in rows if row.now)
        self._note(stream, of_parts("part", keys), f"VALUES {values}" if values else "")
        return keys

    def _note(self, stream: Stream, these: str, query: str) -> None:
        self.connection.execute(f"DELETE FROM {VERSIONS.quoted} WHERE {stream.place} AND {these}")
        if query:
            own = f"SELECT '{stream.table}', '{stream.column}', part, version FROM ({query}) AS now (part, version)"
            self.connection.execute(f"INSERT INTO {VERSIONS.quoted} {own}")
