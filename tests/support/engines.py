"""All models on another engine: their tables as PostgreSQL or Spark would create them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from sqlglot import exp

from pipelines.core.table_ref import TableRef
from pipelines.models.dialect import transpile
from pipelines.models.lint.rewrites import Target, wide_integers
from pipelines.models.model import Catalog, Columns
from pipelines.models.syntax import DIALECT


class Connection(Protocol):
    """What is needed of a PostgreSQL connection: psycopg's is one."""

    def execute(self, query: str, /) -> object:
        """Run one statement."""


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
