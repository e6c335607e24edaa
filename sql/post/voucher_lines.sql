-- One voucher line that was sent or is waiting to be sent; a sent one stays as it was.
-- Answers: What was sent, or waits, line by line?
-- Read by: analysts (published) and `springline models`; payments.
-- grain: document_key, tr_item_number
-- keep: document_key IN (SELECT document_key FROM ctl.outbox WHERE kind = 'voucher' AND state IN ('sending', 'sent', 'unknown'))
-- moves: document_key
SELECT
    document_key,
    tr_item_number,  -- 1..n, control lines first
    line_kind,  -- control | detail
    line_key,  -- VMS line a detail line comes from
    company_code,  -- VMS company
    company,  -- ledger entity
    voucher_type,
    voucher_no,
    account,
    posting1,  -- cost centre: vessel code
    posting2,  -- project: voyage reference number
    posting3,  -- LS between Singapore parties, else FS
    xgl,
    subledger_no,
    subledger_bank_account,
    due_date,
    tax_rule,
    currency,
    currency_amount,  -- in currency, debit positive
    amount,  -- in company currency, debit positive
    voucher_date,
    invoice_date,
    fiscal_year,
    period_no,
    text,
    invoice_no,
    x_identifier,
    ext_order_number,
    job_level
FROM
    post.draft_lines
