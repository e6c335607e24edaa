"""The models on a real Spark, with the settings that their SQL comes with: the same rows as on DuckDB, none rounded."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from pipelines.core.table_ref import TableRef
from pipelines.models.dialect import SESSION, guarded, transpile
from pipelines.models.functions import create_functions
from tests.models.cases import built, given_rows, read_case
from tests.models.constructs import AGGREGATES, EXPRESSIONS, INPUT, QUERIES, comparable
from tests.models.test_postgres import CASES, FOLDER
from tests.support.environments import python_of
from tests.support.spark.session import VERSIONS, Spark, SparkError, on_views, running_spark

if TYPE_CHECKING:
    from tests.models.conftest import World

pytestmark = pytest.mark.spark

INPUT_TABLE = TableRef("map", "input")
Tables = Mapping[TableRef, tuple[Sequence[str], Sequence[Sequence[str | None]]]]


@pytest.fixture(scope="module")
def python() -> Path:
    if shutil.which("java") is None:
        pytest.fail("Spark needs a Java: `make test-spark` installs one.")
    found = python_of(VERSIONS)
    assert found, f"{VERSIONS} could not be installed"
    return found


@pytest.fixture(scope="module")
def spark(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    with running_spark(python, SESSION["spark"], folder=tmp_path_factory.mktemp("spark")) as session:
        yield session


@pytest.fixture(scope="module")
def both(spark: Spark) -> Iterator[tuple[duckdb.DuckDBPyConnection, Spark]]:
    """Both engines with the same rows in map.input."""
    spark.view(INPUT_TABLE, transpile(INPUT, "spark"))
    with duckdb.connect() as connection:
        create_functions(connection)
        connection.execute("CREATE SCHEMA map")
        connection.execute(f"CREATE TABLE map.input AS {INPUT}")
        yield connection, spark


@pytest.fixture(scope="module")
def tables(spark: Spark, world: World) -> Tables:
    """Every table in Spark: empty, but for the seeds."""
    made: dict[TableRef, tuple[Sequence[str], Sequence[Sequence[str | None]]]] = {}
    for ref, columns in world.catalog.tables.items():
        is_seed = ref.schema == "seed"
        rows = world.connection.execute(f"FROM {ref.quoted}").fetchall() if is_seed else []
        made[ref] = ([*columns], [[None if value is None else _text(value) for value in row] for row in rows])
        spark.table(ref, columns, *made[ref])
    return made


@pytest.mark.parametrize("sql", [f"SELECT n, {expression} AS x FROM map.input AS input" for expression in EXPRESSIONS])
def test_an_expression_has_the_same_value(sql: str, both: tuple[duckdb.DuckDBPyConnection, Spark]) -> None:
    assert _same(sql, both)


@pytest.mark.parametrize("sql", [*(f"SELECT {aggregate} AS x FROM map.input" for aggregate in AGGREGATES), *QUERIES])
def test_a_query_gives_the_same_rows(sql: str, both: tuple[duckdb.DuckDBPyConnection, Spark]) -> None:
    assert _same(sql, both)


@pytest.mark.parametrize("path", CASES, ids=lambda path: str(path.relative_to(FOLDER).with_suffix("")))
def test_a_case_gives_the_same_rows(path: Path, spark: Spark, tables: Tables, world: World) -> None:
    case = read_case(path)
    with built(case, world.catalog, world.connection) as models:
        expected = world.connection.execute(f"FROM {case.model.quoted}").fetchall()
    given = given_rows(case, world.catalog)
    for ref, (names, rows) in given.items():
        spark.table(ref, world.catalog.tables[ref], names, rows)
    try:
        for model in models[:-1]:
            spark.view(model.ref, on_views(transpile(model.sql, "spark")))
        found = spark.rows(on_views(guarded(models[-1].sql, "spark")))
    finally:
        for ref in {*given, *(model.ref for model in models[:-1])}:
            spark.table(ref, world.catalog.tables[ref], *tables[ref])
    assert comparable(found) == comparable(expected)


@pytest.mark.parametrize("left_out", [*SESSION["spark"]][:2])
def test_without_its_settings_a_model_ends_with_an_error(left_out: str, python: Path, tmp_path: Path) -> None:
    settings = {name: value for name, value in SESSION["spark"].items() if name != left_out}
    # As on a machine of another zone.
    settings.setdefault("spark.sql.session.timeZone", "Europe/Oslo")
    share = "SELECT CAST(1 AS DECIMAL(38, 18)) * CAST('0.123456789' AS DECIMAL(38, 18)) AS share"
    with running_spark(python, settings, folder=tmp_path) as session:
        with pytest.raises(SparkError, match="would round amounts"):
            session.rows(guarded(share, "spark"))
        # What it would be: six places.
        rounded = left_out.endswith("PrecisionLoss")
        assert (comparable(session.rows(share)) == [("0.123457",)]) is rounded


def _same(sql: str, both: tuple[duckdb.DuckDBPyConnection, Spark]) -> bool:
    connection, spark = both
    assert comparable(spark.rows(on_views(transpile(sql, "spark")))) == comparable(connection.execute(sql).fetchall())
    return True


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
