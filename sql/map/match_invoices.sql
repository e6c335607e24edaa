-- One invoice in a match: what the ledger says is settled, what has gone to the VMS, and what is left to be transferred.
-- Of an invoice with rows in several matches, and of one whose payments were moved, no more is left in all than the
-- ledger says is settled in all less all that ever went (docs/mapping.md#3: never more than the invoice).
-- Answers: How much of an invoice may a match still transfer?
-- Read by: the payments job.
-- grain: side, owner_code, match_id, is_ours, invoice_key
WITH invoices AS (
    SELECT
        side,
        owner_code,
        match_id,
        is_ours,
        invoice_key,
        MIN(document_key) AS document_key,
        MIN(currency_code) AS currency_code,
        MIN(currency_factor) AS currency_factor,
        SUM(amount_units) AS amount_units,
        SUM(company_units) AS company_units,
        SUM(settled_units) AS settled_units,
        MIN(due_date) AS due_date
    FROM
        map.invoice_rows
    WHERE
        match_id <> 0
    GROUP BY
        side,
        owner_code,
        match_id,
        is_ours,
        invoice_key
),

sent_here AS (
    SELECT
        payments.side,
        payments.owner_code,
        payments.match_id,
        sent.document_key,
        SUM(sent.document_units) AS sent_units
    FROM
        map.sent_payments AS sent
    INNER JOIN map.subledger_rows AS payments
        ON
            sent.payment_db_id = payments.row_db_id
            AND sent.side = payments.side
            AND payments.row_role = 'payment'
    WHERE
        payments.match_id <> 0
    GROUP BY
        payments.side,
        payments.owner_code,
        payments.match_id,
        sent.document_key
),

sent_ever AS (
    SELECT
        document_key,
        SUM(document_units) AS sent_units
    FROM
        map.sent_payments
    GROUP BY
        document_key
),

-- open_units is what this match still lets go, open_ever what the invoice as a whole still lets go. The smaller counts:
-- a payment that was moved from one match to another would else go to the VMS twice.
open_here AS (
    SELECT
        invoices.*,
        COALESCE(sent_here.sent_units, 0) AS sent_units,
        CASE WHEN invoices.amount_units < 0 THEN -1 ELSE 1 END AS invoice_sign,
        GREATEST(
            CASE WHEN invoices.amount_units < 0 THEN -1 ELSE 1 END
            * (invoices.settled_units - COALESCE(sent_here.sent_units, 0)),
            0
        ) AS open_units,
        GREATEST(
            CASE WHEN invoices.amount_units < 0 THEN -1 ELSE 1 END
            * (
                SUM(invoices.settled_units)
                    OVER (PARTITION BY invoices.side, invoices.owner_code, invoices.is_ours, invoices.invoice_key)
                - COALESCE(sent_ever.sent_units, 0)
            ),
            0
        ) AS open_ever
    FROM
        invoices
    LEFT JOIN sent_here
        ON
            invoices.side = sent_here.side
            AND invoices.owner_code = sent_here.owner_code
            AND invoices.match_id = sent_here.match_id
            AND invoices.document_key = sent_here.document_key
    LEFT JOIN sent_ever
        ON invoices.document_key = sent_ever.document_key
),

-- What is left in all is given to the matches in the order of their numbers, as far as it lasts.
cumulated AS (
    SELECT
        *,
        SUM(open_units) OVER (
            PARTITION BY side, owner_code, is_ours, invoice_key
            ORDER BY match_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS open_so_far
    FROM
        open_here
)

SELECT
    side,
    owner_code,
    match_id,
    is_ours,
    invoice_key,  -- document key of an invoice of ours, row id of any other
    document_key,  -- of an invoice of ours
    currency_code,
    currency_factor,
    amount_units,
    company_units,
    settled_units,
    sent_units,
    invoice_sign * GREATEST(LEAST(open_so_far, open_ever) - (open_so_far - open_units), 0) AS left_units,
    due_date,
    ROW_NUMBER() OVER (
        PARTITION BY side, owner_code, match_id
        ORDER BY CASE WHEN due_date IS NULL THEN 1 ELSE 0 END, due_date, invoice_key, is_ours
    ) AS invoice_no  -- in the order in which they are settled
FROM
    cumulated
