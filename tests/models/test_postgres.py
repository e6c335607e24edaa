"""The models on a real PostgreSQL: constructs give the same values, models can be made, cases give the same rows."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
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

INPUT = """
SELECT
    CAST(n AS INTEGER) AS n, CAST(a AS DECIMAL(18, 4)) AS a, CAST(w AS DECIMAL(38, 18)) AS w, CAST(t AS VARCHAR) AS t,
    CAST(d AS DATE) AS d, CAST(e AS DATE) AS e, CAST(s AS TIMESTAMP) AS s, CAST(b AS BOOLEAN) AS b
FROM (VALUES
    (1, '12.3450', '0.300000000000000040', 'F-881|602243', '2026-01-31', '2026-02-28', '2026-11-02 23:59:59', 'true'),
    (2, '-12.3450', '-2.5', ' æøå ', '2024-02-29', '2027-01-01', '2026-11-02 00:00:00', 'false'),
    (-7, '0.0050', '99999999999999999999.999999999999999999', '', '2026-12-31', '2026-12-31', NULL, NULL),
    (0, NULL, '1.005', '12', NULL, '2026-11-01', '2026-03-29 02:30:00', 'true')
) AS v (n, a, w, t, d, e, s, b)
"""

EXPRESSIONS = (
    "n // 2",
    "n % 2",
    "CAST(ROUND(a * 10000, 0) AS HUGEINT) // 7",
    "CAST(ROUND(a * 10000, 0) AS HUGEINT) % 7",
    "ROUND(w, 2)",
    "ROUND(a, 0)",
    "TRUNC(w)",
    "TRUNC(a, 2)",
    "ABS(a) * SIGN(n)",
    "CAST(w AS DECIMAL(38, 4))",
    "CAST(a AS DECIMAL(38, 4)) * CAST(0.25 AS DECIMAL(38, 9))",
    "CAST(a AS INTEGER)",
    "CAST(a AS VARCHAR)",
    "CAST(s AS VARCHAR)",
    "CAST(b AS VARCHAR)",
    "TRY_CAST(t AS BIGINT)",
    "TRY_CAST(t AS DECIMAL(18, 4))",
    "TRY_CAST(t AS DATE)",
    "GREATEST(a, CAST(n AS DECIMAL(18, 4)), 1)",
    "LEAST(n, NULL, 1)",
    "COALESCE(NULLIF(TRIM(t), ''), 'none')",
    "LENGTH(t)",
    "SUBSTRING(t, POSITION('|' IN t) + 1)",
    "SUBSTRING(t, 2, 3)",
    "SPLIT_PART(t, '|', 2)",
    "TRANSLATE(t, '0123456789', '') = ''",
    "REPLACE(t, '|', ' ')",
    "LPAD(t, 5, '0') || LEFT(t, 2) || RIGHT(t, 2)",
    "STARTS_WITH(t, 'F-')",
    "t LIKE '%881%'",
    "CONCAT_WS('-', t, CAST(n AS VARCHAR))",
    "d + 14",
    "CAST(d + INTERVAL 1 MONTH AS DATE)",
    "CAST(DATE_TRUNC('month', d) AS DATE)",
    "LAST_DAY(d)",
    "DATE_DIFF('day', d, e)",
    "DATE_DIFF('day', s, e)",
    "EXTRACT(YEAR FROM d) * 12 + EXTRACT(MONTH FROM d)",
    "EXTRACT(ISODOW FROM d)",
    "EXTRACT(YEAR FROM d) || '-' || EXTRACT(MONTH FROM d)",
    "MAKE_DATE(EXTRACT(YEAR FROM d), 1, 1)",
    "STRFTIME(d, '%Y-%m')",
    "b AND n > 0",
    "a IS DISTINCT FROM w",
    "AMOUNT_TEXT(a, 'KWD') || AMOUNT_TEXT(w, 'JPY') || NUMBER_TEXT(a, t)",
    "COUNT_TEXT(n * 1000) || COALESCE(RATE_TEXT(a), 'none')",
    "CASE WHEN b THEN 'yes' WHEN NOT b THEN 'no' END",
    "ROW_NUMBER() OVER (ORDER BY a DESC, n)",
    "ROW_NUMBER() OVER (ORDER BY d, n)",
    "SUM(a) OVER (ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
    "LAG(a) OVER (ORDER BY n)",
    "LEAD(a) OVER (PARTITION BY b ORDER BY n)",
    "FIRST_VALUE(t) OVER (PARTITION BY b ORDER BY n)",
    "RANK() OVER (ORDER BY b) + DENSE_RANK() OVER (ORDER BY b DESC)",
    "CASE WHEN b THEN 1 ELSE 0 END * (SELECT SUM(i.n) FROM map.input AS i)",
)

AGGREGATES = (
    "STRING_AGG(t, ', ' ORDER BY n)",
    "STRING_AGG(DISTINCT t, ', ' ORDER BY t)",
    "SUM(a)",
    "SUM(n) // 2",
    "COUNT(DISTINCT b)",
    "COUNT(*) FILTER (WHERE b)",
    "BOOL_AND(b)",
    "BOOL_OR(b)",
    "MIN(t)",
    "MAX(d)",
)


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


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT b, n FROM map.input QUALIFY ROW_NUMBER() OVER (PARTITION BY b ORDER BY a DESC, n) = 1",
        "SELECT i.n AS l, j.n AS r FROM map.input AS i FULL OUTER JOIN map.input AS j ON i.n = j.n + 1",
        "SELECT n FROM map.input WHERE n NOT IN (SELECT v.k FROM (VALUES (1), (2)) AS v (k))",
        "SELECT n FROM map.input UNION ALL SELECT n + 1 FROM map.input EXCEPT SELECT 2",
        "SELECT b, SUM(a) AS total FROM map.input GROUP BY b HAVING COUNT(*) > 1",
    ],
)
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
    assert _comparable(found) == _comparable(expected)


def _same(sql: str, both: tuple[duckdb.DuckDBPyConnection, Postgres]) -> bool:
    connection, postgres = both
    expected = _comparable(connection.execute(sql).fetchall())
    found = _comparable(postgres.execute(transpile(sql, "postgres")).fetchall())
    assert found == expected
    return True


def _comparable(rows: Iterable[Sequence[object]]) -> list[tuple[str, ...]]:
    """Sort rows, and write numbers without the zeros that tell their scale."""
    return sorted(tuple(map(_plain, row)) for row in rows)


def _plain(value: object) -> str:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return format(Decimal(value).normalize(), "f")
    return str(value)


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
