-- One voucher of a bunker transaction as it was sent: bunkers are echoes of the VMS like accruals, yet they are costs.
-- Answers: Which vouchers of ours are of bunkers?
-- Read by: close.voyage_actuals.
-- grain: document_key, owner_code, header_db_id, header_text
-- parts: document_key
SELECT
    vouchers.document_key,
    vouchers.owner_code,  -- ledger entity
    vouchers.header_db_id,  -- known by hand alone; null: it is found by its text
    vouchers.header_text,
    vouchers.company_code  -- VMS company
FROM
    ctl.sent_vouchers AS vouchers
INNER JOIN stg_vms.documents AS documents
    ON vouchers.document_key = documents.document_key
WHERE
    documents.document_type = 'ACC'
    AND vouchers.state = 'sent'
