-- One detail line of an open document that has a share of its VAT lines, with the rate and code that tax it.
-- Usually the line has the rate itself. Where no line has, VAT lines may carry it (map.carried_lines): then each must find
-- its base, and no two the same line (docs/mapping.md#1-3). Else the document has no row here, and is held.
-- Answers which lines are sent gross; read by map.document_facts, post.detail_amounts and post.draft_lines.
-- grain: document_key, line_key
WITH based AS (
    SELECT
        document_key,
        vat_line_key,
        MAX(carrier_count) AS carrier_count
    FROM
        map.carried_lines
    GROUP BY
        document_key, vat_line_key
),

-- Every VAT line has its base, no line two, and no line has a rate of its own.
clear AS (
    SELECT lines.document_key
    FROM
        map.document_lines AS lines
    LEFT JOIN based
        ON
            lines.document_key = based.document_key
            AND lines.line_key = based.vat_line_key
    GROUP BY
        lines.document_key
    HAVING
        SUM(CASE WHEN lines.is_taxed THEN 1 ELSE 0 END) = 0
        AND SUM(CASE WHEN lines.is_vat_line AND based.vat_line_key IS NULL THEN 1 ELSE 0 END) = 0
        AND MAX(COALESCE(based.carrier_count, 1)) = 1
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
    carried.document_key,
    carried.line_key,
    carried.vat_rate,
    carried.vat_code,
    carried.vat_line_key
FROM
    map.carried_lines AS carried
INNER JOIN clear
    ON carried.document_key = clear.document_key
