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
    text,
    mapping_rules
FROM
    post.draft_lines
ORDER BY document_key, tr_item_number;

-- What the mapping files fill of each open document.
-- name: mapped_lines
SELECT
    document_key,
    ext_order_number AS document_no,
    line_kind,
    line_key,
    tr_item_number,
    account,
    posting1,
    posting2,
    posting3,
    xgl,
    subledger_no,
    tax_rule,
    mapping_rules
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
