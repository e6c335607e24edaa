"""Writes a model for PostgreSQL or Spark: sqlglot's translation, corrected where it changes what a value is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Protocol

from sqlglot import ErrorLevel, exp
from sqlglot.errors import UnsupportedError

from pipelines.core.errors import ModelError, UsageError
from pipelines.core.table_ref import TableRef
from pipelines.models.lint.rewrites import REWRITES, Target, wide_integers
from pipelines.models.model import Catalog, Columns
from pipelines.models.syntax import DIALECT, parse_query

TARGETS: tuple[Target, ...] = ("postgres", "spark")


class Connection(Protocol):
    """What is needed of a PostgreSQL connection: psycopg's is one."""

    def execute(self, query: str, /) -> object:
        """Run one statement."""


@lru_cache(maxsize=1024)
def transpile(sql: str, target: Target) -> str:
    r"""Return a model's SELECT for another engine (PostgreSQL 16, Spark 4 and newer), without comments.

    ModelError when sqlglot knows that the target has no such thing; the lint over sql/ finds more.

    >>> transpile("SELECT a // 2 AS half FROM map.x", "postgres")
    'SELECT\n  CAST(DIV(a, 2) AS BIGINT) AS half\nFROM map.x'
    """
    tree = parse_query(sql).copy()
    for rewrite in REWRITES:
        # Children first, so that what a parent moves about is already right.
        for node in reversed(list(tree.walk())):
            corrected = rewrite(node, target)
            if corrected is not node:
                node.replace(corrected)
    try:
        return tree.sql(target, pretty=True, comments=False, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise ModelError(
            f"{target} cannot do this: {error}", next_step="write it with what the lint allows."
        ) from error


def target_named(name: str) -> Target:
    """Return the engine of that name; UsageError for any other."""
    for target in TARGETS:
        if name.lower() in {target, f"{target}ql"}:
            return target
    raise UsageError(f"There is no dialect {name}.", next_step=f"use {' or '.join(TARGETS)}.")


def statements(catalog: Catalog, target: Target) -> Iterator[tuple[TableRef, str]]:
    """Yield, in order, the statement that makes each model as a table; rows that a model keeps are not part of it."""
    for model in catalog.models:
        yield model.ref, f"CREATE TABLE {_name(model.ref, target)} AS\n{transpile(model.sql, target)}"


def create_external(connection: Connection, external: Mapping[TableRef, Columns]) -> None:
    """Create on PostgreSQL the tables the models stand on, empty, with their types in its words."""
    _create_schemas(connection, external)
    for ref, columns in external.items():
        listed = ", ".join(
            f"{_quoted(name, 'postgres')} {column_type(data_type, 'postgres')}" for name, data_type in columns.items()
        )
        connection.execute(f"CREATE TABLE {_name(ref, 'postgres')} ({listed})")


def create_models(connection: Connection, catalog: Catalog) -> tuple[TableRef, ...]:
    """Create on PostgreSQL every model in order, each as a new table; the external tables are there and filled."""
    _create_schemas(connection, (model.ref for model in catalog.models))
    made: list[TableRef] = []
    for ref, statement in statements(catalog, "postgres"):
        connection.execute(f"DROP TABLE IF EXISTS {_name(ref, 'postgres')}")
        connection.execute(statement)
        made.append(ref)
    return tuple(made)


def column_type(duckdb_type: str, target: Target) -> str:
    """Translate a DuckDB type.

    >>> column_type("HUGEINT", "postgres"), column_type("TIMESTAMP", "spark")
    ('DECIMAL(38, 0)', 'TIMESTAMP_NTZ')
    """
    return wide_integers(exp.DataType.build(duckdb_type, dialect=DIALECT), target).sql(target)


def _create_schemas(connection: Connection, refs: Iterable[TableRef]) -> None:
    for schema in sorted({ref.schema for ref in refs}):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(schema, 'postgres')}")


def _name(ref: TableRef, target: Target) -> str:
    return f"{_quoted(ref.schema, target)}.{_quoted(ref.name, target)}"


def _quoted(identifier: str, target: Target) -> str:
    return exp.to_identifier(identifier, quoted=True).sql(target)
