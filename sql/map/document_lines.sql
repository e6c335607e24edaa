-- One line of an open document as the mapping reads it: cleaned, in the document's currency, a VAT line or taxed or not.
-- Answers what the VMS says of a line; read by everything that makes vouchers of lines.
-- grain: document_key, line_key
WITH commissions AS (
    -- Installations that never say which lines are commissions are known by having no such line at all.
    SELECT COUNT(lines.commission_key) AS commission_count
    FROM
        stg_vms.document_lines AS lines
),

broker_types AS (
    SELECT COUNT(*) AS type_count
    FROM
        seed.broker_types
),

own AS (
    SELECT
        documents.document_key,
        documents.voucher_type,
        documents.gl_sign,
        documents.partner_code AS document_partner_code,
        lines.line_key,
        NULLIF(TRIM(lines.gl_account), '') AS gl_account,
        lines.line_text,
        NULLIF(TRIM(lines.vat_code), '') AS vat_code,
        NULLIF(TRIM(lines.partner_code), '') AS partner_code,
        COALESCE(NULLIF(TRIM(lines.partner_type), ''), NULLIF(TRIM(lines.partner_type_code), '')) AS partner_type_code,
        lines.commission_key,
        lines.ref_document_key,
        lines.ref_document_no,
        lines.quantity,
        lines.voyage_key,
        lines.voyage_is_tc,
        NULLIF(TRIM(lines.voyage_reference_no), '') AS voyage_reference_no,
        NULLIF(TRIM(lines.business_unit_code), '') AS business_unit_code,
        NULLIF(TRIM(lines.accrual_balance_account), '') AS accrual_balance_account,
        NULLIF(TRIM(lines.accrual_asset_account), '') AS accrual_asset_account,
        -- An account of the line's speaks for itself; a line without one is known by its GL account.
        CASE
            WHEN NULLIF(TRIM(lines.account_code), '') IS NULL THEN COALESCE(lines.is_revenue, accounts.is_revenue, FALSE)
            ELSE COALESCE(lines.is_revenue, FALSE)
        END AS is_revenue,
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
    LEFT JOIN seed.vat_accounts AS vat_accounts
        ON TRIM(lines.gl_account) = vat_accounts.account
    LEFT JOIN seed.reverse_charge AS reverse_charge
        ON TRIM(lines.vat_code) = reverse_charge.vat_code
    LEFT JOIN map.revenue_accounts AS accounts
        ON TRIM(lines.gl_account) = accounts.gl_account
)

SELECT
    own.document_key,
    own.line_key,
    amounts.line_no,  -- from 1, in the order of the key
    own.gl_account,  -- null: the line has none
    own.line_text,  -- as the VMS has it
    own.vat_code,  -- null: none
    own.partner_code,  -- another partner's where it is a broker's commission
    own.partner_code IS NOT NULL
    AND own.partner_code <> COALESCE(own.document_partner_code, '')
    AND (
        own.commission_key IS NOT NULL
        OR types.partner_type_code IS NOT NULL
        -- Where nothing tells commissions apart, another partner on a line is one (docs/mapping.md#1-1).
        OR (broker_types.type_count = 0 AND commissions.commission_count = 0)
    ) AS is_commission,  -- of a partner other than the document's
    own.ref_document_key,  -- what the line takes back or settles
    own.ref_document_no,
    own.quantity,  -- of a VAT line that carries the rate: the base
    own.voyage_key,
    own.voyage_is_tc,  -- the voyage is a time charter
    own.voyage_reference_no,
    vessels.vessel_code,
    vessels.pool_code,  -- of the vessel code
    own.business_unit_code,
    own.is_revenue,  -- its account is a revenue account in the VMS
    -- GL documents are debit-positive unless the tenant says otherwise (posting.gl_sign).
    CASE
        WHEN own.voucher_type <> 'GL' THEN 1
        WHEN own.gl_sign = '-1' OR (own.gl_sign = 'revenue' AND own.is_revenue) THEN -1
        ELSE 1
    END AS gl_direction,  -- what makes a GL document's amount debit-positive: 1 or -1
    own.accrual_balance_account,  -- contra account of accrued costs, from the line's account
    own.accrual_asset_account,  -- contra account of accrued revenue, from the line's account
    own.vat_rate,  -- a fraction: 0.25
    own.is_rate_impossible,  -- 100 % or more
    own.is_vat_line,  -- on one of posting.vat_accounts
    NOT own.is_vat_line AND NOT own.is_reverse_charge AND COALESCE(own.vat_rate, 0) <> 0 AS is_taxed,  -- has a rate of its own
    amounts.is_amount_missing,  -- in one of the two currencies
    amounts.is_amount_too_large,  -- 10^12 or more, which is no amount
    amounts.is_other_currency,  -- the line is not in the document's currency
    COALESCE(converted.net_currency, amounts.net_currency) AS net_currency,  -- in document currency, signed as in the VMS
    amounts.net_company  -- in company currency, signed as in the VMS
FROM
    own
CROSS JOIN commissions
CROSS JOIN broker_types
INNER JOIN map.line_amounts AS amounts
    ON
        own.document_key = amounts.document_key
        AND own.line_key = amounts.line_key
INNER JOIN map.line_vessels AS vessels
    ON
        own.document_key = vessels.document_key
        AND own.line_key = vessels.line_key
LEFT JOIN map.converted_amounts AS converted
    ON
        own.document_key = converted.document_key
        AND own.line_key = converted.line_key
LEFT JOIN seed.broker_types AS types
    ON own.partner_type_code = types.partner_type_code
