"""What models are made of, with rows on which engines would differ, and how the rows of two engines are compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

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

QUERIES = (
    "SELECT b, n FROM map.input QUALIFY ROW_NUMBER() OVER (PARTITION BY b ORDER BY a DESC, n) = 1",
    "SELECT i.n AS l, j.n AS r FROM map.input AS i FULL OUTER JOIN map.input AS j ON i.n = j.n + 1",
    "SELECT n FROM map.input WHERE n NOT IN (SELECT v.k FROM (VALUES (1), (2)) AS v (k))",
    "SELECT n FROM map.input UNION ALL SELECT n + 1 FROM map.input EXCEPT SELECT 2",
    "SELECT b, SUM(a) AS total FROM map.input GROUP BY b HAVING COUNT(*) > 1",
)


def comparable(rows: Iterable[Sequence[object]]) -> list[tuple[str, ...]]:
    """Sort rows, and write numbers without the zeros that tell their scale."""
    return sorted(tuple(map(plain, row)) for row in rows)


def plain(value: object) -> str:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return format(Decimal(value).normalize(), "f")
    return str(value)
