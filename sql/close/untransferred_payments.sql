-- One invoice on which the two sides do not say the same was paid: the ledger has settled more than the VMS knows, the VMS
-- more than the ledger, or a payment finds no invoice. It counts in the month of its last payment.
-- grain: subject
WITH valued AS (
    SELECT
        payments.*,
        documents.company_currency_code,
        CAST(payments.paid_difference * 10000 AS HUGEINT) AS difference_units,
        CAST(ABS(documents.amount_vms) * 10000 AS HUGEINT) AS amount_units,
        CAST(ABS(documents.company_amount_vms) * 10000 AS HUGEINT) AS company_units
    FROM
        rec.payments AS payments
    LEFT JOIN rec.documents AS documents
        ON payments.subject = documents.subject
    WHERE
        payments.is_break
        OR payments.state = 'not yet in VMS'
),

shared AS (
    SELECT
        valued.subject,
        SIGN(valued.difference_units) * (
            (2 * ABS(valued.difference_units) * valued.company_units + valued.amount_units)
            // CAST(2 * valued.amount_units AS HUGEINT)
        ) AS company_difference
    FROM
        valued
    WHERE
        valued.amount_units > 0
)

SELECT
    valued.subject,
    valued.document_key,
    valued.document_no,
    valued.document_type,
    valued.company_code,  -- VMS company
    valued.owner_code,  -- ledger entity
    valued.side,  -- AP | AR
    valued.partner_code,
    valued.partner_name,
    valued.invoice_no,
    CAST(
        DATE_TRUNC('month', COALESCE(valued.last_payment_date, valued.document_date, settings.today)) AS DATE
    ) AS period_month,
    valued.last_payment_date,
    valued.currency_code,
    valued.paid_vms,
    valued.paid_ledger,
    valued.paid_difference,  -- ledger less VMS, in currency_code
    valued.company_currency_code,
    CAST(CAST(shared.company_difference AS DECIMAL(38, 0)) * 0.0001 AS DECIMAL(38, 4))
        AS company_amount,  -- of paid_difference, at the invoice's rate; null: the invoice is not known
    valued.state,
    valued.reason,
    valued.next_step,
    valued.is_break,  -- false: the payments job has it on its way
    valued.as_of_vms,
    valued.as_of_ledger,
    valued.age_days
FROM
    valued
CROSS JOIN seed.settings AS settings
LEFT JOIN shared
    ON valued.subject = shared.subject
