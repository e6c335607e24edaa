-- One detail line of an open document that has a share of its VAT lines, with the rate and code that tax it.
-- Usually the line has the rate itself. Where no line has, a VAT line may carry it: its quantity is then the base, the
-- sum of all detail lines without a rate or exactly one of them (docs/mapping.md#1-3). A document in which any VAT line finds
-- no such base, or two find the same line, has no row and is held.
-- Answers which lines are sent gross; read by map.document_facts, post.detail_amounts and post.draft_lines.
-- grain: document_key, line_key
WITH carried AS (
    SELECT
        lines.document_key,
        lines.line_key,
        lines.vat_rate,
        lines.vat_code,
        lines.net_currency,
        CAST(ROUND(lines.quantity, 4) AS DECIMAL(38, 4)) AS base,
        CASE documents.currency_minor_units WHEN 0 THEN 0.5 ELSE 0.05 END AS tolerance
    FROM
        map.document_lines AS lines
    INNER JOIN map.open_documents AS documents
        ON lines.document_key = documents.document_key
    WHERE
        lines.is_vat_line
        AND NOT EXISTS (
            SELECT 1
            FROM
                map.document_lines AS taxed
            WHERE
                taxed.document_key = lines.document_key
                AND taxed.is_taxed
        )
),

untaxed AS (
    SELECT
        document_key,
        line_key,
        COALESCE(net_currency, 0) AS net_currency,
        SUM(COALESCE(net_currency, 0)) OVER (PARTITION BY document_key) AS net_total
    FROM
        map.document_lines
    WHERE
        NOT is_vat_line
        AND vat_rate IS NULL
        AND NOT is_rate_impossible
),

candidates AS (
    SELECT
        carried.document_key,
        carried.line_key AS vat_line_key,
        untaxed.line_key,
        carried.vat_rate,
        carried.vat_code,
        ABS(carried.base - untaxed.net_total) <= carried.tolerance AS is_of_all,
        ABS(carried.base - untaxed.net_currency) <= carried.tolerance AS is_of_line
    FROM
        carried
    INNER JOIN untaxed
        ON carried.document_key = untaxed.document_key
    WHERE
        COALESCE(carried.vat_rate, 0) <> 0
),

counted AS (
    SELECT
        candidates.*,
        SUM(CASE WHEN is_of_line THEN 1 ELSE 0 END) OVER (PARTITION BY document_key, vat_line_key) AS line_matches
    FROM
        candidates
),

found AS (
    SELECT
        document_key,
        vat_line_key,
        line_key,
        vat_rate,
        vat_code,
        COUNT(*) OVER (PARTITION BY document_key, line_key) AS carrier_count
    FROM
        counted
    WHERE
        is_of_all
        OR (is_of_line AND line_matches = 1)
),

whole AS (
    SELECT carried.document_key
    FROM
        carried
    LEFT JOIN (SELECT DISTINCT document_key, vat_line_key FROM found) AS based
        ON
            carried.document_key = based.document_key
            AND carried.line_key = based.vat_line_key
    GROUP BY
        carried.document_key
    HAVING
        COUNT(*) = COUNT(based.vat_line_key)
),

unclear AS (
    SELECT DISTINCT document_key
    FROM
        found
    WHERE
        carrier_count > 1
)

SELECT
    lines.document_key,
    lines.line_key,
    lines.vat_rate,  -- a fraction: 0.25
    lines.vat_code,  -- becomes the tax rule
    CAST(NULL AS BIGINT) AS vat_line_key  -- the VAT line that carries the rate; null: the line has it itself
FROM
    map.document_lines AS lines
WHERE
    lines.is_taxed
UNION ALL
SELECT
    found.document_key,
    found.line_key,
    found.vat_rate,
    found.vat_code,
    found.vat_line_key
FROM
    found
INNER JOIN whole
    ON found.document_key = whole.document_key
LEFT JOIN unclear
    ON found.document_key = unclear.document_key
WHERE
    unclear.document_key IS NULL
