"""The models on a real PostgreSQL: constructs give the same values, models can be made, cases give the same rows."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import psycopg
import pytest

from pipelines.core.resources import sql_folder
from pipelines.core.table_ref import TableRef, quote
from pipelines.models.dialect import transpile
from pipelines.models.functions import create_functions
from pipelines.models.header import read_header
from pipelines.models.sources import read_sources
from tests.models.cases import built, given_rows, read_case
from tests.models.constructs import AGGREGATES, EXPRESSIONS, INPUT, QUERIES, comparable
from tests.support.engines import column_type, create_external, create_models
from tests.support.postgres import running_postgres

if TYPE_CHECKING:
    from tests.models.conftest import World

pytestmark = pytest.mark.system

Postgres = psycopg.Connection[tuple[object, ...]]

FOLDER = Path(__file__).parent

# Rows are kept in the warehouse only: what keeps rows is another table on PostgreSQL.
KEEPING = {source.ref for source in read_sources(sql_folder()) if "keep" in read_header(source.sql).directives}
CASES = [path for path in sorted(FOLDER.glob("*/*/*.yaml")) if TableRef(path.parts[-3], path.parts[-2]) not in KEEPING]


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Start PostgreSQL on a socket in a folder of its own; give its address."""
    with running_postgres() as address:
        yield address


@pytest.fixture(scope="module")
def postgres(server: str) -> Iterator[Postgres]:
    with psycopg.connect(server, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def both(postgres: Postgres) -> Iterator[tuple[duckdb.DuckDBPyConnection, Postgres]]:
    """Both engines with the same rows in map.input."""
    with duckdb.connect() as connection:
        create_functions(connection)
        for execute, select in ((connection.execute, INPUT), (postgres.execute, transpile(INPUT, "postgres"))):
            execute("CREATE SCHEMA map")
            execute(f"CREATE TABLE map.input AS {select}")
        yield connection, postgres
    postgres.execute("DROP SCHEMA map CASCADE")


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_has_the_same_value(expression: str, both: tuple[duckdb.DuckDBPyConnection, Postgres]) -> None:
    assert _same(f"SELECT n, {expression} AS x FROM map.input AS input", both)


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_an_aggregate_has_the_same_value(aggregate: str, both: tuple[duckdb.DuckDBPyConnection, Postgres]) -> None:
    assert _same(f"SELECT {aggregate} AS x FROM map.input", both)


@pytest.mark.parametrize("sql", QUERIES)
def test_a_query_gives_the_same_rows(sql: str, both: tuple[duckdb.DuckDBPyConnection, Postgres]) -> None:
    assert _same(sql, both)


@pytest.fixture(scope="module")
def empty_models(postgres: Postgres, world: World) -> Postgres:
    """Every external table and every model, without rows but for those of the seeds."""
    create_external(postgres, world.catalog.external)
    assert create_models(postgres, world.catalog) == tuple(model.ref for model in world.catalog.models)
    for ref in world.catalog.external:
        if ref.schema == "seed":
            _copy(postgres, ref.quoted, world.connection.execute(f"FROM {ref.quoted}").fetchall())
    return postgres


def test_every_model_can_be_made(empty_models: Postgres, world: World) -> None:
    for model in world.catalog.models:
        found = empty_models.execute(f"SELECT * FROM {model.ref.quoted}").description or []
        assert [column.name for column in found] == [column.name for column in model.columns]


@pytest.mark.parametrize("path", CASES, ids=lambda path: str(path.relative_to(FOLDER).with_suffix("")))
def test_a_case_gives_the_same_rows(path: Path, empty_models: Postgres, world: World) -> None:
    case = read_case(path)
    with built(case, world.catalog, world.connection) as models:
        expected = world.connection.execute(f"FROM {case.model.quoted}").fetchall()
    with empty_models.transaction(force_rollback=True):
        for ref, (names, rows) in given_rows(case, world.catalog).items():
            types = [column_type(world.catalog.tables[ref][name], "postgres") for name in names]
            empty_models.execute(f"TRUNCATE {ref.quoted}")
            _insert(empty_models, ref.quoted, names, types, rows)
        for model in models:
            empty_models.execute(f"INSERT INTO {model.ref.quoted}\n{transpile(model.sql, 'postgres')}")
        found = empty_models.execute(f"SELECT * FROM {case.model.quoted}").fetchall()
    assert comparable(found) == comparable(expected)


def _same(sql: str, both: tuple[duckdb.DuckDBPyConnection, Postgres]) -> bool:
    connection, postgres = both
    expected = comparable(connection.execute(sql).fetchall())
    found = comparable(postgres.execute(transpile(sql, "postgres")).fetchall())
    assert found == expected
    return True


def _insert(
    postgres: Postgres, table: str, names: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[str | None]]
) -> None:
    listed = ", ".join(map(quote, names))
    values = ", ".join(f"CAST(%s AS {data_type})" for data_type in types)
    with postgres.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} ({listed}) VALUES ({values})", rows)


def _copy(postgres: Postgres, table: str, rows: Sequence[Sequence[object]]) -> None:
    with postgres.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
