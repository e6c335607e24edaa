-- One payment in a match, its size, and how much of it is left for parts that have not gone to the VMS yet.
-- What went for an invoice that it no longer settles does not count, nor what went beyond what is settled: a person
-- takes both back (break `match undone`).
-- Answers: How much of a payment is left to transfer?
-- Read by: the payments job.
-- grain: side, owner_code, match_id, payment_db_id
-- parts: match_id
WITH sent AS (
    SELECT
        payments.side,
        payments.row_db_id AS payment_db_id,
        SUM(
            CASE
                WHEN ABS(invoices.sent_units) > ABS(invoices.settled_units)
                    THEN (CAST(sent.source_amount * payments.currency_factor AS HUGEINT) * invoices.settled_units)
                        // CAST(invoices.sent_units AS HUGEINT)
                ELSE CAST(sent.source_amount * payments.currency_factor AS HUGEINT)
            END
        ) AS source_units,
        SUM(
            CASE
                WHEN ABS(invoices.sent_units) > ABS(invoices.settled_units)
                    THEN (CAST(sent.company_amount * payments.company_factor AS HUGEINT) * invoices.settled_units)
                        // CAST(invoices.sent_units AS HUGEINT)
                ELSE CAST(sent.company_amount * payments.company_factor AS HUGEINT)
            END
        ) AS company_units
    FROM
        map.subledger_rows AS payments
    INNER JOIN map.sent_payments AS sent
        ON
            payments.row_db_id = sent.payment_db_id
            AND payments.side = sent.side
    INNER JOIN map.match_invoices AS invoices
        ON
            payments.side = invoices.side
            AND payments.owner_code = invoices.owner_code
            AND payments.match_id = invoices.match_id
            AND sent.document_key = invoices.document_key
    WHERE
        payments.row_role = 'payment'
    GROUP BY
        payments.side,
        payments.row_db_id
),

sized AS (
    SELECT
        payments.side,
        payments.owner_code,
        payments.match_id,
        payments.row_db_id AS payment_db_id,
        payments.posted_date,
        payments.voucher_no,
        payments.currency_code,
        payments.currency_factor,
        payments.company_factor,
        -payments.settled_units AS source_units,
        -- Of a payment of which a rest is open, the same share of its company amount.
        -CASE
            WHEN payments.settled_units = payments.amount_units THEN payments.company_units
            ELSE
                SIGN(payments.company_units)
                * (
                    (2 * ABS(payments.company_units * payments.settled_units) + ABS(payments.amount_units))
                    // CAST(2 * ABS(payments.amount_units) AS HUGEINT)
                )
        END AS company_units
    FROM
        map.subledger_rows AS payments
    WHERE
        payments.row_role = 'payment'
        AND payments.match_id <> 0
        AND payments.amount_units <> 0
)

SELECT
    sized.side,
    sized.owner_code,
    sized.match_id,
    sized.payment_db_id,
    sized.posted_date,
    sized.voucher_no,
    sized.currency_code,
    sized.currency_factor,
    sized.company_factor,
    CAST(sized.source_units AS HUGEINT) AS source_units,  -- what it settles: positive when it settles invoices, negative a refund
    CAST(sized.company_units AS HUGEINT) AS company_units,
    CAST(sized.source_units - COALESCE(sent.source_units, 0) AS HUGEINT) AS source_left,
    CAST(sized.company_units - COALESCE(sent.company_units, 0) AS HUGEINT) AS company_left,
    ROW_NUMBER() OVER (
        PARTITION BY sized.side, sized.owner_code, sized.match_id
        ORDER BY CASE WHEN sized.posted_date IS NULL THEN 1 ELSE 0 END, sized.posted_date, sized.payment_db_id
    ) AS payment_no  -- in the order in which they fill invoices
FROM
    sized
LEFT JOIN sent
    ON
        sized.side = sent.side
        AND sized.payment_db_id = sent.payment_db_id
