-- One voucher of the ledger that was taken over for a GL document when going live: it was typed by hand, and is known by
-- its header.
-- Answers: Which vouchers by hand are documents of ours?
-- Read by: map.echo_matches and map.actual_rows.
-- grain: header_db_id
SELECT DISTINCT vouchers.header_db_id
FROM
    ctl.sent_vouchers AS vouchers
WHERE
    vouchers.voucher_type = 'GL'
    AND vouchers.header_db_id IS NOT NULL
