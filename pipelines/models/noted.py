"""What is noted between builds: from what each model was built, and in which build each table has changed, and where.

Of a table that a model makes, the build that makes it notes which parts have changed, in the same transaction. What has
changed in any other table is noted by the build that finds it (see ``looks``). Each model then asks what has changed in
what it reads since the build that made it, whatever was built in between.
"""

# ruff: noqa: S608 - statements are made of quoted names, of hashes and of whole numbers

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipelines.contracts.tables import SCHEMAS as STAGED
from pipelines.core.table_ref import TableRef
from pipelines.models.stale import stamp
from pipelines.stores.changes import part_number
from pipelines.stores.rows import number_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    import duckdb

    from pipelines.models.model import Columns

# As what each model was built and when; the parts that each build has changed, none where it may be any of them; and of
# tables that no model makes, what they and their parts come to.
FRAMES, MOVED = TableRef("ctl", "built_from"), TableRef("ctl", "built_moves")
SEEN, VERSIONS = TableRef("ctl", "built_seen"), TableRef("ctl", "built_of")
_COLUMNS = {
    FRAMES: "model_name VARCHAR, frame VARCHAR, build_no BIGINT",
    MOVED: "table_name VARCHAR, part_column VARCHAR, part BIGINT, build_no BIGINT",
    SEEN: "table_name VARCHAR, part_column VARCHAR, total HUGEINT, until VARCHAR",
    VERSIONS: "table_name VARCHAR, part_column VARCHAR, part BIGINT, version HUGEINT",
}
# What releases before kept instead.
_GONE = ("built_frames", "built_parts")
# More of them are not worth a build in parts: a table of 100,000 documents is built whole in a second.
MOST_PARTS = 5_000
# Of so many moves it is looked which of them every model has followed; of more all is forgotten.
MANY_MOVES, MOST_MOVES = 10_000, 200_000

Keys = frozenset[int]


class Stream(NamedTuple):
    """A table, and the column by which its changes are told apart; none: it has changed or it has not."""

    table: TableRef
    column: str = ""

    @property
    def place(self) -> str:
        """The condition under which a note is of this stream."""
        return f"table_name = '{self.table}' AND part_column = '{self.column}'"


def create_notes(connection: duckdb.DuckDBPyConnection) -> None:
    """Create what is noted between builds."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS ctl")
    for name in _GONE:
        connection.execute(f"DROP TABLE IF EXISTS ctl.{name}")
    for ref, columns in _COLUMNS.items():
        connection.execute(f"CREATE TABLE IF NOT EXISTS {ref.quoted} ({columns})")


def next_build(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of the build that begins: higher than any that is noted."""
    numbers = f"SELECT build_no FROM {FRAMES.quoted} UNION ALL SELECT build_no FROM {MOVED.quoted}"
    return number_of(connection.execute(f"SELECT coalesce(max(build_no), 0) FROM ({numbers}) AS noted")) + 1


def forget_all(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget everything: each model is built whole the next time."""
    for ref in _COLUMNS:
        connection.execute(f"DELETE FROM {ref.quoted}")


def note_frame(connection: duckdb.DuckDBPyConnection, ref: TableRef, frame: str, *, build_no: int) -> None:
    """Note as what a model is built, in the transaction that builds it."""
    connection.execute(f"DELETE FROM {FRAMES.quoted} WHERE model_name = '{ref}'")
    connection.execute(f"INSERT INTO {FRAMES.quoted} VALUES ('{ref}', '{frame}', {build_no})")


def note_current(connection: duckdb.DuckDBPyConnection, refs: Iterable[TableRef], *, build_no: int) -> None:
    """Note that models are as this build would make them, though it made nothing of them."""
    if names := ", ".join(f"'{ref}'" for ref in refs):
        connection.execute(f"UPDATE {FRAMES.quoted} SET build_no = {build_no} WHERE model_name IN ({names})")


def frames(connection: duckdb.DuckDBPyConnection) -> Mapping[tuple[str, str], int]:
    """Return the build up to which each model is as it was noted, by its name and by what it was built as."""
    rows = connection.execute(f"SELECT model_name, frame, build_no FROM {FRAMES.quoted}").fetchall()
    return {(name, frame): build_no for name, frame, build_no in rows}


def note_moved(connection: duckdb.DuckDBPyConnection, stream: Stream, keys: Keys | None, *, build_no: int) -> None:
    """Note which parts of a table a build has changed, in its transaction; None: any of them."""
    parts = ["NULL"] if keys is None else [*map(str, sorted(keys))]
    rows = ", ".join(f"('{stream.table}', '{stream.column}', {part}, {build_no})" for part in parts)
    if rows:
        connection.execute(f"INSERT INTO {MOVED.quoted} VALUES {rows}")


def moved_since(
    connection: duckdb.DuckDBPyConnection, streams: Collection[Stream], *, build_no: int
) -> Mapping[Stream, Keys | None]:
    """Return the parts that builds after this one have changed, for each of these that has changed at all.

    None: all parts, more than ``MOST_PARTS``, or rows without a part.
    """
    listed = ", ".join(f"('{stream.table}', '{stream.column}')" for stream in streams)
    if not listed:
        return {}
    parts = f"coalesce(list(DISTINCT part) FILTER (part IS NOT NULL), [])[:{MOST_PARTS + 1}]"
    rows = connection.execute(
        f"SELECT table_name, part_column, {parts}, count(*) > count(part) FROM {MOVED.quoted} "
        f"WHERE build_no > {build_no} AND (table_name, part_column) IN ({listed}) GROUP BY ALL"
    ).fetchall()
    return {
        Stream(TableRef.parse(table), column): None if is_all or len(parts) > MOST_PARTS else frozenset(parts)
        for table, column, parts, is_all in rows
    }


def versions(stream: Stream, columns: Columns, *, where: str = "TRUE") -> str:
    """Query the parts of a table, each with its version."""
    part = part_number(stream.column, columns[stream.column]) if stream.column else "CAST(NULL AS BIGINT)"
    return (
        f"SELECT {part} AS part, {version(stream.table, columns)} AS version "
        f"FROM {stream.table.quoted} AS whole_row WHERE {where} GROUP BY 1"
    )


def version(ref: TableRef, columns: Columns) -> str:
    """Write the sum over rows of a table, named ``whole_row``, that has no order to depend on."""
    # Only what is landed is stamped with each writing: a correction changes lines that were sent, and not their time.
    # And a model may have a column that is named like a stamp.
    content = stamp(columns) if ref.schema in STAGED.values() else "whole_row"
    return f"CAST(sum(hash({content})) AS HUGEINT)"


def differences(query: str, before: str) -> str:
    """Query the parts of which two queries give another version, with both, 0 where there is none."""
    return (
        "SELECT coalesce(now.part, noted.part), coalesce(now.version, 0), coalesce(noted.version, 0) "
        f"FROM ({query}) AS now FULL JOIN ({before}) AS noted ON now.part IS NOT DISTINCT FROM noted.part "
        f"WHERE now.version IS DISTINCT FROM noted.version LIMIT {MOST_PARTS + 1}"
    )


def differing(connection: duckdb.DuckDBPyConnection, query: str, before: str) -> Keys | None:
    """Return the parts of which two queries give another version; None: too many, or rows without a part."""
    rows = connection.execute(differences(query, before)).fetchall()
    keys = frozenset(part for part, _, _ in rows)
    return None if len(keys) > MOST_PARTS or None in keys else keys


def of_parts(column: str, keys: Keys, kind: str = "BIGINT") -> str:
    """Return the condition under which a row belongs to these parts."""
    if not keys:
        return "false"
    part = part_number(column, kind)
    # The bounds as well: of a long list DuckDB makes a join, which reads all of a table.
    return f"({part} BETWEEN {min(keys)} AND {max(keys)} AND {part} IN ({', '.join(map(str, sorted(keys)))}))"


def forget_followed(connection: duckdb.DuckDBPyConnection, readers: Mapping[TableRef, Collection[TableRef]]) -> None:
    """Forget the moves that all who read a table have followed; ``readers`` are the models that read it."""
    count = number_of(connection.execute(f"SELECT count(*) FROM {MOVED.quoted}"))
    if count > MANY_MOVES:
        pairs = ", ".join(_pairs(readers))
        connection.execute(
            f"DELETE FROM {MOVED.quoted} AS moved WHERE NOT EXISTS (SELECT 1 FROM (VALUES {pairs}) AS read (t, m) "
            f"INNER JOIN {FRAMES.quoted} AS frames ON frames.model_name = read.m "
            "WHERE read.t = moved.table_name AND frames.build_no < moved.build_no)"
        )
        if number_of(connection.execute(f"SELECT count(*) FROM {MOVED.quoted}")) > MOST_MOVES:
            forget_all(connection)


def _pairs(readers: Mapping[TableRef, Collection[TableRef]]) -> Iterator[str]:
    yield "('', '')"
    for table, models in readers.items():
        yield from (f"('{table}', '{model}')" for model in models)
