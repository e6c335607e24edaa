-- One detail line in one of its two currencies ('currency': the document's, 'company'), as it will be sent, but signed as in the VMS:
-- net, plus its share of the VAT lines, plus the document's rounding rest on the largest line (docs/mapping.md#1-3, #1-4).
-- Shares are made in whole minor units: cut toward zero, the units left over go one each to the largest remainders.
-- Answers: What does a detail line come to once VAT and rounding are in it?
-- Read by: post.draft_lines.
-- grain: document_key, line_key, measure
WITH measured AS (
    SELECT
        lines.document_key,
        lines.line_key,
        lines.line_no,
        'currency' AS measure,
        COALESCE(lines.net_currency, 0) AS net,
        taxed.line_key IS NOT NULL AS is_taxed,
        COALESCE(taxed.vat_rate, 0) AS vat_rate,
        amounts.currency_factor AS factor,
        COALESCE(amounts.total_currency, 0) AS total,
        facts.vat_currency AS vat,
        facts.taxed_count,
        facts.detail_count
    FROM
        map.document_lines AS lines
    INNER JOIN map.document_amounts AS amounts
        ON lines.document_key = amounts.document_key
    INNER JOIN map.document_facts AS facts
        ON lines.document_key = facts.document_key
    LEFT JOIN map.taxed_lines AS taxed
        ON
            lines.document_key = taxed.document_key
            AND lines.line_key = taxed.line_key
    WHERE
        NOT lines.is_vat_line
    UNION ALL
    SELECT
        lines.document_key,
        lines.line_key,
        lines.line_no,
        'company' AS measure,
        COALESCE(lines.net_company, 0) AS net,
        taxed.line_key IS NOT NULL AS is_taxed,
        COALESCE(taxed.vat_rate, 0) AS vat_rate,
        amounts.company_factor AS factor,
        COALESCE(amounts.total_company, 0) AS total,
        facts.vat_company AS vat,
        facts.taxed_count,
        facts.detail_count
    FROM
        map.document_lines AS lines
    INNER JOIN map.document_amounts AS amounts
        ON lines.document_key = amounts.document_key
    INNER JOIN map.document_facts AS facts
        ON lines.document_key = facts.document_key
    LEFT JOIN map.taxed_lines AS taxed
        ON
            lines.document_key = taxed.document_key
            AND lines.line_key = taxed.line_key
    WHERE
        NOT lines.is_vat_line
),

sharing AS (
    SELECT
        *,
        CAST(vat * factor AS HUGEINT) AS vat_units,
        CAST(net * factor AS HUGEINT) * CAST(vat_rate * 1000000000 AS HUGEINT) AS weight
    FROM
        measured
    WHERE
        is_taxed
        -- Beyond that the product with the weight would overflow; the document is held by a rule of its own.
        AND ABS(vat * factor) < 100000000000000
),

weighed AS (
    SELECT
        *,
        SUM(weight) OVER (PARTITION BY document_key, measure) AS weight_total
    FROM
        sharing
),

cut AS (
    SELECT
        document_key,
        line_key,
        line_no,
        measure,
        factor,
        taxed_count,
        vat_units,
        -- A share beyond every amount comes from lines that cancel out; it is left to the even split below.
        CASE
            WHEN weight_total <> 0 AND ABS((vat_units * weight) // CAST(weight_total AS HUGEINT)) < 1000000000000000
                THEN (vat_units * weight) // CAST(weight_total AS HUGEINT)
            ELSE 0
        END AS cut_units,
        CASE WHEN weight_total <> 0 THEN ABS((vat_units * weight) % CAST(weight_total AS HUGEINT)) ELSE 0 END
            AS remainder
    FROM
        weighed
),

ranked AS (
    SELECT
        *,
        vat_units - SUM(cut_units) OVER (PARTITION BY document_key, measure) AS units_left,
        ROW_NUMBER() OVER (PARTITION BY document_key, measure ORDER BY remainder DESC, line_no ASC) AS remainder_rank
    FROM
        cut
),

-- The units that cutting left over go one each to the largest remainders, so that the shares add up to the VAT exactly.
shares AS (
    SELECT
        document_key,
        line_key,
        measure,
        CAST(
            cut_units
            + SIGN(units_left) * (
                CAST(ABS(units_left) AS HUGEINT) // CAST(taxed_count AS HUGEINT)
                + CASE
                    WHEN remainder_rank <= CAST(ABS(units_left) AS HUGEINT) % CAST(taxed_count AS HUGEINT) THEN 1
                    ELSE 0
                END
            ) AS DECIMAL(38, 0)
        )
        * CASE factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END AS share
    FROM
        ranked
),

gross AS (
    SELECT
        measured.document_key,
        measured.line_key,
        measured.line_no,
        measured.measure,
        measured.total,
        measured.detail_count * CASE measured.factor WHEN 1 THEN 0.5 ELSE 0.05 END AS tolerance,
        CAST(measured.net + COALESCE(shares.share, 0) AS DECIMAL(38, 4)) AS gross
    FROM
        measured
    LEFT JOIN shares
        ON
            measured.document_key = shares.document_key
            AND measured.line_key = shares.line_key
            AND measured.measure = shares.measure
),

rested AS (
    SELECT
        *,
        -- Rounding may leave half a cent a line; more than that is an error in the document, and is_balanced says so.
        total - SUM(gross) OVER (PARTITION BY document_key, measure) AS rest,
        ROW_NUMBER() OVER (PARTITION BY document_key, measure ORDER BY ABS(gross) DESC, line_no) AS size_rank
    FROM
        gross
)

SELECT
    document_key,
    line_key,
    measure,  -- currency or company
    CAST(gross + CASE WHEN size_rank = 1 AND ABS(rest) <= tolerance THEN rest ELSE 0 END AS DECIMAL(38, 4))
        AS amount,  -- VAT and rounding rest included, signed as in the VMS
    CAST(rest AS DECIMAL(38, 4)) AS rest,  -- total less the lines; more than the tolerance holds the document
    ABS(rest) <= tolerance AS is_balanced  -- the rest is rounding
FROM
    rested
