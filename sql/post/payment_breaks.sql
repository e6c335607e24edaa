-- One thing about payments that a person must decide: a payment in the VMS that the ledger no longer matches as it did,
-- or an invoice in the ledger that may be one of several of ours. Nothing is ever taken back by itself.
-- A payment whose row was never read, as after a rebuild, is no break while its invoice is settled all the same.
-- Answers: Which payments must a person look at?
-- Read by: the payments job, which notes them as breaks; the comparison of payments.
-- grain: kind, subject
WITH settled_ever AS (
    SELECT
        document_key,
        MIN(currency_code) AS currency_code,
        SUM(CASE WHEN match_id <> 0 THEN settled_units ELSE 0 END) AS settled_units
    FROM
        map.invoice_rows
    WHERE
        is_ours
    GROUP BY
        document_key
),

sent_pairs AS (
    SELECT
        sent.*,
        payments.match_id,
        payments.voucher_no,
        payments.posted_date,
        payments.row_db_id IS NULL AS is_absent,
        invoices.invoice_key IS NOT NULL AS is_matched,
        COALESCE(ABS(invoices.sent_units) > ABS(invoices.settled_units), FALSE) AS is_less_here,
        COALESCE(ABS(SUM(sent.document_units) OVER (PARTITION BY sent.document_key)) > ABS(settled.settled_units), FALSE)
            AS is_less_ever,
        settled.currency_code,
        COALESCE(invoices.settled_units, 0) AS settled_units
    FROM
        map.sent_payments AS sent
    LEFT JOIN map.subledger_rows AS payments
        ON
            sent.payment_db_id = payments.row_db_id
            AND sent.side = payments.side
    LEFT JOIN map.match_invoices AS invoices
        ON
            payments.side = invoices.side
            AND payments.owner_code = invoices.owner_code
            AND payments.match_id = invoices.match_id
            AND sent.document_key = invoices.document_key
    LEFT JOIN settled_ever AS settled
        ON sent.document_key = settled.document_key
),

undone AS (
    SELECT *
    FROM
        sent_pairs
    WHERE
        (NOT is_absent AND NOT is_matched)
        OR (is_absent AND is_less_ever)
        OR (is_matched AND is_less_here)
    QUALIFY
        -- Of several payments of an invoice that is settled by less, the last one is named.
        NOT is_matched
        OR ROW_NUMBER() OVER (
            PARTITION BY side, owner_code, match_id, document_key, is_matched
            ORDER BY posted_date DESC, payment_db_id DESC
        ) = 1
)

SELECT
    'match undone' AS kind,  -- match undone or invoice not unique
    'XL' || CAST(undone.payment_db_id AS VARCHAR) || '-' || CAST(undone.document_key AS VARCHAR) AS subject,
    undone.side,
    undone.owner_code,
    invoices.company_code,
    invoices.document_key,
    invoices.document_no,
    undone.payment_db_id AS row_db_id,  -- of the payment
    undone.voucher_no,
    invoices.currency AS currency_code,
    CAST(undone.document_units AS DECIMAL(38, 0))
    * CASE undone.currency_factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END
        AS sent_amount,  -- by this payment for this invoice
    CAST(undone.settled_units AS DECIMAL(38, 0))
    * CASE undone.currency_factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END
        AS settled_amount  -- of the invoice in the payment's match, by all its payments
FROM
    undone
INNER JOIN map.sent_invoices AS invoices
    ON undone.document_key = invoices.document_key
UNION ALL
SELECT
    'invoice not unique',
    rows_of_one.side || ' ' || CAST(rows_of_one.row_db_id AS VARCHAR),
    rows_of_one.side,
    rows_of_one.owner_code,
    CAST(NULL AS VARCHAR),
    CAST(NULL AS BIGINT),
    rows_of_one.invoice_number,
    rows_of_one.row_db_id,
    ledger.voucher_no,
    rows_of_one.currency_code,
    CAST(NULL AS DECIMAL(38, 4)),
    CAST(rows_of_one.settled_units AS DECIMAL(38, 0))
    * CASE rows_of_one.currency_factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END
FROM
    map.invoice_rows AS rows_of_one
INNER JOIN map.subledger_rows AS ledger
    ON
        rows_of_one.side = ledger.side
        AND rows_of_one.row_db_id = ledger.row_db_id
WHERE
    rows_of_one.is_ambiguous
    AND rows_of_one.match_id <> 0
