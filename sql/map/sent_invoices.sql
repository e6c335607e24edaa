-- One AP or AR voucher that was sent, by what its control lines carry in the ledger.
-- It is taken from the outbox, so that a warehouse built anew knows every invoice of ours.
-- Answers: By which partner, number and text is an invoice of ours found in the ledger?
-- Read by: payments, which must find it in the subledger, and the comparison of payments.
-- grain: document_key
-- moves: document_key
SELECT
    vouchers.document_key,
    vouchers.document_no,
    vouchers.company_code,  -- VMS company
    vouchers.owner_code,  -- ledger entity
    vouchers.voucher_type AS side,  -- AP | AR
    vouchers.invoice_no,
    vouchers.subledger_no,
    COALESCE(vouchers.vms_partner_code, vouchers.subledger_no) AS partner_code,  -- the same partner as the VMS had it
    vouchers.vms_partner_key AS partner_key,  -- its database id there; null: sent by an older release
    vouchers.currency,
    vouchers.header_text,  -- text of the first control line
    vouchers.header_db_id  -- of the ledger's voucher, where a look-up has found it
FROM
    ctl.sent_vouchers AS vouchers
WHERE
    vouchers.state = 'sent'
    AND vouchers.voucher_type IN ('AP', 'AR')
