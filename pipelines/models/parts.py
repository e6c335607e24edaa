"""Which parts of a model are built anew: those whose rows, in anything it reads, have changed since it was built.

A model says by which column it is divided (``-- parts: document_key``): a row follows from rows of its own part alone,
in every table that has the column. A table that has not may be linked (``; stg_ledger.transactions by header_db_id of
rec.booked_vouchers``): its rows belong to the parts that the other table names. Of any other table, and of rows without
a part, a change concerns all. The text of a model stays what runs: it finds, under the names it has, tables with the
changed parts alone.
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

from pipelines.contracts.tables import SCHEMAS as STAGED
from pipelines.core.literals import among
from pipelines.core.table_ref import TableRef, quote
from pipelines.models.external import read_external
from pipelines.models.functions import functions_sql
from pipelines.models.stale import stamp
from pipelines.stores.rows import number_of

if TYPE_CHECKING:
    from pipelines.models.model import Columns, Model

# What each model that is divided was built from, and the parts that were there then of each table it reads.
FRAMES, VERSIONS = TableRef("ctl", "built_frames"), TableRef("ctl", "built_parts")
# Of smaller tables all is built sooner than it is known what has changed.
LEAST_ROWS = 10_000
# More of them are not worth a build in parts: a table of 100,000 documents is built whole in a second.
MOST_PARTS = 5_000
# A database in memory for each lane.
SHADOW = "parts_"

Keys = frozenset[int]
# A table and the column by which its rows are told apart.
Divided = tuple[TableRef, str]


@dataclass(slots=True)
class Parts:
    """What has changed since the last build, found out as the models are built; None: too much, or not known."""

    # As they will be once all is built, and the tables that are there before.
    columns: Mapping[TableRef, Columns]
    present: Collection[TableRef]
    # Of which tables changes are followed; of those that are built here while that is done.
    followed: Collection[Divided]
    built: Collection[TableRef]
    frames: Mapping[str, str]
    # By which models are built together: notes of another build say nothing of this one.
    name: str = ""
    changed: dict[Divided, Keys | None] = field(default_factory=dict)
    new_frames: dict[str, str] = field(default_factory=dict)

    def keys_of(self, connection: duckdb.DuckDBPyConnection, model: Model) -> Keys | None:
        """Return the parts of a model to be built anew, None where it is to be built whole; all it reads is there."""
        if not model.divided or not self.followed:
            return None
        frame = self.new_frames[str(model.ref)] = self._frame(connection, model)
        if model.ref not in self.present or self.frames.get(str(model.ref)) != frame:
            return None
        keys: set[int] = set()
        linked = {link.table: link.other for link in model.links}
        for ref, column in divided_by(model, self.columns).items():
            changed = self.changed.get((ref, column))
            if changed is None:
                return None
            other = linked.get(ref)
            keys |= changed if other is None else _others(connection, other, column, model.divided, changed)
        return frozenset(keys) if len(keys) <= MOST_PARTS else None

    @contextmanager
    def following(self, connection: duckdb.DuckDBPyConnection, model: Model, keys: Keys | None) -> Iterator[None]:
        """Find out which parts of a model change while a block builds it, whole or these parts alone."""
        columns = [column for ref, column in self.followed if ref == model.ref]
        self.changed |= {(model.ref, column): keys for column in columns}
        # Whole, a divided model has changed in all of it, by another day or setting; so has all before the first notes.
        is_compared = bool(keys) or (keys is None and not model.divided and model.ref in self.present and self.frames)
        if not is_compared:
            yield
            return
        queries = {
            column: _versions(model.ref, column, "whole_row", keys if column == model.divided else None)
            for column in columns
        }
        for column, query in queries.items():
            connection.execute(f"CREATE OR REPLACE TEMPORARY TABLE before_{column} AS {query}")
        yield
        for column, query in queries.items():
            self.changed[model.ref, column] = _differing(connection, query, f"FROM before_{column}")

    def note(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Note from what all were built, once they are; in the transaction that is open."""
        schemas = " ".join(sorted({ref.schema for ref in self.built}))
        for name, frame in self.new_frames.items():
            connection.execute(f"INSERT INTO {FRAMES.quoted} VALUES ('{self.name}', '{schemas}', '{name}', '{frame}')")
        for ref, column in self.followed:
            if ref in self.built:
                continue
            keys = self.changed[ref, column]
            these = "TRUE" if keys is None else of_parts("part", keys)
            place = f"{ref} by {column}"
            connection.execute(f"DELETE FROM {VERSIONS.quoted} WHERE {_noted(self.name, ref, column)} AND {these}")
            query = _versions(ref, column, _content(ref, self.columns[ref]), keys)
            connection.execute(f"INSERT INTO {VERSIONS.quoted} SELECT '{self.name}', '{place}', * FROM ({query})")
        # Of builds whose frames another one has deleted.
        connection.execute(f"DELETE FROM {VERSIONS.quoted} WHERE build NOT IN (SELECT build FROM {FRAMES.quoted})")

    def _frame(self, connection: duckdb.DuckDBPyConnection, model: Model) -> str:
        digest = hashlib.sha256(msgspec.json.encode(model))
        digest.update(functions_sql().encode())
        divided = divided_by(model, self.columns)
        for ref in model.reads:
            columns = self.columns.get(ref, {})
            rest = f"WHERE {quote(divided[ref])} IS NULL" if ref in divided else ""
            query = f"SELECT count(*), sum(hash({_content(ref, columns)})) FROM {ref.quoted} AS whole_row {rest}"
            digest.update(repr((str(ref), [*columns.items()], connection.execute(query).fetchone())).encode())
        return digest.hexdigest()


def open_parts(connection: duckdb.DuckDBPyConnection, models: Iterable[Model]) -> Parts:
    """Begin a build: find out what has changed in the tables that are not built in it, and forget what was noted.

    Killed before the new notes are there, the next build finds none and builds each model whole. So does one that has
    been left out when others of its build were built without it: what they have changed then is noted nowhere.
    """
    chosen = {model.ref: model for model in models}
    name = hashlib.sha256(" ".join(sorted(map(str, chosen))).encode()).hexdigest()[:16]
    frames = _taken_frames(connection, name, {ref.schema for ref in chosen})
    divided = [model for model in chosen.values() if model.divided]
    if not divided:
        return Parts({}, (), (), chosen, {})
    present = read_external(connection, schemas={ref.schema for model in divided for ref in (model.ref, *model.reads)})
    columns = present | {ref: {column.name: column.type for column in model.columns} for ref, model in chosen.items()}
    followed = {place for model in divided for place in divided_by(model, columns).items()}
    if most_rows(connection, [ref for ref, _ in followed]) < LEAST_ROWS:
        return Parts({}, (), (), chosen, {})
    parts = Parts(columns, present, followed, chosen, frames, name)
    for ref, column in followed:
        if ref not in chosen:
            noted = f"SELECT part, version FROM {VERSIONS.quoted} WHERE {_noted(name, ref, column)}"
            query = _versions(ref, column, _content(ref, columns[ref]))
            parts.changed[ref, column] = _differing(connection, query, noted)
    return parts


def most_rows(connection: duckdb.DuckDBPyConnection, tables: Iterable[TableRef]) -> int:
    """Return about how many rows the largest of these tables has, 0 where none is there."""
    names = ", ".join(f"'{ref}'" for ref in tables)
    return number_of(
        connection.execute(
            "SELECT coalesce(max(estimated_size), 0) FROM duckdb_tables() WHERE database_name = current_database() "
            f"AND schema_name || '.' || table_name IN ({names})"
        )
    )


def _taken_frames(connection: duckdb.DuckDBPyConnection, name: str, schemas: Collection[str]) -> dict[str, str]:
    """Take the notes of this build out of the warehouse, and those of others that build in one of these schemas."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(FRAMES.schema)}")
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {FRAMES.quoted} "
        "(build VARCHAR, schemas VARCHAR, model_name VARCHAR, frame VARCHAR)"
    )
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {VERSIONS.quoted} "
        "(build VARCHAR, table_name VARCHAR, part BIGINT, version HUGEINT)"
    )
    rows = connection.execute(f"SELECT model_name, frame FROM {FRAMES.quoted} WHERE build = '{name}'").fetchall()
    listed = ", ".join(f"'{schema}'" for schema in sorted(schemas))
    if listed:
        connection.execute(f"DELETE FROM {FRAMES.quoted} WHERE list_has_any(string_split(schemas, ' '), [{listed}])")
    return dict(rows)


def divided_by(model: Model, columns: Mapping[TableRef, Columns]) -> dict[TableRef, str]:
    """Return the tables that a model reads in parts, each with the column by which."""
    own = {ref: model.part_column for ref in model.reads if model.part_column in columns.get(ref, {})}
    return own | {link.table: link.column for link in model.links}


def _others(connection: duckdb.DuckDBPyConnection, table: TableRef, column: str, other: str, keys: Keys) -> Keys:
    """Return what a table that links two columns has in one of them beside these keys in the other."""
    wanted = f"{of_parts(column, keys)} AND {quote(other)} IS NOT NULL"
    rows = connection.execute(f"SELECT DISTINCT {quote(other)} FROM {table.quoted} WHERE {wanted}")
    return frozenset(key for (key,) in rows.fetchall())


def _noted(name: str, ref: TableRef, column: str) -> str:
    return f"build = '{name}' AND table_name = '{ref} by {column}'"


def show_parts(
    connection: duckdb.DuckDBPyConnection, model: Model, keys: Keys, columns: Mapping[TableRef, Columns], *, lane: int
) -> None:
    """Make views of what a model reads, with these parts alone; see ``show``."""
    linked, conditions = {link.table: link.other for link in model.links}, {}
    for ref, column in divided_by(model, columns).items():
        other = linked.get(ref)
        own = keys if other is None else _others(connection, other, model.part_column, column, keys)
        conditions[ref] = f"{of_parts(column, own)} OR {quote(column)} IS NULL"
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
        these = f"{of_parts(model.part_column, keys)} OR {quote(model.part_column)} IS NULL"
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


def of_parts(column: str, keys: Keys) -> str:
    """Return the condition under which a row belongs to these parts."""
    name = quote(column)
    # The bounds as well: of a long list DuckDB makes a join, which reads all of a table.
    bounds = f"{name} BETWEEN {min(keys)} AND {max(keys)} AND " if keys else ""
    return f"({bounds}{among(name, sorted(keys))})"


def _content(ref: TableRef, columns: Columns) -> str:
    # Only what is landed is stamped with each writing: a correction changes lines that were sent, and not their time.
    # And a model may have a column that is named like a stamp.
    return stamp(columns) if ref.schema in STAGED.values() else "whole_row"


def _versions(ref: TableRef, column: str, what: str, keys: Keys | None = None) -> str:
    """Query a table's parts, each with a sum over its rows that has no order to depend on."""
    these = f"{quote(column)} IS NOT NULL" if keys is None else of_parts(column, keys)
    return (
        f"SELECT {quote(column)} AS part, CAST(sum(hash({what})) AS HUGEINT) AS version "
        f"FROM {ref.quoted} AS whole_row WHERE {these} GROUP BY ALL"
    )


def _differing(connection: duckdb.DuckDBPyConnection, query: str, before: str) -> Keys | None:
    rows = connection.execute(
        f"SELECT part FROM ({query}) AS now FULL JOIN ({before}) AS noted USING (part) "
        f"WHERE now.version IS DISTINCT FROM noted.version LIMIT {MOST_PARTS + 1}"
    ).fetchall()
    return frozenset(part for (part,) in rows) if len(rows) <= MOST_PARTS else None
