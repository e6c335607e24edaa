-- One payment document to be posted in the VMS: a payment's part of one invoice, or what a match has grown by since.
-- Its sign follows from what the part settles, and its type from side and sign (docs/mapping.md#3, docs/systems/vms.md#3-4).
-- Answers: What does the payments job send now?
-- Read by: the payments job and the comparison of payments.
-- grain: natural_key
WITH parts AS (
    SELECT
        parts.side,
        parts.owner_code,
        parts.match_id,
        parts.payment_db_id,
        parts.invoice_key AS document_key,
        -- A document in the VMS is never changed: what a match has grown by goes as a further document of its own number.
        COALESCE(sent.last_part_no, 0) + 1 AS part_no,
        parts.currency_code,
        parts.source_currency_code,
        parts.posted_date,
        parts.voucher_no,
        CAST(-parts.part_units AS DECIMAL(38, 0))
        * CASE parts.currency_factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END
            AS document_amount,
        CAST(-parts.source_units AS DECIMAL(38, 0))
        * CASE parts.source_factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END
            AS source_amount,
        CAST(-parts.company_units AS DECIMAL(38, 0))
        * CASE parts.company_factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END
            AS company_amount,
        CAST(
            (
                -- Rounded half up in whole numbers, 15 decimals: a division of decimals would be a DOUBLE.
                2 * ABS(parts.source_units) * parts.currency_factor * 1000000000000000
                + ABS(parts.part_units) * parts.source_factor
            ) // CAST(2 * ABS(parts.part_units) * parts.source_factor AS HUGEINT) AS DECIMAL(38, 0)
        ) * 0.000000000000001 AS exchange_rate
    FROM
        post.payment_parts AS parts
    LEFT JOIN map.sent_payments AS sent
        ON
            parts.payment_db_id = sent.payment_db_id
            AND parts.invoice_key = sent.document_key
    WHERE
        parts.is_ours
),

typed AS (
    SELECT
        *,
        CASE WHEN (side = 'AP' AND document_amount < 0) OR (side = 'AR' AND document_amount > 0) THEN 'PMO' ELSE 'PMI' END
            AS document_type
    FROM
        parts
),

paid AS (
    SELECT DISTINCT
        invoices.document_key,
        invoices.document_no
    FROM
        typed
    INNER JOIN map.sent_invoices AS invoices
        ON typed.document_key = invoices.document_key
),

-- Numbers are unique in a company and a type alone. Asked of what is paid now, since all numbers there are were many.
sent_under AS (
    SELECT
        paid.document_key,
        vouchers.document_key AS other_key
    FROM
        paid
    INNER JOIN ctl.sent_vouchers AS vouchers
        ON
            paid.document_no = vouchers.document_no
            AND paid.document_key <> vouchers.document_key
),

staged AS (
    SELECT DISTINCT documents.document_key
    FROM
        sent_under
    INNER JOIN stg_vms.documents AS documents
        ON sent_under.other_key = documents.document_key
),

-- A document that is staged has the number that it has there by now, whatever it was sent under.
shared AS (
    SELECT paid.document_key
    FROM
        paid
    INNER JOIN stg_vms.documents AS documents
        ON
            paid.document_no = documents.document_no
            AND paid.document_key <> documents.document_key
    UNION
    SELECT sent_under.document_key
    FROM
        sent_under
    LEFT JOIN staged
        ON sent_under.other_key = staged.document_key
    WHERE
        staged.document_key IS NULL
)

SELECT
    'XL' || CAST(typed.payment_db_id AS VARCHAR) || '-' || CAST(typed.document_key AS VARCHAR)
    || CASE WHEN typed.part_no > 1 THEN '-' || CAST(typed.part_no AS VARCHAR) ELSE '' END AS natural_key,
    typed.side,  -- AP | AR
    typed.owner_code,  -- ledger entity
    typed.match_id,
    typed.payment_db_id,
    typed.document_key,  -- of the invoice
    CAST(typed.part_no AS INTEGER) AS part_no,
    typed.document_type,  -- PMI a receipt, PMO a payment
    invoices.company_code,
    COALESCE(invoices.partner_code, invoices.subledger_no) AS partner_code,  -- as the VMS had it when its voucher was sent
    invoices.partner_key,  -- its database id in the VMS; null: sent by an older release
    invoices.document_no AS ref_document_no,
    shared.document_key IS NOT NULL AS is_number_shared,  -- another document has the invoice's number
    typed.currency_code,  -- of the invoice
    typed.source_currency_code,  -- of the payment
    CAST(typed.document_amount AS DECIMAL(38, 4)) AS document_amount,  -- in the invoice's currency
    CAST(typed.source_amount AS DECIMAL(38, 4)) AS source_amount,  -- in the payment's currency
    CAST(typed.company_amount AS DECIMAL(38, 4)) AS company_amount,
    CAST(typed.exchange_rate AS DECIMAL(38, 15)) AS exchange_rate,  -- source amount in one unit of document amount
    COALESCE(typed.posted_date, settings.today) AS document_date,
    CASE typed.document_type WHEN 'PMI' THEN 'Receipt ' ELSE 'Payment ' END
    || CAST(COALESCE(typed.voucher_no, typed.payment_db_id) AS VARCHAR) AS document_text
FROM
    typed
INNER JOIN map.sent_invoices AS invoices
    ON typed.document_key = invoices.document_key
LEFT JOIN shared
    ON typed.document_key = shared.document_key
CROSS JOIN seed.settings AS settings
