-- What `springline run --dry-run` shows, by name; amounts are debit positive.

-- name: vouchers
SELECT
    document_key,
    document_no,
    document_type,
    company_code,
    owner_code,
    voucher_type,
    partner_code,
    currency,
    currency_amount,
    company_currency,
    amount,
    posted_date,
    invoice_no,
    x_identifier
FROM
    post.draft_vouchers
ORDER BY document_key;

-- name: lines
SELECT
    document_key,
    tr_item_number,
    line_kind,
    account,
    account_source,
    subledger_no,
    posting1,
    posting2,
    posting3,
    xgl,
    tax_rule,
    due_date,
    currency,
    currency_amount,
    amount,
    text
FROM
    post.draft_lines
ORDER BY document_key, tr_item_number;

-- What a reversal goes after, in the same run.
-- name: after
SELECT
    document_key,
    original_no
FROM
    map.reversal_originals
WHERE
    state = 'waits'
ORDER BY document_key, original_no;
