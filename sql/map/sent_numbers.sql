-- One accrual, bunker transaction or other GL document that went to the ledger, with the number that its vouchers' texts
-- begin with.
-- Answers: By which number is a voucher of ours known in the books?
-- Read by: map.echo_matches and map.actual_rows.
-- grain: document_key, owner_code, document_no
-- parts: document_key
SELECT DISTINCT
    vouchers.document_key,
    vouchers.owner_code,  -- ledger entity
    vouchers.document_no,
    SPLIT_PART(vouchers.document_no, ' ', 1) AS first_word  -- of the number: by it texts are found
FROM
    ctl.sent_vouchers AS vouchers
WHERE
    vouchers.voucher_type = 'GL'
    AND vouchers.state IN ('sending', 'sent', 'unknown')
