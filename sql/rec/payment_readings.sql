-- One invoice or payment that a side has no row of, with when that side was read last: as of then it is not there.
-- By itself, so that a reading that brings nothing changes no other row of rec.payments.
-- Answers: As of when is a payment missing on a side?
-- Read by: rec.payments.
-- grain: subject
WITH subjects AS (
    SELECT
        invoices.subject,
        documents.fetched_at AS vms_fetched_at,
        invoices.ledger_fetched_at
    FROM
        rec.invoice_payments AS invoices
    LEFT JOIN rec.vms_documents AS documents
        ON invoices.document_key = documents.document_key
    UNION ALL
    SELECT
        strays.subject,
        strays.vms_fetched_at,
        strays.ledger_fetched_at
    FROM
        rec.stray_payments AS strays
)

SELECT
    subjects.subject,  -- as in rec.payments
    readings.documents_read_at,  -- when the list of documents in the VMS was last read, UTC
    readings.books_read_at  -- when the ledger's books were last read, UTC
FROM
    subjects
CROSS JOIN rec.readings AS readings
WHERE
    subjects.vms_fetched_at IS NULL
    OR subjects.ledger_fetched_at IS NULL
