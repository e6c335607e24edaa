-- One due date of an invoice of ours with what is open of it: an invoice with two payment terms is two items. Amounts are
-- positive for an invoice, negative for a credit note. Booked: each term is a row of the books, which say what of it is
-- settled. Not booked: the terms of the VMS share the amount by their percentages, and what is paid counts for the first.
-- Answers: What is open, when is it due, and how old is it?
-- Read by: rec.payments, ageing (workbook, report, views for analysts).
-- grain: document_key, due_date
-- parts: document_key
WITH booked AS (
    SELECT
        legs.document_key,
        legs.due_date,
        MIN(legs.currency_factor) AS currency_factor,
        MIN(legs.company_factor) AS company_factor,
        CAST(SUM(legs.amount_units - legs.settled_units) AS DECIMAL(38, 0)) AS open_units,
        -- At the rate at which it was booked: what is open has the share of the company amount that it has of the amount.
        CAST(
            SUM(
                SIGN(legs.company_units)
                * (
                    (2 * ABS(legs.company_units) * ABS(legs.amount_units - legs.settled_units) + ABS(legs.amount_units))
                    // CAST(2 * GREATEST(ABS(legs.amount_units), 1) AS HUGEINT)
                )
            ) AS DECIMAL(38, 0)
        ) AS company_units
    FROM
        map.invoice_rows AS legs
    WHERE
        legs.is_ours
    GROUP BY
        legs.document_key,
        legs.due_date
),

-- In whole minor units, and seen from the invoice, so that a credit note is positive here too.
factors AS (
    SELECT
        documents.document_key,
        documents.fetch_id,
        documents.is_credit_note,
        documents.amount,
        documents.company_amount,
        invoices.paid_vms,
        CASE documents.currency_minor_units WHEN 0 THEN 1 WHEN 2 THEN 100 WHEN 3 THEN 1000 ELSE 10000 END
            AS currency_factor,
        CASE COALESCE(units.minor_units, 2) WHEN 0 THEN 1 WHEN 2 THEN 100 WHEN 3 THEN 1000 ELSE 10000 END
            AS company_factor
    FROM
        rec.invoice_payments AS invoices
    INNER JOIN rec.vms_documents AS documents
        ON invoices.document_key = documents.document_key
    LEFT JOIN seed.currencies AS units
        ON documents.company_currency_code = units.currency_code
    WHERE
        invoices.amount_ledger IS NULL
        AND documents.status_code NOT IN ('GONE', 'REJECTED')
        -- The products below would overflow beyond it; the ledger takes no such amount either.
        AND ABS(documents.amount) < 10000000000000
        AND ABS(documents.company_amount) < 10000000000000
),

unbooked AS (
    SELECT
        factors.document_key,
        factors.fetch_id,
        factors.is_credit_note,
        factors.currency_factor,
        factors.company_factor,
        CASE WHEN factors.amount < 0 THEN -1 ELSE 1 END AS invoice_sign,
        CAST(ABS(factors.amount) * factors.currency_factor AS HUGEINT) AS amount_units,
        CAST(factors.company_amount * factors.company_factor AS HUGEINT) AS company_units,
        CAST(SIGN(factors.amount) * factors.paid_vms * factors.currency_factor AS HUGEINT) AS paid_units
    FROM
        factors
),

-- Percentages in units of 10^-9, so that 100 % is 10^11.
terms AS (
    SELECT
        unbooked.document_key,
        CASE WHEN unbooked.is_credit_note THEN NULL ELSE payment_terms.due_date END AS due_date,
        unbooked.currency_factor,
        unbooked.company_factor,
        unbooked.invoice_sign,
        unbooked.amount_units,
        unbooked.company_units,
        unbooked.paid_units,
        CAST(COALESCE(ROUND(payment_terms.percentage, 9), 0) * 1000000000 AS HUGEINT) AS share,
        CAST(
            SUM(COALESCE(ROUND(payment_terms.percentage, 9), 0) * 1000000000) OVER (
                PARTITION BY unbooked.document_key
                ORDER BY COALESCE(payment_terms.due_date, CAST('9999-12-31' AS DATE)), payment_terms.term_key
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS HUGEINT
        ) AS share_so_far,
        ROW_NUMBER() OVER (
            PARTITION BY unbooked.document_key
            ORDER BY COALESCE(payment_terms.due_date, CAST('9999-12-31' AS DATE)) DESC, payment_terms.term_key DESC
        ) = 1 AS is_last
    FROM
        unbooked
    LEFT JOIN stg_vms.document_payment_terms AS payment_terms
        ON
            unbooked.document_key = payment_terms.document_key
            AND unbooked.fetch_id = payment_terms.fetch_id
            AND ABS(payment_terms.percentage) <= 100
),

-- What is open up to this term, less what is open up to the one before. The last has the rest, whatever the percentages say.
opened AS (
    SELECT
        terms.document_key,
        terms.due_date,
        terms.currency_factor,
        terms.company_factor,
        terms.invoice_sign,
        terms.amount_units,
        terms.company_units,
        CASE
            WHEN terms.is_last THEN terms.amount_units - terms.paid_units
            ELSE
                GREATEST(
                    (terms.amount_units * terms.share_so_far) // CAST(100000000000 AS HUGEINT) - terms.paid_units, 0
                )
        END
        - GREATEST(
            (terms.amount_units * (terms.share_so_far - terms.share)) // CAST(100000000000 AS HUGEINT) - terms.paid_units,
            0
        ) AS open_units
    FROM
        terms
),

parts AS (
    SELECT
        booked.document_key,
        booked.due_date,
        TRUE AS is_booked,
        booked.currency_factor,
        booked.company_factor,
        booked.open_units,
        booked.company_units
    FROM
        booked
    UNION ALL
    SELECT
        opened.document_key,
        opened.due_date,
        FALSE,
        MIN(opened.currency_factor),
        MIN(opened.company_factor),
        CAST(SUM(opened.invoice_sign * opened.open_units) AS DECIMAL(38, 0)),
        CAST(
            SUM(
                SIGN(opened.company_units) * SIGN(opened.open_units)
                * (
                    (2 * ABS(opened.company_units) * ABS(opened.open_units) + opened.amount_units)
                    // CAST(2 * GREATEST(opened.amount_units, 1) AS HUGEINT)
                )
            ) AS DECIMAL(38, 0)
        )
    FROM
        opened
    GROUP BY
        opened.document_key,
        opened.due_date
),

items AS (
    SELECT
        parts.document_key,
        parts.due_date,
        parts.is_booked,
        CAST(
            parts.open_units
            * CASE parts.currency_factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END
            AS DECIMAL(38, 4)
        ) AS open_amount,
        CAST(
            parts.company_units
            * CASE parts.company_factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END
            AS DECIMAL(38, 4)
        ) AS open_company_amount
    FROM
        parts
    WHERE
        parts.open_units <> 0
)

SELECT
    CAST(items.document_key AS VARCHAR) AS subject,  -- document key, as in rec.payments
    items.document_key,  -- database id of the document in the VMS
    invoices.document_no,  -- number of the invoice in the VMS
    invoices.owner_code,  -- ledger entity
    invoices.company_code,  -- VMS company
    invoices.side,  -- AP | AR
    invoices.partner_code,  -- supplier or customer, by its code
    documents.partner_name,  -- name of the supplier or customer in the VMS
    invoices.invoice_no,  -- invoice number in the ledger
    items.is_booked,  -- true: as the ledger's books have it; false: not booked yet, as the VMS has it
    items.due_date,  -- when this part is due; empty: nobody says
    invoices.currency_code,  -- currency of open_amount
    items.open_amount,  -- what is open of this part
    entities.currency_code AS company_currency_code,  -- currency of the entity's books
    items.open_company_amount,  -- the same in company currency, at the rate at which it was booked, or stands in the VMS
    CASE
        WHEN items.due_date < settings.today THEN CAST(DATE_DIFF('day', items.due_date, settings.today) AS INTEGER)
    END AS days_overdue,  -- days since the due date; empty: it is not due, or nobody says when
    CASE
        WHEN items.due_date IS NULL THEN 'no due date'
        WHEN items.due_date >= settings.today THEN 'not due'
        WHEN DATE_DIFF('day', items.due_date, settings.today) <= 30 THEN '1-30 days'
        WHEN DATE_DIFF('day', items.due_date, settings.today) <= 60 THEN '31-60 days'
        WHEN DATE_DIFF('day', items.due_date, settings.today) <= 90 THEN '61-90 days'
        ELSE 'over 90 days'
    END AS overdue_bucket,  -- ageing bucket, by days_overdue
    CAST(
        ROW_NUMBER() OVER (PARTITION BY items.document_key ORDER BY COALESCE(items.due_date, CAST('9999-12-31' AS DATE)))
        AS INTEGER
    ) AS item_no  -- place among the open parts of the invoice, 1 is due first
FROM
    items
INNER JOIN rec.invoice_payments AS invoices
    ON items.document_key = invoices.document_key
CROSS JOIN seed.settings AS settings
LEFT JOIN rec.vms_documents AS documents
    ON items.document_key = documents.document_key
LEFT JOIN map.entities AS entities
    ON invoices.owner_code = entities.owner_code
