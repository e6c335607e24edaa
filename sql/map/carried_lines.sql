-- One detail line without a rate that a VAT line taxes, because the VAT line carries the rate itself: its quantity is the
-- base, within the tolerance the sum of all detail lines without a rate or exactly one of them (docs/mapping.md#1-3).
-- Answers which lines a VAT line could be for where the lines do not say so; read by map.taxed_lines and map.document_facts.
-- grain: document_key, vat_line_key, line_key
WITH carried AS (
    SELECT
        lines.document_key,
        lines.line_key,
        lines.vat_rate,
        lines.vat_code,
        CAST(ROUND(lines.quantity, 4) AS DECIMAL(38, 4)) AS base,
        CASE documents.currency_minor_units WHEN 0 THEN 0.5 ELSE 0.05 END AS tolerance
    FROM
        map.document_lines AS lines
    INNER JOIN map.open_documents AS documents
        ON lines.document_key = documents.document_key
    WHERE
        lines.is_vat_line
        AND COALESCE(lines.vat_rate, 0) <> 0
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
),

counted AS (
    SELECT
        *,
        SUM(CASE WHEN is_of_line THEN 1 ELSE 0 END) OVER (PARTITION BY document_key, vat_line_key) AS line_matches
    FROM
        candidates
)

SELECT
    document_key,
    vat_line_key,  -- the VAT line that carries the rate
    line_key,  -- the line it taxes
    vat_rate,  -- a fraction: 0.25
    vat_code,
    COUNT(*) OVER (PARTITION BY document_key, line_key) AS carrier_count  -- more than 1: two VAT lines claim the line
FROM
    counted
WHERE
    is_of_all
    OR (is_of_line AND line_matches = 1)
