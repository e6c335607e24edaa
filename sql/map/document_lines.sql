-- One line of an open document, its amounts rounded once to minor units, and whether it is a VAT line or taxed.
-- Only lines of the document's own fetch count: a line removed in the VMS is gone here too.
-- Answers: What does a line of a document carry, in whole cents of both currencies?
-- Read by: the posting path.
-- grain: document_key, line_key
WITH own AS (
    SELECT
        documents.document_key,
        lines.line_key,
        NULLIF(TRIM(lines.gl_account), '') AS gl_account,
        lines.line_text,
        NULLIF(TRIM(lines.vat_code), '') AS vat_code,
        NULLIF(TRIM(lines.partner_code), '') AS partner_code,
        lines.ref_document_key,
        lines.ref_document_no,
        lines.voyage_key,
        lines.voyage_is_tc,
        NULLIF(TRIM(lines.voyage_reference_no), '') AS voyage_reference_no,
        NULLIF(TRIM(lines.vessel_code), '') AS vessel_code,
        NULLIF(TRIM(lines.pool_code), '') AS pool_code,
        documents.currency_minor_units,
        documents.company_minor_units,
        lines.document_amount IS NULL OR lines.company_currency_amount IS NULL AS is_amount_missing,
        COALESCE(ABS(lines.document_amount) >= amounts.currency_limit, FALSE)
        OR COALESCE(ABS(lines.company_currency_amount) >= amounts.company_limit, FALSE) AS is_amount_too_large,
        CASE WHEN ABS(lines.document_amount) < amounts.currency_limit THEN lines.document_amount END
            AS document_amount,
        CASE WHEN ABS(lines.company_currency_amount) < amounts.company_limit THEN lines.company_currency_amount END
            AS company_currency_amount,
        -- A rate of 100 % or more is no VAT rate; the document is held because its VAT does not follow it.
        CAST(CASE WHEN ABS(lines.vat_rate) < 1 THEN ROUND(lines.vat_rate, 9) END AS DECIMAL(38, 9)) AS vat_rate,
        lines.vat_rate IS NOT NULL AND ABS(lines.vat_rate) >= 1 AS is_rate_impossible,
        vat_accounts.account IS NOT NULL AS is_vat_line,
        reverse_charge.vat_code IS NOT NULL AS is_reverse_charge
    FROM
        map.open_documents AS documents
    INNER JOIN stg_vms.document_lines AS lines
        ON
            documents.document_key = lines.document_key
            AND documents.fetch_id = lines.fetch_id
    INNER JOIN map.document_amounts AS amounts
        ON documents.document_key = amounts.document_key
    LEFT JOIN seed.vat_accounts AS vat_accounts
        ON TRIM(lines.gl_account) = vat_accounts.account
    LEFT JOIN seed.reverse_charge AS reverse_charge
        ON TRIM(lines.vat_code) = reverse_charge.vat_code
)

SELECT
    document_key,
    line_key,
    ROW_NUMBER() OVER (PARTITION BY document_key ORDER BY line_key) AS line_no,  -- from 1, in the order of the key
    gl_account,  -- null: the line has none
    line_text,  -- as the VMS has it
    vat_code,  -- null: none
    partner_code,  -- another partner's where it is a broker's commission
    ref_document_key,  -- what the line takes back or settles
    ref_document_no,
    voyage_key,
    voyage_is_tc,  -- the voyage is a time charter
    voyage_reference_no,
    vessel_code,
    pool_code,  -- of the vessel
    vat_rate,  -- a fraction: 0.25
    is_rate_impossible,  -- 100 % or more
    is_vat_line,  -- on one of posting.vat_accounts
    NOT is_vat_line AND NOT is_reverse_charge AND COALESCE(vat_rate, 0) <> 0 AS is_taxed,  -- has a share of the VAT lines
    is_amount_missing,  -- in one of the two currencies
    is_amount_too_large,  -- 10^12 or more, which is no amount
    CASE currency_minor_units
        WHEN 0 THEN CAST(ROUND(document_amount, 0) AS DECIMAL(38, 4))
        WHEN 2 THEN CAST(ROUND(document_amount, 2) AS DECIMAL(38, 4))
        WHEN 3 THEN CAST(ROUND(document_amount, 3) AS DECIMAL(38, 4))
        ELSE CAST(ROUND(document_amount, 4) AS DECIMAL(38, 4))
    END AS net_currency,  -- in document currency, signed as in the VMS
    CASE company_minor_units
        WHEN 0 THEN CAST(ROUND(company_currency_amount, 0) AS DECIMAL(38, 4))
        WHEN 2 THEN CAST(ROUND(company_currency_amount, 2) AS DECIMAL(38, 4))
        WHEN 3 THEN CAST(ROUND(company_currency_amount, 3) AS DECIMAL(38, 4))
        ELSE CAST(ROUND(company_currency_amount, 4) AS DECIMAL(38, 4))
    END AS net_company  -- in company currency, signed as in the VMS
FROM
    own
