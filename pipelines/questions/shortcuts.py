"""What may be asked in place of SQL: nothing, a schema or a table; and DESCRIBE, which tells what columns are."""

# ruff: noqa: S608 - statements are made of names that the file has

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pipelines.core.literals import literal
from pipelines.core.table_ref import TableRef
from pipelines.core.words import plural
from pipelines.publish.edition.contents import VIEWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

_NAME = re.compile(r"(?P<schema>\w+)(?:\.(?P<name>\w+))?")
_DESCRIBE = re.compile(r"\s*(?:DESCRIBE|DESC)\s+(?:TABLE\s+)?(?P<table>\w+\.\w+)\s*;?\s*", re.IGNORECASE)
# A view's comment has its question, a table's begins with what one row is (pipelines/models/header.py).
_QUESTION = r"regexp_extract(comment, 'Answers: ([^?]*\?)', 1)"
_ROW = r"regexp_extract(comment, '^(?:Not built yet[^.]*\. )?([^.]*)', 1)"
# Views and tables alike, as information_schema has them, but with their comments.
_RELATIONS = (
    "(SELECT schema_name, view_name AS table_name, comment FROM duckdb_views() "
    "WHERE NOT internal AND database_name = current_database() "
    "UNION ALL SELECT schema_name, table_name, comment FROM duckdb_tables() WHERE database_name = current_database())"
)


class Asked(NamedTuple):
    """A question as SQL, and a sentence for whoever asked it; an empty one says nothing."""

    sql: str
    remark: str = ""


def as_sql(connection: duckdb.DuckDBPyConnection, text: str | None) -> Asked:
    """Return the SQL of what was asked: SQL stays as it is, a name becomes the list of what it holds."""
    relations = _relations(connection)
    if text is None:
        return _first(relations)
    if described := _DESCRIBE.fullmatch(text):
        ref = TableRef.parse(described["table"].lower())
        # A table that is not there is left to DuckDB, whose error names the near ones.
        return Asked(_columns(ref), relations[ref]) if ref in relations else Asked(text)
    name = _NAME.fullmatch(text.strip())
    if name is None:
        return Asked(text)
    if name["name"] is None and name["schema"].lower() in {ref.schema for ref in relations}:
        return Asked(_listed(name["schema"].lower(), "one row is", _ROW))
    if name["name"] is None:
        return Asked(text)
    # Views are small, and in order a reader finds a voyage or a partner; to sort a large table takes seconds.
    return Asked(f"FROM {text} ORDER BY ALL" if name["schema"].lower() == VIEWS else f"FROM {text}")


def _listed(schema: str, heading: str, words: str) -> str:
    return (
        f"SELECT schema_name || '.' || table_name AS name, {words} AS \"{heading}\" FROM {_RELATIONS} "
        f"WHERE schema_name = {literal(schema)} ORDER BY name"
    )


def _columns(ref: TableRef) -> str:
    return (
        "SELECT column_name, data_type AS column_type, comment AS what_it_is FROM duckdb_columns() "
        f"WHERE schema_name = {literal(ref.schema)} AND table_name = {literal(ref.name)} "
        "AND database_name = current_database() ORDER BY column_index"
    )


def _relations(connection: duckdb.DuckDBPyConnection) -> dict[TableRef, str]:
    rows = connection.execute(f"SELECT schema_name, table_name, coalesce(comment, '') FROM {_RELATIONS}").fetchall()
    return {TableRef(schema, name): comment for schema, name, comment in rows}


def _first(relations: Mapping[TableRef, str]) -> Asked:
    """Return the list of what to begin with, and how to go on from there."""
    schemas = [ref.schema for ref in relations if ref.schema != VIEWS]
    counts = ", ".join(f"{schema} {schemas.count(schema)}" for schema in sorted(set(schemas)))
    tables = f"there are {plural(len(schemas), 'table')}: {counts}"
    if len(schemas) == len(relations):
        return Asked(
            _listed("rec", "one row is", _ROW),
            f"This file was published by a release without first views. springline query rec\n"
            f"  lists the tables of rec; {tables}",
        )
    return Asked(
        _listed(VIEWS, "question", _QUESTION),
        f"springline query {VIEWS}.voyage_results\n  shows one of them\n"
        f'springline query "DESCRIBE {VIEWS}.voyage_results"\n  says what its columns are\n'
        f"springline query rec\n  lists the tables of rec; behind the views {tables}",
    )
