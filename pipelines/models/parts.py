"""Which parts of a model are built anew: those whose rows, in anything it reads, have changed since it was built.

A model says by which column it is divided (``-- parts: document_key``): a row follows from rows of its own part alone,
in every table that has the column. In another table the same parts may go by another column (``; map.actual_rows by
project_code``), or be linked (``; stg_ledger.transactions by header_db_id of rec.booked_vouchers``): its rows belong to
the parts that the other table names. Of any other table, and of rows without a part, a change concerns all. A model
that is not divided is one part: it is built where anything that it reads has changed. The text of a model stays what
runs: it finds, under the names it has, tables with the changed parts alone.
"""

# ruff: noqa: S608 - statements are made of quoted names, of hashes and of whole numbers

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb
import msgspec

from pipelines.core.table_ref import TableRef, quote
from pipelines.models import noted
from pipelines.models.external import read_external
from pipelines.models.functions import functions_sql
from pipelines.models.looks import Looking
from pipelines.models.moves import given_parts, look_copied
from pipelines.models.noted import Keys, Stream, differing, of_parts, versions
from pipelines.stores.changes import part_number
from pipelines.stores.moves import MOVED_BY_DOCUMENT
from pipelines.stores.rows import number_of

if TYPE_CHECKING:
    from pipelines.models.model import Columns, Model

# Of smaller tables all is built sooner than it is known what has changed.
LEAST_ROWS = 10_000
# A database in memory for each lane.
SHADOW = "parts_"


@dataclass(slots=True)
class Parts:
    """What has changed since each model was built; found out, and noted, as models are built."""

    # Of all tables as they will be once all is built, and of those that are there before.
    columns: Mapping[TableRef, Columns] = field(default_factory=dict)
    present: Mapping[TableRef, Columns] = field(default_factory=dict)
    # 0: nothing is noted, and all is built whole.
    build_no: int = 0
    # Whether it is known what has changed in what the models read, and models may be built in parts.
    is_known: bool = False
    # Up to which build each model is as it was noted.
    frames: Mapping[tuple[str, str], int] = field(default_factory=dict)
    # Of a table that a model makes, the columns by which others read it in parts.
    followed: Mapping[TableRef, Collection[str]] = field(default_factory=dict)
    # Which models read a table.
    readers: Mapping[TableRef, Collection[TableRef]] = field(default_factory=dict)
    # Models that need not be built, and those that are built and give what they gave before.
    current: set[TableRef] = field(default_factory=set)
    unchanged: set[TableRef] = field(default_factory=set)

    def keys_of(self, connection: duckdb.DuckDBPyConnection, model: Model) -> Keys | None:
        """Return the parts of a model to be built anew, None where it is to be built whole; all it reads is there.

        Of a model that is not divided there is none to be built, or it is to be built whole.
        """
        if not self.is_known or model.keep or model.ref not in self.present:
            return None
        since = self.frames.get((str(model.ref), self._frame(model)))
        if since is None:
            return None
        keys: set[int] = set()
        links = {link.table: link for link in model.links}
        moved = noted.moved_since(connection, streams_of(model, self.columns), build_no=since)
        for stream, changed in moved.items():
            if changed is None:
                return None
            link = links.get(stream.table)
            other = link.other if link else None
            beside = None if other is None else Stream(other, stream.column)
            keys |= changed if beside is None else _others(connection, self.columns, beside, model.divided, changed)
        if not keys:
            self.current.add(model.ref)
        return frozenset(keys) if len(keys) <= noted.MOST_PARTS else None

    @contextmanager
    def following(self, connection: duckdb.DuckDBPyConnection, model: Model, keys: Keys | None) -> Iterator[None]:
        """Note which parts of a model change while a block builds it, whole or these parts alone."""
        columns = self.followed.get(model.ref, ()) if self.build_no else ()
        # Of another release it may have other columns.
        is_alike = bool(columns) and self.present.get(model.ref) == self.columns[model.ref]
        is_compared = is_alike and not model.keep and (keys is None or bool(keys))
        if not is_compared:
            yield
            # Of what keeps rows, those that came anew have changed as well.
            moved = keys if keys is None or not model.keep else keys | given_parts(connection, model)
            for column in columns if moved is None or moved else ():
                self._note(connection, model, column, moved if column == model.part_column else None)
        else:
            yield from self._compared(connection, model, keys, columns)
        if self.build_no and not model.keep and not model.moves:
            noted.note_frame(connection, model.ref, self._frame(model), build_no=self.build_no)

    def end(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Note what needed no building, once all is built; forget what every model has followed."""
        if self.build_no:
            noted.note_current(connection, self.current, build_no=self.build_no)
            noted.forget_followed(connection, self.readers)

    def _compared(
        self, connection: duckdb.DuckDBPyConnection, model: Model, keys: Keys | None, columns: Collection[str]
    ) -> Iterator[None]:
        where = "TRUE" if keys is None else f"{_of_model(model, keys)} OR {quote(model.part_column)} IS NULL"
        # By any column it is seen whether there is a change at all.
        told = [column for column in columns if column] or [""]
        own = self.columns[model.ref]
        queries = {column: versions(Stream(model.ref, column), own, where=where) for column in told}
        for number, query in enumerate(queries.values()):
            connection.execute(f"CREATE OR REPLACE TEMPORARY TABLE before_{number} AS {query}")
        yield
        is_changed = False
        for number, (column, query) in enumerate(queries.items()):
            changed = differing(connection, query, f"FROM before_{number}")
            is_changed = is_changed or changed is None or bool(changed)
            self._note(connection, model, column, changed)
        # Only what was told once may be silent: see ``stores/changes.py``.
        if not is_changed and any(name == str(model.ref) for name, _ in self.frames):
            self.unchanged.add(model.ref)
        if is_changed and told != [""]:
            self._note(connection, model, "", None)

    def _note(self, connection: duckdb.DuckDBPyConnection, model: Model, column: str, keys: Keys | None) -> None:
        noted.note_moved(connection, Stream(model.ref, column), keys, build_no=self.build_no)

    def _frame(self, model: Model) -> str:
        """Hash what a model is made by, but for the rows that it reads."""
        digest = hashlib.sha256(msgspec.json.encode(model))
        # Another DuckDB has other hashes.
        digest.update(f"{duckdb.__version__}{functions_sql()}".encode())
        digest.update(repr([(str(ref), [*self.columns.get(ref, {}).items()]) for ref in model.reads]).encode())
        return digest.hexdigest()


def open_parts(connection: duckdb.DuckDBPyConnection, models: Iterable[Model], catalog: Iterable[Model]) -> Parts:
    """Begin a build of these models: find out what has changed in the tables they read that no model makes.

    ``catalog`` are all models: what is built here, others may read in parts, and find out when they are built.
    """
    noted.create_notes(connection)
    chosen, known = [*models], {model.ref: model for model in catalog}
    present = read_external(connection, schemas={ref.schema for m in known.values() for ref in (m.ref, *m.reads)})
    columns = present | {model.ref: {column.name: column.type for column in model.columns} for model in chosen}
    divided = {stream for model in known.values() if model.divided for stream in divided_by(model, columns)}
    if most_rows(connection, [stream.table for stream in divided]) < LEAST_ROWS:
        noted.forget_all(connection)
        return Parts(columns, present)
    followed = {ref: {"", *(stream.column for stream in divided if stream.table == ref)} for ref in known}
    readers: dict[TableRef, set[TableRef]] = {}
    for model in known.values():
        for ref in model.reads:
            readers.setdefault(ref, set()).add(model.ref)
    is_known = any(model.divided for model in chosen)
    build_no, frames = noted.next_build(connection), noted.frames(connection)
    parts = Parts(columns, present, build_no, is_known, frames, followed, readers)
    read = {stream for model in chosen if not model.keep for stream in streams_of(model, columns)} if is_known else ()
    looking = Looking(connection, build_no)
    for stream in read:
        if stream.table not in known and stream.table in present:
            own = columns[stream.table]
            if stream.table in MOVED_BY_DOCUMENT and stream.column in {"", "document_key"}:
                look_copied(looking, stream, own)
            else:
                looking.look(stream, own)
    return parts


def most_rows(connection: duckdb.DuckDBPyConnection, tables: Iterable[TableRef]) -> int:
    """Return about how many rows the largest of these tables has, 0 where none is there."""
    names = ", ".join(f"'{ref}'" for ref in tables) or "''"
    return number_of(
        connection.execute(
            "SELECT coalesce(max(estimated_size), 0) FROM duckdb_tables() WHERE database_name = current_database() "
            f"AND schema_name || '.' || table_name IN ({names})"
        )
    )


def divided_by(model: Model, columns: Mapping[TableRef, Columns]) -> Collection[Stream]:
    """Return the tables that a model reads in parts, each with the column by which."""
    own = {ref: model.part_column for ref in model.reads if model.part_column in columns.get(ref, {})}
    return [Stream(ref, column) for ref, column in (own | {link.table: link.column for link in model.links}).items()]


def streams_of(model: Model, columns: Mapping[TableRef, Columns]) -> Collection[Stream]:
    """Return all tables that a model reads, each with the column by which, none where it reads all of it."""
    divided = dict(divided_by(model, columns))
    return [Stream(ref, divided.get(ref, "")) for ref in model.reads]


def _others(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[TableRef, Columns], beside: Stream, other: str, keys: Keys
) -> Keys:
    """Return what a table that links two columns has in the other one beside these keys in its own."""
    kinds = columns[beside.table]
    wanted = f"{of_parts(beside.column, keys, kinds[beside.column])} AND {quote(other)} IS NOT NULL"
    found = f"SELECT DISTINCT {part_number(other, kinds[other])} FROM {beside.table.quoted} WHERE {wanted}"
    return frozenset(key for (key,) in connection.execute(found).fetchall())


def show_parts(
    connection: duckdb.DuckDBPyConnection, model: Model, keys: Keys, columns: Mapping[TableRef, Columns], *, lane: int
) -> None:
    """Make views of what a model reads, with these parts alone; see ``show``."""
    linked, conditions = {link.table: link.other for link in model.links}, {}
    for ref, column in divided_by(model, columns):
        other = linked.get(ref)
        beside = None if other is None else Stream(other, model.part_column)
        own = keys if beside is None else _others(connection, columns, beside, column, keys)
        conditions[ref] = f"{of_parts(column, own, columns[ref][column])} OR {quote(column)} IS NULL"
    show(connection, model, conditions, lane=lane)


def show(connection: duckdb.DuckDBPyConnection, model: Model, conditions: Mapping[TableRef, str], *, lane: int) -> None:
    """Make views of what a model reads, where its rows meet a condition, under the same names in a lane's database."""
    warehouse, shadow = database_of(connection), f"{SHADOW}{lane}"
    connection.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {shadow}")
    for ref in model.reads:
        where = f" WHERE {conditions[ref]}" if ref in conditions else ""
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {shadow}.{quote(ref.schema)}")
        connection.execute(
            f"CREATE OR REPLACE VIEW {shadow}.{ref.quoted} AS SELECT * FROM {warehouse}.{ref.quoted}{where}"
        )


def replace_parts(connection: duckdb.DuckDBPyConnection, model: Model, keys: Keys, *, lane: int) -> int:
    """Put what a model gives for these parts in their place, in the transaction that is open; return all its rows.

    Its SELECT begins on the second line of the statement, as in ``create_statement``.
    """
    if keys:
        # Rows without a part come again, as do those that a table without parts gives: of these only what was deleted.
        these = f"{_of_model(model, keys)} OR {quote(model.part_column)} IS NULL"
        connection.execute(f"DELETE FROM {model.ref.quoted} WHERE {these}")
        with among_views(connection, lane) as warehouse:
            connection.execute(
                f"INSERT INTO {warehouse}.{model.ref.quoted} SELECT * FROM (\n{model.sql}\n) AS made WHERE {these}"
            )
    return number_of(connection.execute(f"SELECT count(*) FROM {model.ref.quoted}"))


@contextmanager
def among_views(connection: duckdb.DuckDBPyConnection, lane: int) -> Iterator[str]:
    """Let a block find the views of a lane by the names of tables; give the name of the warehouse, quoted."""
    warehouse = database_of(connection)
    connection.execute(f"USE {SHADOW}{lane}")
    try:
        yield warehouse
    finally:
        # An error has spoiled the transaction, which hears of nothing but its end.
        with suppress(duckdb.TransactionException):
            connection.execute(f"USE {warehouse}")


def database_of(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the name of the database that a connection uses, quoted."""
    row = connection.execute("SELECT current_database()").fetchone()
    return quote(str(row[0] if row else ""))


def _of_model(model: Model, keys: Keys) -> str:
    return of_parts(model.part_column, keys, model.column(model.part_column).type)
