-- One line of an open document with its amounts as the VMS has them, rounded once to minor units.
-- Only lines of the document's own fetch count: a line removed in the VMS is gone here too.
-- Answers what a line comes to before VAT, rounding and conversion; read by map.converted_amounts and map.document_lines.
-- grain: document_key, line_key
WITH bounded AS (
    SELECT
        documents.document_key,
        lines.line_key,
        documents.currency_minor_units,
        documents.company_minor_units,
        lines.document_amount IS NULL OR lines.company_currency_amount IS NULL AS is_amount_missing,
        COALESCE(ABS(lines.document_amount) >= amounts.currency_limit, FALSE)
        OR COALESCE(ABS(lines.company_currency_amount) >= amounts.company_limit, FALSE) AS is_amount_too_large,
        COALESCE(NULLIF(UPPER(TRIM(lines.currency_code)), '') <> documents.currency_code, FALSE) AS is_other_currency,
        CASE WHEN ABS(lines.document_amount) < amounts.currency_limit THEN lines.document_amount END
            AS document_amount,
        CASE WHEN ABS(lines.company_currency_amount) < amounts.company_limit THEN lines.company_currency_amount END
            AS company_currency_amount
    FROM
        map.open_documents AS documents
    INNER JOIN stg_vms.document_lines AS lines
        ON
            documents.document_key = lines.document_key
            AND documents.fetch_id = lines.fetch_id
    INNER JOIN map.document_amounts AS amounts
        ON documents.document_key = amounts.document_key
)

SELECT
    document_key,
    line_key,
    ROW_NUMBER() OVER (PARTITION BY document_key ORDER BY line_key) AS line_no,  -- from 1, in the order of the key
    is_amount_missing,  -- in one of the two currencies
    is_amount_too_large,  -- 10^12 or more, which is no amount
    is_other_currency,  -- the line is not in the document's currency
    CASE currency_minor_units
        WHEN 0 THEN CAST(ROUND(document_amount, 0) AS DECIMAL(38, 4))
        WHEN 2 THEN CAST(ROUND(document_amount, 2) AS DECIMAL(38, 4))
        WHEN 3 THEN CAST(ROUND(document_amount, 3) AS DECIMAL(38, 4))
        ELSE CAST(ROUND(document_amount, 4) AS DECIMAL(38, 4))
    END AS net_currency,  -- signed as in the VMS, in the line's own currency
    CASE company_minor_units
        WHEN 0 THEN CAST(ROUND(company_currency_amount, 0) AS DECIMAL(38, 4))
        WHEN 2 THEN CAST(ROUND(company_currency_amount, 2) AS DECIMAL(38, 4))
        WHEN 3 THEN CAST(ROUND(company_currency_amount, 3) AS DECIMAL(38, 4))
        ELSE CAST(ROUND(company_currency_amount, 4) AS DECIMAL(38, 4))
    END AS net_company  -- in company currency, signed as in the VMS
FROM
    bounded
