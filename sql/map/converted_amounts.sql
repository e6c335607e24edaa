-- One line, VAT lines included, of an invoice with a line in another currency, brought into the document's currency.
-- The rounded document amount is shared over all lines by their company amounts: cut toward zero to the minor unit, the
-- units left over go one each to the largest remainders, ties to the first line (docs/mapping.md#1-3 and #1-6 no. 8).
-- Answers what such a line comes to where posting.line_currency is convert; no row where it is hold, nor for GL
-- documents, which are always held. Read by map.document_lines.
-- grain: document_key, line_key
WITH mixed AS (
    SELECT DISTINCT lines.document_key
    FROM
        map.line_amounts AS lines
    INNER JOIN map.open_documents AS documents
        ON lines.document_key = documents.document_key
    CROSS JOIN seed.settings AS settings
    WHERE
        lines.is_other_currency
        AND settings.line_currency = 'convert'
        AND documents.voucher_type <> 'GL'
),

weighed AS (
    SELECT
        lines.document_key,
        lines.line_key,
        lines.line_no,
        amounts.currency_factor,
        CAST(COALESCE(amounts.total_currency, 0) * amounts.currency_factor AS HUGEINT) AS total_units,
        CAST(COALESCE(lines.net_company, 0) * amounts.company_factor AS HUGEINT) AS weight,
        SUM(CAST(COALESCE(lines.net_company, 0) * amounts.company_factor AS HUGEINT))
            OVER (PARTITION BY lines.document_key) AS weight_total
    FROM
        mixed
    INNER JOIN map.line_amounts AS lines
        ON mixed.document_key = lines.document_key
    INNER JOIN map.document_amounts AS amounts
        ON lines.document_key = amounts.document_key
),

cut AS (
    SELECT
        document_key,
        line_key,
        line_no,
        currency_factor,
        total_units,
        weight_total,
        -- Lines that cancel out have no proportion; what they come to then does not add up, which holds the document.
        CASE WHEN weight_total <> 0 THEN (total_units * weight) // CAST(weight_total AS HUGEINT) ELSE 0 END AS cut_units,
        CASE WHEN weight_total <> 0 THEN ABS((total_units * weight) % CAST(weight_total AS HUGEINT)) ELSE 0 END
            AS remainder
    FROM
        weighed
    WHERE
        ABS(weight) < 100000000000000
),

ranked AS (
    SELECT
        document_key,
        line_key,
        currency_factor,
        cut_units,
        CASE WHEN weight_total <> 0 THEN total_units - SUM(cut_units) OVER (PARTITION BY document_key) ELSE 0 END
            AS units_left,
        ROW_NUMBER() OVER (PARTITION BY document_key ORDER BY remainder DESC, line_no ASC) AS remainder_rank
    FROM
        cut
)

SELECT
    document_key,
    line_key,
    CAST(
        CAST(
            cut_units + CASE WHEN remainder_rank <= ABS(units_left) THEN SIGN(units_left) ELSE 0 END AS DECIMAL(38, 0)
        )
        * CASE currency_factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END
        AS DECIMAL(38, 4)
    ) AS net_currency  -- in the document's currency, signed as in the VMS
FROM
    ranked
