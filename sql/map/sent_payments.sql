-- One payment and invoice of which a part has gone to the VMS, with the sum of what went, as seen from the invoice:
-- positive for an invoice, negative for a credit note, where the VMS's own signs are the other way round.
-- Answers: How much of a payment has gone to the VMS for an invoice?
-- Read by: the payments job, so that nothing goes twice.
-- grain: payment_db_id, document_key
WITH parts AS (
    SELECT
        payments.payment_db_id,
        payments.document_key,
        MAX(payments.part_no) AS last_part_no,
        SUM(CAST(payments.document_amount AS DECIMAL(38, 4))) AS document_amount,
        SUM(CAST(payments.source_amount AS DECIMAL(38, 4))) AS source_amount,
        SUM(CAST(payments.company_amount AS DECIMAL(38, 4))) AS company_amount
    FROM
        ctl.payments AS payments
    WHERE
        payments.state IN ('sending', 'sent', 'unknown')
    GROUP BY
        payments.payment_db_id,
        payments.document_key
)

SELECT
    parts.payment_db_id,
    parts.document_key,
    invoices.side,
    invoices.owner_code,
    parts.last_part_no,
    parts.document_amount,  -- in the invoice's currency, with the VMS's sign
    CASE COALESCE(units.minor_units, 2) WHEN 0 THEN 1 WHEN 2 THEN 100 WHEN 3 THEN 1000 ELSE 10000 END AS currency_factor,
    -CAST(
        parts.document_amount
        * CASE COALESCE(units.minor_units, 2) WHEN 0 THEN 1 WHEN 2 THEN 100 WHEN 3 THEN 1000 ELSE 10000 END AS HUGEINT
    ) AS document_units,
    -parts.source_amount AS source_amount,  -- in the payment's currency
    -parts.company_amount AS company_amount
FROM
    parts
INNER JOIN map.sent_invoices AS invoices
    ON parts.document_key = invoices.document_key
LEFT JOIN seed.currencies AS units
    ON invoices.currency = units.currency_code
