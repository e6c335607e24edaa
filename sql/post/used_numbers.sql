-- One document that uses an invoice number, sent or waiting to be sent, with the number as numbers are compared.
-- SAME_NUMBER takes long on a history, so that it is asked once of each document, and not of all at each posting.
-- Answers: Which documents have used a number, however it was written?
-- Read by: post.document_checks, which warns of a number that was used before.
-- grain: document_key
-- moves: document_key
SELECT
    vouchers.document_key,
    vouchers.invoice_no,
    SAME_NUMBER(vouchers.invoice_no) AS same_no,  -- without blanks, dashes and leading zeros, in capitals
    TRUE AS has_voucher  -- of post.vouchers
FROM
    post.vouchers AS vouchers
UNION ALL
-- What was adopted, or sent before the warehouse was built anew, is known from the outbox alone.
SELECT
    sent.document_key,
    sent.invoice_no,
    SAME_NUMBER(sent.invoice_no),
    FALSE
FROM
    ctl.sent_vouchers AS sent
LEFT JOIN post.vouchers AS vouchers
    ON sent.document_key = vouchers.document_key
WHERE
    sent.state IN ('sending', 'sent', 'unknown')
    AND vouchers.document_key IS NULL
