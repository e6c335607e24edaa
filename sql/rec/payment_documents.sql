-- One payment document of the VMS and the invoice it refers to, as it was sent and as the VMS has it now.
-- Amounts are turned as the invoice sees them: positive pays an invoice, negative gives back on a credit note; the VMS's
-- own signs are the other way round (docs/mapping.md#3). Only posted documents count as paid.
-- Answers: Does the VMS still have each payment as it was sent?
-- Read by: the comparison of payments and of control accounts.
-- grain: payment_document_no, invoice_key
WITH in_vms AS (
    SELECT
        documents.document_no,
        lines.ref_document_key AS invoice_key,
        MIN(documents.document_key) AS payment_key,
        MIN(documents.document_type) AS document_type,
        MIN(documents.document_date) AS document_date,
        MIN(documents.company_code) AS company_code,
        CAST(SUM(-ROUND(lines.document_amount, 4)) AS DECIMAL(38, 4)) AS amount,
        CAST(SUM(-ROUND(lines.company_currency_amount, 4)) AS DECIMAL(38, 4)) AS company_amount,
        MAX(documents.fetched_at) AS fetched_at
    FROM
        stg_vms.documents AS documents
    INNER JOIN stg_vms.document_lines AS lines
        ON
            documents.document_key = lines.document_key
            AND documents.fetch_id = lines.fetch_id
    WHERE
        documents.document_type IN ('PMI', 'PMO')
        AND documents.status_code = 'POS'
        AND lines.ref_document_key IS NOT NULL
    GROUP BY
        documents.document_no,
        lines.ref_document_key
),

sent AS (
    SELECT
        payments.document_no,
        payments.document_key AS invoice_key,
        payments.payment_db_id,
        payments.state,
        CAST(-ROUND(payments.document_amount, 4) AS DECIMAL(38, 4)) AS amount,
        CAST(-ROUND(payments.company_amount, 4) AS DECIMAL(38, 4)) AS company_amount,
        -- The control store's times are UTC as text.
        CAST(REPLACE(SUBSTRING(payments.updated_at, 1, 26), 'T', ' ') AS TIMESTAMP) AS moved_at
    FROM
        ctl.payments AS payments
),

both_sides AS (
    SELECT
        COALESCE(sent.document_no, in_vms.document_no) AS payment_document_no,
        COALESCE(sent.invoice_key, in_vms.invoice_key) AS invoice_key,
        sent.payment_db_id,
        in_vms.payment_key,
        in_vms.document_type,
        in_vms.document_date,
        in_vms.company_code,
        sent.state,
        sent.moved_at,
        sent.amount AS sent_amount,
        sent.company_amount AS sent_company_amount,
        in_vms.amount AS vms_amount,
        in_vms.company_amount AS vms_company_amount,
        in_vms.fetched_at
    FROM
        sent
    FULL OUTER JOIN in_vms
        ON
            sent.document_no = in_vms.document_no
            AND sent.invoice_key = in_vms.invoice_key
)

SELECT
    both_sides.payment_document_no,  -- number of the payment document in the VMS
    both_sides.invoice_key,  -- document key of the invoice
    both_sides.payment_db_id,  -- row of the ledger it was made of; null: nobody sent it
    both_sides.payment_key,  -- document key of the payment; null: the VMS does not have it
    both_sides.document_type,  -- PMI: a receipt | PMO: a payment
    both_sides.document_date,  -- date of the payment document in the VMS
    both_sides.company_code,  -- VMS company of the payment document
    COALESCE(both_sides.sent_amount, 0) AS sent_amount,  -- what Springline sent, in the invoice's currency
    COALESCE(both_sides.sent_company_amount, 0) AS sent_company_amount,  -- what Springline sent, in company currency
    COALESCE(both_sides.vms_amount, 0) AS vms_amount,  -- what the VMS has, in the invoice's currency
    COALESCE(both_sides.vms_company_amount, 0) AS vms_company_amount,  -- what the VMS has, in company currency
    CASE
        WHEN both_sides.payment_key IS NOT NULL AND both_sides.payment_db_id IS NULL THEN 'nobody sent it'
        WHEN
            both_sides.payment_key IS NOT NULL
            AND (
                ABS(both_sides.sent_amount - both_sides.vms_amount) > tolerances.tolerance
                OR ABS(both_sides.sent_company_amount - both_sides.vms_company_amount) > tolerances.tolerance
            )
            THEN 'changed'
        WHEN both_sides.payment_key IS NOT NULL THEN 'as sent'
        WHEN both_sides.state = 'failed' THEN 'refused'
        WHEN both_sides.state = 'sent' AND readings.documents_read_at > both_sides.moved_at THEN 'gone'
        ELSE 'on its way'
    END AS status,  -- as sent | changed | gone | on its way | refused | nobody sent it
    both_sides.fetched_at
FROM
    both_sides
CROSS JOIN rec.readings AS readings
INNER JOIN seed.tolerances AS tolerances
    ON tolerances.measure = 'payment_amount'
