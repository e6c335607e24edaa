-- One document that may have been posted twice: another voucher has its partner and its invoice number, however
-- they are spelled (SAME_NUMBER); or a voucher that is not of the VMS has its partner, amount and date.
-- Of two documents of ours the later one is named.
-- Answers: Was this document posted twice, by us or by hand?
-- Read by: accountants, as the reason in rec.documents; rec.document_facts.
-- grain: document_key
WITH booked AS (
    SELECT
        vouchers.document_key,
        vouchers.document_no,
        vouchers.owner_code,
        vouchers.voucher_type,
        vouchers.subledger_no,
        vouchers.invoice_no,
        vouchers.same_no AS plain_no,
        vouchers.currency,
        vouchers.control_currency,
        -- A credit note that carries the number of its invoice is no duplicate: the sign must be the same too.
        SIGN(vouchers.control_currency) AS side_sign,
        vouchers.invoice_date
    FROM
        rec.sent_vouchers AS vouchers
    INNER JOIN rec.booked_vouchers AS own
        ON vouchers.document_key = own.document_key
    WHERE
        vouchers.voucher_type IN ('AP', 'AR')
        AND NOT vouchers.is_adopted
),

same_numbers AS (
    SELECT
        owner_code,
        voucher_type,
        subledger_no,
        plain_no,
        side_sign,
        MIN(document_key) AS document_key
    FROM
        booked
    GROUP BY
        owner_code,
        voucher_type,
        subledger_no,
        plain_no,
        side_sign
    HAVING
        COUNT(*) > 1
),

strangers AS (
    SELECT
        invoices.side,
        invoices.owner_code,
        invoices.subledger_code,
        invoices.invoice_number,
        SAME_NUMBER(invoices.invoice_number) AS plain_no,
        MIN(invoices.currency_code) AS currency_code,
        SUM(invoices.currency_amount) AS currency_amount,
        SIGN(SUM(invoices.currency_amount)) AS side_sign,
        MIN(invoices.invoice_date) AS invoice_date,
        MIN(invoices.voucher_no) AS voucher_no,
        MIN(invoices.posted_date) AS posted_date
    FROM
        rec.subledger_vouchers AS invoices
    LEFT JOIN rec.voucher_headers AS ours
        ON invoices.header_db_id = ours.header_db_id
    WHERE
        ours.header_db_id IS NULL
        AND invoices.is_invoice
    GROUP BY
        invoices.side,
        invoices.owner_code,
        invoices.subledger_code,
        invoices.invoice_number
),

suspected AS (
    SELECT
        booked.document_key,
        'document ' || earlier.document_no || ' has the same partner and invoice number ' || earlier.invoice_no
            AS reason
    FROM
        booked
    INNER JOIN same_numbers
        ON
            booked.owner_code = same_numbers.owner_code
            AND booked.voucher_type = same_numbers.voucher_type
            AND booked.subledger_no = same_numbers.subledger_no
            AND booked.plain_no = same_numbers.plain_no
            AND booked.side_sign = same_numbers.side_sign
    INNER JOIN booked AS earlier
        ON same_numbers.document_key = earlier.document_key
    WHERE
        booked.document_key > earlier.document_key
        AND booked.document_no <> earlier.document_no
    UNION ALL
    SELECT
        booked.document_key,
        'voucher ' || CAST(strangers.voucher_no AS VARCHAR) || ' of ' || CAST(strangers.posted_date AS VARCHAR)
        || ', which is not of the VMS, has the same partner and invoice number ' || strangers.invoice_number
    FROM
        booked
    INNER JOIN strangers
        ON
            booked.voucher_type = strangers.side
            AND booked.owner_code = strangers.owner_code
            AND booked.subledger_no = strangers.subledger_code
            AND booked.plain_no = strangers.plain_no
            AND booked.side_sign = strangers.side_sign
    UNION ALL
    SELECT
        booked.document_key,
        'voucher ' || CAST(strangers.voucher_no AS VARCHAR) || ' of ' || CAST(strangers.posted_date AS VARCHAR)
        || ', which is not of the VMS, has the same partner, amount and date under number ' || strangers.invoice_number
    FROM
        booked
    INNER JOIN strangers
        ON
            booked.voucher_type = strangers.side
            AND booked.owner_code = strangers.owner_code
            AND booked.subledger_no = strangers.subledger_code
            AND booked.currency = strangers.currency_code
            AND booked.control_currency = strangers.currency_amount
            AND booked.invoice_date = strangers.invoice_date
    WHERE
        -- The same number is named above already.
        booked.plain_no <> strangers.plain_no
)

SELECT
    suspected.document_key,
    STRING_AGG(suspected.reason, '; ' ORDER BY suspected.reason) AS reasons  -- which other one it may be
FROM
    suspected
GROUP BY
    suspected.document_key
