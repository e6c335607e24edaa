-- One voucher in the ledger's books that belongs to a document of ours: its own, the same booked again, or a reversal.
-- Answers: Which vouchers of the books are ours?
-- Read by: the comparison of documents and of control accounts.
-- grain: header_db_id
WITH again AS (
    SELECT
        headers.header_db_id,
        MIN(vouchers.document_key) AS document_key
    FROM
        rec.ledger_vouchers AS headers
    LEFT JOIN rec.booked_vouchers AS own
        ON headers.header_db_id = own.header_db_id
    INNER JOIN rec.sent_vouchers AS vouchers
        ON
            headers.owner_code = vouchers.owner_code
            AND headers.source_code = vouchers.voucher_type
            AND headers.header_text = vouchers.header_text
    WHERE
        own.header_db_id IS NULL
        AND headers.is_imported
    GROUP BY
        headers.header_db_id
),

ours AS (
    SELECT
        own.header_db_id,
        own.document_key,
        'voucher' AS part
    FROM
        rec.booked_vouchers AS own
    UNION ALL
    SELECT
        again.header_db_id,
        again.document_key,
        'again'
    FROM
        again
),

by_hand AS (
    SELECT
        headers.header_db_id,
        headers.owner_code,
        headers.source_code,
        SPLIT_PART(headers.header_text, ' ', 3) AS reversed_no
    FROM
        rec.ledger_vouchers AS headers
    WHERE
        NOT headers.is_imported
        AND STARTS_WITH(headers.header_text, 'Reversal of ')
),

-- What people typed under a partner and an invoice number: an invoice entered twice and taken back once is nothing.
typed AS (
    SELECT
        invoices.side,
        invoices.owner_code,
        invoices.invoice_number,
        invoices.subledger_code,
        SUM(invoices.currency_amount) AS currency_amount
    FROM
        rec.subledger_vouchers AS invoices
    WHERE
        invoices.is_invoice
        AND NOT invoices.is_imported
    GROUP BY
        invoices.side,
        invoices.owner_code,
        invoices.invoice_number,
        invoices.subledger_code
),

-- Two ways to tell a reversal: the ledger's own words, or the same invoice with the opposite amount.
reversals AS (
    SELECT
        by_hand.header_db_id,
        ours.document_key
    FROM
        by_hand
    INNER JOIN rec.ledger_vouchers AS headers
        ON
            by_hand.owner_code = headers.owner_code
            AND by_hand.source_code = headers.source_code
            AND by_hand.reversed_no = CAST(headers.voucher_no AS VARCHAR)
    INNER JOIN ours
        ON headers.header_db_id = ours.header_db_id
    UNION
    SELECT
        invoices.header_db_id,
        vouchers.document_key
    FROM
        rec.subledger_vouchers AS invoices
    INNER JOIN rec.sent_vouchers AS vouchers
        ON
            invoices.side = vouchers.voucher_type
            AND invoices.owner_code = vouchers.owner_code
            AND invoices.invoice_number = vouchers.invoice_no
            AND invoices.subledger_code = vouchers.subledger_no
            AND invoices.currency_amount = -vouchers.control_currency
    INNER JOIN typed
        ON
            invoices.side = typed.side
            AND invoices.owner_code = typed.owner_code
            AND invoices.invoice_number = typed.invoice_number
            AND invoices.subledger_code = typed.subledger_code
            AND invoices.currency_amount = typed.currency_amount
    INNER JOIN rec.booked_vouchers AS own
        ON vouchers.document_key = own.document_key
    WHERE
        invoices.is_invoice
        AND NOT invoices.is_imported
)

SELECT
    ours.header_db_id,  -- database id of the voucher in the ledger
    ours.document_key,  -- database id of the document in the VMS
    ours.part  -- voucher: its own; again: the same booked once more; reversal: takes it back
FROM
    ours
UNION ALL
SELECT
    reversals.header_db_id,
    MIN(reversals.document_key),
    'reversal'
FROM
    reversals
LEFT JOIN ours
    ON reversals.header_db_id = ours.header_db_id
WHERE
    ours.header_db_id IS NULL
GROUP BY
    reversals.header_db_id
