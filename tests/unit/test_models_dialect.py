"""What a model becomes on PostgreSQL and Spark, construct by construct."""

# ruff: noqa: S608 - the statements are the tests\' own

from __future__ import annotations

import pytest
from sqlglot import parse_one

from pipelines.core.errors import ModelError, UsageError
from pipelines.core.table_ref import TableRef
from pipelines.models.dialect import SESSION, TARGETS, script, target_named, transpile
from pipelines.models.lint.rewrites import Target
from tests.models.small import EXTERNAL, catalog
from tests.support.engines import column_type, create_external, create_models, statements


def _line(sql: str) -> str:
    return " ".join(sql.split()).replace("( ", "(").replace(" )", ")")


@pytest.mark.parametrize(
    ("expression", "postgres", "spark"),
    [
        ("a // 2", "CAST(DIV(a, 2) AS BIGINT)", "a DIV 2"),
        ("(a + b) // (c - d)", "CAST(DIV(a + b, c - d) AS BIGINT)", "(a + b) DIV (c - d)"),
        (
            "CAST(a AS HUGEINT) // b",
            "DIV(CAST(a AS DECIMAL(38, 0)), b)",
            "CAST((CAST(a AS DECIMAL(38, 0)) - CAST(a AS DECIMAL(38, 0)) % b) / b AS DECIMAL(38, 0))",
        ),
        ("SUM(a) // 2", "DIV(SUM(a), 2)", "CAST((SUM(a) - SUM(a) % 2) / 2 AS DECIMAL(38, 0))"),
        (
            "(a * b) // CAST(c AS HUGEINT)",
            "DIV(a * b, CAST(c AS DECIMAL(38, 0)))",
            "CAST(((a * b) - (a * b) % CAST(c AS DECIMAL(38, 0))) / CAST(c AS DECIMAL(38, 0)) AS DECIMAL(38, 0))",
        ),
        ("(a // 2) // 3", "CAST(DIV(CAST(DIV(a, 2) AS BIGINT), 3) AS BIGINT)", "(a DIV 2) DIV 3"),
        ("CAST(a AS HUGEINT)", "CAST(a AS DECIMAL(38, 0))", "CAST(a AS DECIMAL(38, 0))"),
        ("CAST(a * b AS HUGEINT)", "CAST(a * b AS DECIMAL(38, 0))", "CAST(ROUND(a * b, 0) AS DECIMAL(38, 0))"),
        ("CAST(a AS INTEGER)", "CAST(a AS INT)", "CAST(a AS INT)"),
        (
            "TRY_CAST(a AS BIGINT)",
            "CASE WHEN PG_INPUT_IS_VALID(CAST(a AS TEXT), 'bigint') THEN CAST(a AS BIGINT) END",
            "TRY_CAST(a AS BIGINT)",
        ),
        (
            "TRY_CAST(a AS HUGEINT)",
            "CASE WHEN PG_INPUT_IS_VALID(CAST(a AS TEXT), 'decimal(38, 0)') THEN CAST(a AS DECIMAL(38, 0)) END",
            "TRY_CAST(a AS DECIMAL(38, 0))",
        ),
        ("TRUNC(a, 2)", "TRUNC(a, 2)", "CASE WHEN a < 0 THEN CEIL(a, 2) ELSE FLOOR(a, 2) END"),
        ("TRUNC(a - b)", "TRUNC(a - b)", "CASE WHEN (a - b) < 0 THEN CEIL(a - b, 0) ELSE FLOOR(a - b, 0) END"),
        # Spark's own SIGN is a DOUBLE, and makes one of the amount beside it.
        ("a * SIGN(b)", "a * SIGN(b)", "a * CASE WHEN b > 0 THEN 1 WHEN b < 0 THEN -1 WHEN b = 0 THEN 0 END"),
        ("DATE_DIFF('day', a, b)", "(CAST(b AS DATE) - CAST(a AS DATE))", "DATEDIFF(CAST(b AS DATE), CAST(a AS DATE))"),
        (
            "MAKE_DATE(a, b, 1)",
            "MAKE_DATE(CAST(a AS INT), CAST(b AS INT), CAST(1 AS INT))",
            "MAKE_DATE(a, b, 1)",
        ),
        ("EXTRACT(YEAR FROM a)", "CAST(EXTRACT(YEAR FROM a) AS BIGINT)", "EXTRACT(YEAR FROM a)"),
        ("CAST(EXTRACT(DAY FROM a) AS INTEGER)", *["CAST(EXTRACT(DAY FROM a) AS INT)"] * 2),
        ("EXTRACT(ISODOW FROM a)", "CAST(EXTRACT(ISODOW FROM a) AS BIGINT)", "EXTRACT(DAYOFWEEK_ISO FROM a)"),
        ("a + 1", "a + 1", "a + 1"),
        (
            "CAST(a - INTERVAL 1 DAY AS DATE)",
            "CAST(a - INTERVAL '1 DAY' AS DATE)",
            "CAST(a - INTERVAL '1' DAY AS DATE)",
        ),
        ("POSITION('|' IN a)", "POSITION('|' IN a)", "LOCATE('|', a)"),
        (
            "STRING_AGG(a, ', ' ORDER BY b)",
            "STRING_AGG(a, ', ' ORDER BY b)",
            "LISTAGG(a, ', ') WITHIN GROUP (ORDER BY b NULLS LAST)",
        ),
        (
            "ROW_NUMBER() OVER (ORDER BY a DESC, b)",
            "ROW_NUMBER() OVER (ORDER BY a DESC NULLS LAST, b)",
            "ROW_NUMBER() OVER (ORDER BY a DESC, b NULLS LAST)",
        ),
    ],
)  # fmt: skip
def test_a_construct_keeps_its_meaning(expression: str, postgres: str, spark: str) -> None:
    sql = f"SELECT {expression} AS x FROM map.y"
    assert _line(transpile(sql, "postgres")) == f"SELECT {postgres} AS x FROM map.y"
    assert _line(transpile(sql, "spark")) == f"SELECT {spark} AS x FROM map.y"


@pytest.mark.parametrize("target", TARGETS)
def test_qualify_becomes_a_subquery(target: Target) -> None:
    sql = "SELECT a FROM map.y QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) = 1"
    written = _line(transpile(sql, target))
    assert written.startswith("SELECT a FROM (SELECT a, ROW_NUMBER() OVER (PARTITION BY a ORDER BY b")
    assert written.endswith("AS _w FROM map.y) AS _t WHERE _w = 1")


def test_spark_is_not_told_what_to_materialize() -> None:
    sql = "WITH x AS MATERIALIZED (SELECT a FROM map.y) SELECT x.a FROM x"
    assert _line(transpile(sql, "spark")) == "WITH x AS (SELECT a FROM map.y) SELECT x.a FROM x"
    assert "AS MATERIALIZED (" in transpile(sql, "postgres")


def test_comments_stay_behind() -> None:
    assert "--" not in transpile("-- One x.\nSELECT a  -- b\nFROM map.y", "postgres")


def test_what_an_engine_cannot_do_is_an_error() -> None:
    with pytest.raises(ModelError, match="postgres cannot do this"):
        transpile("SELECT ANY_VALUE(a) AS x FROM map.y", "postgres")


def test_spark_is_told_how_to_keep_amounts_exact_and_refuses_where_it_was_not() -> None:
    written = script("SELECT a * b AS x FROM map.y", "spark").splitlines()
    assert written[:3] == [f"SET {name} = {value};" for name, value in SESSION["spark"].items()]
    assert written[3] == "SELECT * FROM ("
    assert written[-1].startswith("WHERE ASSERT_TRUE(TYPEOF(CAST(1 AS DECIMAL(38, 18)) * CAST(1 AS DECIMAL(38, 18)))")
    select = parse_one("\n".join(written[3:]), dialect="spark").sql("spark")
    assert select.startswith("SELECT * FROM (SELECT a * b AS x FROM map.y) AS model WHERE ASSERT_TRUE(")
    assert script("SELECT a * b AS x FROM map.y", "postgres") == transpile("SELECT a * b AS x FROM map.y", "postgres")


def test_an_engine_is_found_by_its_name() -> None:
    assert [target_named(name) for name in ("postgres", "PostgreSQL", "Spark")] == ["postgres", "postgres", "spark"]
    with pytest.raises(UsageError, match="There is no dialect oracle"):
        target_named("oracle")


def test_types_are_translated() -> None:
    types = ("HUGEINT", "BIGINT", "DECIMAL(38,18)", "VARCHAR", "TIMESTAMP", "BOOLEAN", "DATE")
    assert [column_type(name, "postgres") for name in types] == [
        "DECIMAL(38, 0)", "BIGINT", "DECIMAL(38, 18)", "TEXT", "TIMESTAMP", "BOOLEAN", "DATE",
    ]  # fmt: skip
    assert [column_type(name, "spark") for name in types][3:5] == ["STRING", "TIMESTAMP_NTZ"]


class _Recorder:
    """A connection that remembers what it is asked to run."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def execute(self, query: str, /) -> None:
        self.statements.append(" ".join(query.split()))


def test_all_models_are_created_in_order() -> None:
    recorder = _Recorder()
    models = catalog()
    create_external(recorder, EXTERNAL)
    assert recorder.statements[2] == (
        'CREATE TABLE "stg_vms"."documents"'
        ' ("document_key" BIGINT, "document_no" TEXT, "amount" DECIMAL(38, 18), "document_date" DATE)'
    )
    recorder.statements.clear()
    assert create_models(recorder, models) == tuple(map(TableRef.parse, ("map.rounded", "post.kept", "post.totals")))
    assert recorder.statements[:3] == [
        'CREATE SCHEMA IF NOT EXISTS "map"',
        'CREATE SCHEMA IF NOT EXISTS "post"',
        'DROP TABLE IF EXISTS "map"."rounded"',
    ]
    assert recorder.statements[3].startswith('CREATE TABLE "map"."rounded" AS SELECT documents.document_key')
    ref, statement = next(iter(statements(models, "spark")))
    assert str(ref) == "map.rounded"
    assert statement.startswith("CREATE TABLE `map`.`rounded` AS\nSELECT")
