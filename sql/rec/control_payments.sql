-- One part of an invoice that a payment settles or should, on the control account of the invoice, as each side has it:
-- what the VMS has, what the ledger stands for, and what of that is on its way. Amounts carry the ledger's sign.
-- A payment that no longer stands in the ledger stands for nothing; one that nobody sent has no ledger side either.
-- Answers: What does each payment put on the control account, on either side?
-- Read by: the control accounts.
-- grain: subject
WITH parts AS (
    SELECT
        documents.payment_document_no || ':' || CAST(documents.invoice_key AS VARCHAR) AS subject,
        documents.payment_document_no,
        documents.invoice_key,
        documents.payment_db_id,
        documents.document_date,
        documents.status,
        CASE WHEN documents.status = 'refused' THEN 0 ELSE documents.sent_amount END AS sent_amount,
        CASE WHEN documents.status = 'refused' THEN 0 ELSE documents.sent_company_amount END AS sent_company_amount,
        documents.vms_amount,
        documents.vms_company_amount
    FROM
        rec.payment_documents AS documents
    UNION ALL
    SELECT
        'to send ' || changes.natural_key,
        changes.natural_key,
        changes.document_key,
        changes.payment_db_id,
        changes.document_date,
        'to be sent',
        -changes.document_amount,
        -changes.company_amount,
        0,
        0
    FROM
        post.payment_changes AS changes
)

SELECT
    parts.subject,  -- payment document and document key of its invoice; `to send` and its natural key
    parts.payment_document_no,  -- number of the payment document in the VMS
    parts.invoice_key,  -- document key of the invoice that is paid
    invoices.document_no,  -- number of the invoice in the VMS
    invoices.owner_code,  -- ledger entity
    invoices.side,  -- AP | AR
    invoices.control_account,  -- GL account that carries suppliers or customers
    invoices.currency_code,  -- currency of the invoice
    parts.payment_db_id,  -- database id of the payment's row in the ledger
    payments.row_db_id IS NOT NULL AS is_in_ledger,  -- true: the payment stands in the ledger
    CAST(DATE_TRUNC('month', COALESCE(payments.posted_date, parts.document_date, readings.today)) AS DATE)
        AS ledger_month,  -- month in which the ledger has the payment
    CAST(DATE_TRUNC('month', COALESCE(parts.document_date, payments.posted_date, readings.today)) AS DATE)
        AS vms_month,  -- month in which the VMS has the payment
    parts.status,  -- status of rec.payment_documents, or `to be sent`
    CAST(-invoices.control_sign * parts.sent_amount AS DECIMAL(38, 4))
        AS sent_amount,  -- what Springline sent, with the ledger's sign, in currency_code
    CAST(-invoices.control_sign * parts.sent_company_amount AS DECIMAL(38, 4))
        AS sent_company_amount,  -- what Springline sent, with the ledger's sign, in company currency
    CAST(-invoices.control_sign * parts.vms_amount AS DECIMAL(38, 4))
        AS vms_amount,  -- what the VMS has, with the ledger's sign, in currency_code
    CAST(-invoices.control_sign * parts.vms_company_amount AS DECIMAL(38, 4))
        AS vms_company_amount  -- what the VMS has, with the ledger's sign, in company currency
FROM
    parts
CROSS JOIN rec.readings AS readings
INNER JOIN rec.control_documents AS invoices
    ON
        parts.invoice_key = invoices.document_key
        AND NOT STARTS_WITH(invoices.subject, 'ledger:')
LEFT JOIN map.subledger_rows AS payments
    ON
        parts.payment_db_id = payments.row_db_id
        AND invoices.side = payments.side
