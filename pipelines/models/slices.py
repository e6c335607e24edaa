"""How a model that is divided into parts is built whole: a stretch of its parts after another, so many rows at a time.

What a model joins and groups then fits into memory, and stays as fast as it is with a fifth of the rows. That a row
follows from rows of its own part alone is what the model has promised (see ``parts``): to build all parts in any
stretches gives the same rows as to build them at once.
"""

# ruff: noqa: S608 - statements are made of quoted names and of whole numbers

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from pipelines.core.table_ref import TableRef, quote
from pipelines.models.parts import among_views, database_of, divided_by, most_rows, show
from pipelines.stores.rows import number_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from pipelines.models.model import Columns, Model

# Rows of the largest table that is read in parts: the lines of some 100,000 documents.
SLICE_ROWS = 600_000
# Each reads anew what has no order, and what has no parts.
MOST_SLICES = 32
# By which a table's parts are shared out about evenly.
_SAMPLE = 10_000
_LEAST, _MOST = -(2**63), 2**63 - 1


class Slice(NamedTuple):
    """A stretch of parts, both ends within."""

    first: int
    last: int


def slices_of(connection: duckdb.DuckDBPyConnection, model: Model, columns: Mapping[TableRef, Columns]) -> list[Slice]:
    """Return the stretches that a model is to be built in, of which every key is in one; none: all at once."""
    linked = {link.table for link in model.links}
    own = [ref for ref, column in divided_by(model, columns) if ref not in linked and columns[ref][column] == "BIGINT"]
    rows, largest = max(((most_rows(connection, [ref]), ref) for ref in own), default=(0, None))
    count = min(rows // SLICE_ROWS + 1, MOST_SLICES)
    if count == 1 or largest is None:
        return []
    shares = ", ".join(f"{number}.0 / {count}" for number in range(1, count))
    row = connection.execute(
        f"SELECT quantile_disc({quote(model.divided)}, [{shares}]) "
        f"FROM {largest.quoted} USING SAMPLE reservoir({_SAMPLE} ROWS) REPEATABLE (1)"
    ).fetchone()
    bounds = sorted(set(row[0] if row and row[0] else ()))
    return [Slice(first, end - 1) for first, end in pairwise([_LEAST, *bounds, _MOST + 1])]


def show_slice(
    connection: duckdb.DuckDBPyConnection, model: Model, columns: Mapping[TableRef, Columns], *, lane: int
) -> None:
    """Make views as ``show_parts`` does, of the stretch that ``_turn_to`` names: a transaction writes one database."""
    warehouse, links = database_of(connection), {link.table: number for number, link in enumerate(model.links)}
    own, conditions = _between(model.divided, "slice"), {}
    for ref, column in divided_by(model, columns):
        condition = _between(column, "slice")
        other = model.links[links[ref]].other if ref in links else None
        if other is not None:
            keys = f"SELECT {quote(column)} FROM {warehouse}.{other.quoted} WHERE {own}"
            # The bounds as well, so that little of a table in about the same order is read.
            condition = f"{_between(column, f'link_{links[ref]}')} AND {quote(column)} IN ({keys})"
        # Rows without a part belong to each, and where there are none DuckDB finds the stretch at once.
        is_empty = f"SELECT count(*) FROM {ref.quoted} WHERE {quote(column)} IS NULL"
        without = f" OR {quote(column)} IS NULL" if number_of(connection.execute(is_empty)) else ""
        conditions[ref] = f"({condition}){without}"
    show(connection, model, conditions, lane=lane)


def build_slices(connection: duckdb.DuckDBPyConnection, model: Model, slices: Sequence[Slice], *, lane: int) -> int:
    """Build a model whole, a stretch at a time, in the transaction that is open; return its rows.

    Its SELECT begins on the second line of each statement, as in ``create_statement``.
    """
    column = quote(model.divided)
    # Rows without a part come with each stretch, and the same ones: they are taken from the first.
    statement, ending, without = "CREATE OR REPLACE TABLE", " AS", f" OR {column} IS NULL"
    for stretch in slices:
        _turn_to(connection, model, stretch)
        with among_views(connection, lane) as warehouse:
            connection.execute(
                f"{statement} {warehouse}.{model.ref.quoted}{ending} SELECT * FROM (\n{model.sql}\n) AS made "
                f"WHERE {column} BETWEEN {stretch.first} AND {stretch.last}{without}"
            )
        statement, ending, without = "INSERT INTO", "", ""
    return number_of(connection.execute(f"SELECT count(*) FROM {model.ref.quoted}"))


def _turn_to(connection: duckdb.DuckDBPyConnection, model: Model, stretch: Slice) -> None:
    bounds = {"slice_first": str(stretch.first), "slice_last": str(stretch.last)}
    for number, link in enumerate(model.links):
        if link.other is None:
            continue
        rows = f"FROM {link.other.quoted} WHERE {quote(model.divided)} BETWEEN {stretch.first} AND {stretch.last}"
        bounds[f"link_{number}_first"] = f"(SELECT min({quote(link.column)}) {rows})"
        bounds[f"link_{number}_last"] = f"(SELECT max({quote(link.column)}) {rows})"
    for name, value in bounds.items():
        connection.execute(f"SET VARIABLE {name} = CAST({value} AS BIGINT)")


def _between(column: str, name: str) -> str:
    return f"{quote(column)} BETWEEN getvariable('{name}_first') AND getvariable('{name}_last')"
