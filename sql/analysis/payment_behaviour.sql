-- One partner of a company and currency: how many of its invoices are paid, how many of them after the due date, and how
-- late on average. Credit notes do not count, nor do invoices that were settled without a payment.
-- Answers: Who pays late, and whom do we pay late?
-- Read by: analysts (published).
-- grain: owner_code, side, partner_code, currency_code
WITH overdue AS (
    SELECT
        items.document_key,
        SUM(items.open_amount) AS open_amount
    FROM
        rec.open_items AS items
    WHERE
        items.days_overdue > 0
    GROUP BY
        items.document_key
),

invoices AS (
    SELECT
        payments.owner_code,
        payments.side,
        payments.partner_code,
        payments.partner_name,
        payments.currency_code,
        payments.amount_ledger,
        payments.open_ledger,
        payments.due_date,
        overdue.document_key IS NOT NULL AS is_overdue,
        COALESCE(overdue.open_amount, 0) AS overdue_amount,
        payments.last_payment_date,
        payments.open_ledger = 0 AND payments.last_payment_date IS NOT NULL AS is_paid,
        CASE
            WHEN payments.open_ledger = 0 THEN DATE_DIFF('day', payments.due_date, payments.last_payment_date)
        END AS days_after_due
    FROM
        rec.payments AS payments
    LEFT JOIN overdue
        ON payments.document_key = overdue.document_key
    WHERE
        payments.amount_ledger > 0
        AND payments.partner_code IS NOT NULL
),

counted AS (
    SELECT
        invoices.owner_code,
        invoices.side,
        invoices.partner_code,
        MIN(invoices.partner_name) AS partner_name,
        invoices.currency_code,
        CAST(COUNT(*) AS INTEGER) AS invoice_count,
        CAST(SUM(CASE WHEN invoices.is_paid THEN 1 ELSE 0 END) AS INTEGER) AS paid_count,
        CAST(SUM(CASE WHEN invoices.days_after_due > 0 THEN 1 ELSE 0 END) AS INTEGER) AS paid_late_count,
        CAST(SUM(invoices.days_after_due) AS HUGEINT) AS days_in_all,
        CAST(COUNT(invoices.days_after_due) AS HUGEINT) AS dated_count,
        MAX(invoices.days_after_due) AS longest_days,
        MAX(invoices.last_payment_date) AS last_payment_date,
        CAST(SUM(CASE WHEN invoices.is_overdue THEN 1 ELSE 0 END) AS INTEGER) AS overdue_count,
        SUM(COALESCE(invoices.open_ledger, 0)) AS open_amount,
        SUM(invoices.overdue_amount) AS overdue_amount
    FROM
        invoices
    GROUP BY
        invoices.owner_code,
        invoices.side,
        invoices.partner_code,
        invoices.currency_code
)

SELECT
    counted.owner_code,  -- ledger entity
    companies.company_code,  -- VMS company
    companies.company_name,  -- name of the entity in the ledger
    CASE counted.side WHEN 'AP' THEN 'Payable' ELSE 'Receivable' END AS side,  -- Payable: we pay; Receivable: we are paid
    counted.partner_code,  -- supplier or customer, by its code
    counted.partner_name,  -- name of the supplier or customer in the VMS
    counted.currency_code,  -- currency of the amounts
    counted.invoice_count,  -- invoices in the ledger
    counted.paid_count,  -- of them paid in full
    counted.paid_late_count,  -- of these paid after the due date
    CAST(
        SIGN(counted.days_in_all) * (2 * ABS(counted.days_in_all) + counted.dated_count)
        // CAST(2 * NULLIF(counted.dated_count, 0) AS HUGEINT) AS INTEGER
    ) AS mean_days_after_due,  -- from the due date to the last payment, whole days; negative: before it; empty: none is paid
    CAST(counted.longest_days AS INTEGER) AS longest_days_after_due,  -- of the invoice that was paid latest after its due date
    counted.last_payment_date,  -- day of the last payment
    counted.overdue_count,  -- invoices that are overdue now
    CAST(counted.open_amount AS DECIMAL(38, 4)) AS open_amount,  -- what is open on invoices, in currency_code
    CAST(counted.overdue_amount AS DECIMAL(38, 4)) AS overdue_amount  -- part of it that is overdue, in currency_code
FROM
    counted
LEFT JOIN rec.company_names AS companies
    ON counted.owner_code = companies.owner_code
