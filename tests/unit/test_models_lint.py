"""What the lint finds in sql/ and what it lets through; the product's own models have nothing to find."""

# ruff: noqa: S608 - the statements are the tests\' own

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.core.resources import sql_folder
from pipelines.models.lint.__main__ import lint, main
from pipelines.models.sources import read_sources
from tests.models.small import SMALL, source

HEAD = "-- One x.\n-- grain: a\n"


def _found(sql: str) -> list[str]:
    return [finding.what for finding in lint([source("post.x", f"{HEAD}{sql}")])]


def _in_expression(expression: str) -> list[str]:
    return _found(f"SELECT a, {expression} AS n FROM map.y")


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("b / 2", "DIV"),
        ("AVG(b)", "AVG()"),
        ("CAST(b AS DOUBLE)", "a cast to DOUBLE"),
        ("CAST(b AS REAL)", "a cast to REAL"),
        ("CAST(b AS FLOAT)", "a cast to REAL"),
        ("CAST(b AS UBIGINT)", "a cast to UBIGINT"),
        ("CAST(b AS TIMESTAMPTZ)", "a cast to TIMESTAMPTZ"),
        ("CAST(b AS DECIMAL(10))", "DECIMAL(10) without its digits"),
        ("CAST(code AS INTEGER)", "a cast of code"),
        ("CASE WHEN y.voucher_code <> '' THEN CAST((y.voucher_code) AS DATE) END", "a cast of voucher_code"),
        ("1e3", "the number 1e3"),
        ("ROUND(b, c)", "ROUND() to digits that are no literal"),
        ("TRUNC(b, c)", "TRUNC() to digits that are no literal"),
        ("CAST(b AS DECIMAL(18, 4)) * c", "DECIMAL(18, 4) in a product"),
        ("c * (CAST(b AS DECIMAL(18, 9)))", "DECIMAL(18, 9) in a product"),
        ("b // c", "a divisor of // not seen to be an integer"),
        ("b % c", "a divisor of % not seen to be an integer"),
        ("ROUND(b, 2) // 2", "a decimal before //"),
        ("CAST(b AS DECIMAL(38, 4)) // 2", "a decimal before //"),
        ("c + INTERVAL 1 MONTH", "a date and an interval"),
        ("CAST(c + INTERVAL (b) DAY AS DATE)", "an interval of a column"),
        ("DATE_TRUNC('month', c)", "DATE_TRUNC"),
        ("due_date - document_date", "a date less a date"),
        ("CAST(b AS DATE) - CAST(c AS DATE)", "a date less a date"),
        ("EXTRACT(DOW FROM c)", "EXTRACT(DOW ...)"),
        ("DATE_DIFF('month', b, c)", "DATE_DIFF in MONTH"),
        ("STRFTIME(c, '%B %Y')", "this format of a time"),
        ("STRFTIME(c, b)", "this format of a time"),
        ("ROW_NUMBER() OVER (PARTITION BY b)", "ROW_NUMBER() without an order"),
        ("LAG(b) OVER (PARTITION BY c)", "LAG() without an order"),
        ("SUM(b) OVER (ORDER BY c RANGE BETWEEN 1 PRECEDING AND CURRENT ROW)", "a frame in RANGE or GROUPS"),
        ("STRING_AGG(b, ', ')", "STRING_AGG without an order"),
        ("COUNT(DISTINCT (b, c))", "COUNT(DISTINCT) of several columns"),
        ("LEFT(b, -1)", "LEFT() from a place below 1"),
        ("SUBSTRING(b, 0, 3)", "SUBSTRING() from a place below 1"),
        ("b LIKE 'x\\_%'", "a pattern that is no plain literal"),
        ("b LIKE c", "a pattern that is no plain literal"),
        ("b ILIKE 'x%'", "ILIKE"),
        ("NULL", "NULL as a column"),
        ("IF(b, 1, 2)", "IF()"),
        ("CONCAT(b, c)", "CONCAT()"),
        ("REGEXP_MATCHES(b, 'x')", "REGEXP_LIKE()"),
        ("CURRENT_DATE", "CURRENT_DATE()"),
        ("NOW()", "NOW()"),
        ("HASH(b)", "HASH()"),
        ("YEAR(c)", "YEAR()"),
        ("ARG_MAX(b, c)", "ARG_MAX()"),
        ("[b, c]", "ARRAY()"),
        ("{'x': b}", "STRUCT()"),
        ("EXISTS (SELECT 1 FROM map.z)", "EXISTS or IN (SELECT) outside WHERE"),
        ("b IN (SELECT c FROM map.z)", "EXISTS or IN (SELECT) outside WHERE"),
    ],
)  # fmt: skip
def test_what_is_inexact_or_not_portable_is_found(expression: str, what: str) -> None:
    assert what in _in_expression(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "COALESCE(NULLIF(TRIM(b), ''), UPPER(c))",
        "CASE WHEN b IS NULL THEN 1 WHEN NOT c THEN 2 ELSE 3 END",
        "CAST(b AS DECIMAL(38, 4)) * CAST(c AS DECIMAL(38, 9))",
        "ROUND(CAST(b AS DECIMAL(38, 18)), 2) + 0.05",
        "CAST(b AS HUGEINT) // 2 % 10",
        "(b * c) // CAST(d AS HUGEINT)",
        "SUM(b) FILTER (WHERE c > 0)",
        "SUM(b) OVER (PARTITION BY c ORDER BY d ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
        "ROW_NUMBER() OVER (PARTITION BY b ORDER BY c DESC, a)",
        "STRING_AGG(DISTINCT b, ', ' ORDER BY b)",
        "BOOL_AND(b) AND BOOL_OR(c)",
        "CAST(c + INTERVAL 1 MONTH AS DATE)",
        "CAST(DATE_TRUNC('month', c) AS DATE)",
        "CAST(c - INTERVAL 2 HOUR AS TIMESTAMP)",
        "due_date + 14",
        "DATE_DIFF('day', document_date, due_date)",
        "EXTRACT(YEAR FROM c) * 12 + EXTRACT(MONTH FROM c)",
        "STRFTIME(c, '%Y-%m')",
        "SUBSTRING(b, POSITION('|' IN b) + 1) || LEFT(c, 3)",
        "TRANSLATE(b, '0123456789', '')",
        "b LIKE 'NO%'",
        "GREATEST(b, c) IS DISTINCT FROM LEAST(b, c)",
        "CAST(NULL AS DATE)",
        "TRY_CAST(b AS BIGINT)",
        "COUNT(DISTINCT b)",
        "(SELECT MAX(z.c) FROM map.z AS z WHERE z.a = y.a)",
    ],
)  # fmt: skip
def test_what_runs_alike_everywhere_is_let_through(expression: str) -> None:
    assert _in_expression(expression) == []


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("SELECT a FROM map.y SEMI JOIN map.z USING (a)", "SEMI JOIN"),
        ("SELECT a FROM map.y ASOF JOIN map.z ON y.a >= z.a", "ASOF JOIN"),
        ("SELECT a FROM map.y NATURAL JOIN map.z", "NATURAL JOIN"),
        ("SELECT y.a FROM map.y, map.z", "a join without a condition"),
        ("SELECT y.a FROM map.y FULL JOIN map.z ON y.a = z.a AND y.b > z.b", "a FULL JOIN on more than equal columns"),
        ("SELECT DISTINCT ON (a) a FROM map.y", "DISTINCT ON"),
        ("SELECT a, COUNT(*) AS n FROM map.y GROUP BY ALL", "GROUP BY ALL or grouping sets"),
        ("SELECT a FROM map.y UNION ALL BY NAME SELECT a FROM map.z", "UNION BY NAME"),
        ("WITH RECURSIVE s AS (SELECT a FROM map.y) SELECT a FROM s", "WITH RECURSIVE"),
        ("WITH s AS (SELECT * EXCLUDE (b) FROM map.y) SELECT a FROM s", "* EXCLUDE, REPLACE or RENAME"),
        ("SELECT a FROM map.y ORDER BY a LIMIT 3", "LIMIT"),
        ("SELECT a FROM map.y CROSS JOIN UNNEST(b) AS t (u)", "UNNEST()"),
        ("SELECT a FROM map.y QUALIFY ROW_NUMBER() OVER (PARTITION BY a) = 1", "ROW_NUMBER() without an order"),
        ("SELECT * FROM map.y", "the last SELECT lists its columns, each with a name"),
    ],
)  # fmt: skip
def test_queries_that_are_not_portable_are_found(sql: str, what: str) -> None:
    assert what in _found(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM map.y WHERE NOT EXISTS (SELECT 1 FROM map.z WHERE z.a = y.a) AND b IN (SELECT c FROM map.z)",
        "SELECT COALESCE(y.a, z.a) AS a FROM map.y FULL OUTER JOIN map.z ON y.a = z.a AND y.b = z.b",
        "SELECT a FROM map.y FULL OUTER JOIN map.z USING (a)",
        "SELECT y.a FROM map.y CROSS JOIN map.z LEFT JOIN map.w ON y.a = w.a OR y.b IS NULL",
        "SELECT a FROM map.y UNION ALL SELECT a FROM map.z EXCEPT SELECT a FROM map.w",
        "SELECT DISTINCT a FROM (VALUES (1), (2)) AS v (a)",
        "SELECT a FROM map.y QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY b DESC NULLS LAST, c) = 1",
        "WITH s AS (SELECT * FROM map.y) SELECT a, COUNT(*) AS n FROM s GROUP BY a HAVING COUNT(*) > 1",
    ],
)
def test_portable_queries_are_let_through(sql: str) -> None:
    assert _found(sql) == []


def test_a_finding_says_where_why_and_what_instead() -> None:
    (finding,) = lint([source("post.x", f"{HEAD}SELECT\n    a,\n    b / 2 AS half\nFROM map.y")])
    assert str(finding) == (
        "sql/post/x.sql:5:5: DIV: it gives DOUBLE, and money is never a float."
        " Instead: multiply by a decimal literal, or divide units by //."
    )


def test_a_header_without_meaning_or_grain_is_found() -> None:
    found = [finding.what for finding in lint([source("post.x", "SELECT a FROM map.y")])]
    assert found == ["the header does not say what one row is", "the header has no grain"]


def test_a_file_that_is_no_select_is_one_finding() -> None:
    assert _found("CREATE TABLE y AS SELECT 1") == ["a model is one SELECT; this is CREATE"]


def test_the_models_of_the_product_have_no_findings() -> None:
    assert [str(finding) for finding in lint(read_sources(sql_folder()))] == []


def test_the_command_writes_findings_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sql" / "map").mkdir(parents=True)
    (tmp_path / "sql" / "map" / "rounded.sql").write_text(SMALL["map.rounded"])
    assert main([str(tmp_path / "sql")]) == 0
    (tmp_path / "sql" / "map" / "rounded.sql").write_text(
        SMALL["map.rounded"].replace("ROUND(documents.amount, 2)", "AVG(documents.amount)")
    )
    assert main([str(tmp_path / "sql")]) == 1
    written = capsys.readouterr().out.splitlines()
    assert written[0] == "1 models, 0 findings"
    assert written[1].startswith("sql/map/rounded.sql:6:10: AVG(): ")
