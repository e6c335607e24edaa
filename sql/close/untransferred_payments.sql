-- One invoice on which the two sides do not say the same was paid: the ledger has settled more than the VMS knows, the VMS
-- more than the ledger, or a payment finds no invoice. It counts in the month of its last payment.
-- Answers: Which payments of the period have not come across?
-- Read by: accountants, in the period-end pack; close.breaks.
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
    valued.document_key,  -- database id of the document in the VMS
    valued.document_no,  -- number of the invoice, or of the payment document
    valued.document_type,  -- kind of document in the VMS, as INI or CRO
    valued.company_code,  -- VMS company
    valued.owner_code,  -- ledger entity
    valued.side,  -- AP | AR
    valued.partner_code,  -- supplier or customer, by its code
    valued.partner_name,  -- name of the supplier or customer in the VMS
    valued.invoice_no,  -- invoice number in the ledger
    CAST(
        DATE_TRUNC('month', COALESCE(valued.last_payment_date, valued.document_date, settings.today)) AS DATE
    ) AS period_month,  -- first day of the month of the last payment
    valued.last_payment_date,  -- date of the last payment
    valued.currency_code,  -- currency of the amounts
    valued.paid_vms,
    valued.paid_ledger,
    valued.paid_difference,  -- what the ledger has as paid, less what the VMS has
    valued.company_currency_code,  -- currency of the company amounts
    CAST(CAST(shared.company_difference AS DECIMAL(38, 0)) * 0.0001 AS DECIMAL(38, 4))
        AS company_amount,  -- paid_difference at the invoice's rate; null: the invoice is not known
    valued.state,
    valued.reason,  -- what is found, in words, with the figures; empty: nothing to say
    valued.next_step,  -- what to do about it; empty: nothing
    valued.is_break,  -- true: a person has to act; false: the payments job has it on its way
    valued.as_of_vms,  -- when the VMS was read, UTC
    valued.as_of_ledger,  -- when the ledger was read, UTC
    valued.age_days  -- days since the date of the document
FROM
    valued
CROSS JOIN seed.settings AS settings
LEFT JOIN shared
    ON valued.subject = shared.subject
