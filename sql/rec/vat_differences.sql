-- One invoice or credit note whose voucher has other VAT in the ledger than the document has in the VMS.
-- The VMS's VAT stands on its VAT lines; the ledger's is what it has split off by its tax rules, in either of the two ways that
-- rec.voucher_moves knows. Rounding of 0.05 a taxed line is none (docs/mapping.md#1-3), as before sending.
-- A voucher whose lines were changed is told by rec.voucher_changes. VAT lines in another currency are not compared.
-- Answers: Did the ledger book the VAT that the invoice has?
-- Read by: rec.document_facts.
-- grain: document_key
-- parts: document_key
WITH in_vms AS (
    SELECT
        documents.document_key,
        SUM(CASE WHEN vat_accounts.account IS NOT NULL THEN lines.document_amount ELSE 0 END) AS vat,
        MAX(CASE WHEN UPPER(TRIM(lines.currency_code)) <> UPPER(TRIM(documents.currency_code)) THEN 1 ELSE 0 END) AS is_mixed
    FROM
        stg_vms.documents AS documents
    INNER JOIN stg_vms.document_lines AS lines
        ON
            documents.document_key = lines.document_key
            AND documents.fetch_id = lines.fetch_id
    LEFT JOIN seed.vat_accounts AS vat_accounts
        ON TRIM(lines.gl_account) = vat_accounts.account
    GROUP BY
        documents.document_key
),

in_ledger AS (
    SELECT
        document_key,
        SUM(CASE WHEN is_vat THEN moved_currency ELSE 0 END) AS vat
    FROM
        rec.voucher_moves
    GROUP BY
        document_key
),

taxed AS (
    SELECT
        lines.document_key,
        COUNT(*) AS line_count
    FROM
        ctl.sent_lines AS lines
    WHERE
        lines.tax_rule IS NOT NULL
    GROUP BY
        lines.document_key
),

compared AS (
    SELECT
        vouchers.document_key,
        vouchers.currency,
        CASE COALESCE(units.minor_units, 2)
            WHEN 0 THEN CAST(ROUND(in_vms.vat, 0) AS DECIMAL(38, 4))
            WHEN 2 THEN CAST(ROUND(in_vms.vat, 2) AS DECIMAL(38, 4))
            ELSE CAST(ROUND(in_vms.vat, 4) AS DECIMAL(38, 4))
        END AS vat_vms,
        CAST(-vouchers.control_sign * COALESCE(in_ledger.vat, 0) AS DECIMAL(38, 4)) AS vat_ledger,
        taxed.line_count * CASE COALESCE(units.minor_units, 2) WHEN 0 THEN 0.5 ELSE 0.05 END AS rounding
    FROM
        rec.sent_vouchers AS vouchers
    INNER JOIN rec.booked_vouchers AS booked
        ON vouchers.document_key = booked.document_key
    INNER JOIN in_vms
        ON vouchers.document_key = in_vms.document_key
    -- A voucher without tax rules has no VAT to be split off; what stands in it was sent as it is.
    INNER JOIN taxed
        ON vouchers.document_key = taxed.document_key
    LEFT JOIN in_ledger
        ON vouchers.document_key = in_ledger.document_key
    LEFT JOIN rec.voucher_changes AS changes
        ON vouchers.document_key = changes.document_key
    LEFT JOIN seed.currencies AS units
        ON vouchers.currency = units.currency_code
    WHERE
        vouchers.voucher_type IN ('AP', 'AR')
        AND NOT vouchers.is_adopted
        AND in_vms.is_mixed = 0
        AND changes.document_key IS NULL
)

SELECT
    document_key,  -- database id of the document in the VMS
    vat_vms,  -- with the sign of the VMS, in the document's currency
    vat_ledger,  -- with the sign of the VMS, in the document's currency
    'VAT: the VMS has ' || AMOUNT_TEXT(vat_vms, currency) || ', the ledger has booked ' || AMOUNT_TEXT(vat_ledger, currency)
        AS finding  -- both figures
FROM
    compared
WHERE
    ABS(vat_vms - vat_ledger) > rounding
