"""What an edition is to hold: its tables with their columns, types and comments, and the query of their rows."""

# ruff: noqa: S608 - statements are made of our own names, never of data

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.core.table_ref import TableRef, quote
from pipelines.publish.edition.contents import (
    GROWING,
    MODEL_SCHEMAS,
    NOT_BUILT,
    SENT,
    Edition,
    TableText,
    Texts,
    comment,
    control_type,
    expression,
    repeats_words,
)
from pipelines.publish.edition.history import control_columns
from pipelines.publish.edition.parts import PublishedTable, texts_of

if TYPE_CHECKING:
    import duckdb

    from pipelines.stores.control import Control

# The one row that says of which edition a file is: each column with its type and what it is.
EDITION: Mapping[str, tuple[str, str]] = {
    "published_at": ("TIMESTAMP", "when this file was written, UTC"),
    "batch_id": ("VARCHAR", "the batch that wrote it"),
    "today": ("DATE", "the accounting day of that batch, Europe/Oslo"),
    "version": ("VARCHAR", "the version of Springline that wrote it"),
    "as_of_vms": ("TIMESTAMP", "when the VMS was last read, UTC"),
    "as_of_ledger": ("TIMESTAMP", "when the ledger was last read, UTC"),
    "writer": (
        "VARCHAR",
        "what identifies the code that wrote it: a file of other code is written anew, never brought up to date",
    ),
}
ABOUT_EDITION = "When and by which batch this file was written, and when both sides were last read; one row."


@dataclass(frozen=True, slots=True)
class EditionPlan:
    """What an edition holds: its tables, and its views over them.

    ``rows`` has the query of the rows of those tables that the warehouse has; ``stored`` are those that are no views.
    """

    connection: duckdb.DuckDBPyConnection
    control: Control
    tables: Mapping[TableRef, PublishedTable]
    rows: Mapping[TableRef, str]
    stored: frozenset[TableRef]
    views: Texts
    edition: Edition

    def keeps_rows(self, ref: TableRef) -> bool:
        """Tell whether the rows of a table stay and only changes are copied; small control tables are copied whole."""
        return ref.schema != "ctl" or ref in self.rows or ref.name in GROWING


def plan_edition(
    connection: duckdb.DuckDBPyConnection, control: Control, *, texts: Texts, edition: Edition
) -> EditionPlan:
    """Return what an edition holds: the tables of ``texts`` that the warehouse has or whose types are known.

    A model that is not built yet is published empty: a question that an analyst has saved must not fail.
    """
    present = _present(connection)
    tables = [
        _table(ref, _types(ref, present.get(ref, text.types)), text, is_built=ref in present)
        for ref, text in texts.items()
        if not text.query and (ref in present or text.types)
    ]
    for name, types in control_columns().items():
        ref = TableRef("ctl", name)
        tables.append(_table(ref, types, texts.get(ref, TableText(f"{name} of the control store", {}))))
    words = TableText(ABOUT_EDITION, {name: words for name, (_, words) in EDITION.items()})
    tables.append(_table(TableRef("ctl", "published"), {name: kind for name, (kind, _) in EDITION.items()}, words))
    by_ref = {table.ref: table for table in tables}
    rows = {ref: _rows(by_ref[ref]) for ref in present if ref in texts}
    views = {ref: text for ref, text in texts.items() if text.query}
    names = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database()"
    )
    stored = frozenset(TableRef(*name) for name in names.fetchall())
    return EditionPlan(connection, control, by_ref, rows, stored, views, edition)


def _present(connection: duckdb.DuckDBPyConnection) -> dict[TableRef, dict[str, str]]:
    """Return the columns of every table and view of the warehouse that is for publication."""
    rows = connection.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() ORDER BY schema_name, table_name, column_index"
    ).fetchall()
    found: dict[TableRef, dict[str, str]] = {}
    for schema, table, column, kind in rows:
        if schema in MODEL_SCHEMAS or (schema == "ctl" and table in SENT):
            found.setdefault(TableRef(schema, table), {})[column] = kind
    return found


def _types(ref: TableRef, columns: Mapping[str, str]) -> Mapping[str, str]:
    """Return the published types: what the control store keeps as text becomes a time."""
    return {name: control_type(name, kind) if ref.schema == "ctl" else kind for name, kind in columns.items()}


def _table(ref: TableRef, types: Mapping[str, str], text: TableText, *, is_built: bool = True) -> PublishedTable:
    # None for a column without a comment: DuckDB keeps an empty text as a comment.
    words = {name: comment(name, text.columns[name]) if name in text.columns else None for name in types}
    return PublishedTable(ref, types, texts_of(text.about if is_built else NOT_BUILT + text.about, words))


def _rows(table: PublishedTable) -> str:
    """Return the query of a table's rows as they are published."""
    columns = ", ".join(
        f"CAST({expression(name, has_words=repeats_words(table.ref))} AS {kind}) AS {quote(name)}"
        for name, kind in table.columns.items()
    )
    return f"(SELECT {columns} FROM {table.ref.quoted})"
