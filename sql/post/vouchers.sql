-- One voucher that was sent or is waiting to be sent; a sent one stays as it was.
-- Answers: Which vouchers were sent or wait to be sent?
-- Read by: analysts (published), `hold` and `explain`.
-- grain: document_key
-- keep: document_key IN (SELECT document_key FROM ctl.outbox WHERE kind = 'voucher' AND state IN ('sending', 'sent', 'unknown'))
-- moves: document_key
SELECT
    document_key,
    document_no,
    document_type,
    company_code,  -- VMS company
    owner_code,  -- ledger entity
    voucher_type,
    partner_code,
    partner_name,
    currency,
    company_currency,
    document_date,
    posted_date,
    is_moved,  -- posted in a later period than its own
    currency_amount,  -- as in the VMS
    amount,  -- company currency, as in the VMS
    line_count,
    currency_balance,
    balance,
    invoice_no,
    x_identifier,
    external_document_no,
    is_reversal,
    header_text,  -- text of the first control line
    content_hash,
    modified_at
FROM
    post.draft_vouchers
