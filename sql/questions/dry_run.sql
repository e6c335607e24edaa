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

-- What `--output` writes: each line of each voucher that would be sent, with all that an accountant compares.
-- ready_documents and held_documents are what the checks of this run have left in the warehouse (pipelines/checks/frames.py).
-- name: output_vouchers
WITH afters AS (
    SELECT
        originals.document_key,
        STRING_AGG(originals.original_no, ', ' ORDER BY originals.original_no) AS originals
    FROM
        map.reversal_originals AS originals
    WHERE
        originals.state = 'waits'
    GROUP BY originals.document_key
),

warned AS (
    SELECT
        holds.document_key,
        STRING_AGG(holds.why || ' ' || holds.next_step, ' ' ORDER BY holds.rule) AS warnings
    FROM
        held_documents AS holds
    WHERE
        holds.severity = 'warning'
    GROUP BY holds.document_key
)

SELECT
    vouchers.document_no,
    vouchers.document_type,
    vouchers.company_code,
    vouchers.owner_code,
    vouchers.voucher_type,
    CAST(lines.voucher_no AS VARCHAR) AS import_no,
    'none yet' AS voucher_no,
    vouchers.partner_code,
    vouchers.partner_name,
    vouchers.invoice_no,
    vouchers.x_identifier AS kid,
    vouchers.document_date,
    vouchers.posted_date,
    lines.tr_item_number AS line_no,
    lines.line_kind,
    lines.account,
    lines.subledger_no,
    lines.subledger_bank_account AS bank_account,
    lines.posting1,
    lines.posting2,
    lines.posting3,
    lines.xgl,
    lines.tax_rule,
    lines.due_date,
    lines.currency AS currency_code,
    lines.currency_amount AS amount,
    vouchers.company_currency AS company_currency_code,
    lines.amount AS company_amount,
    lines.text AS line_text,
    afters.originals AS goes_after,
    CASE WHEN lines.tr_item_number = 1 THEN warned.warnings END AS warnings,
    lines.mapping_rules
FROM
    post.draft_vouchers AS vouchers
INNER JOIN ready_documents AS ready
    ON vouchers.document_key = ready.document_key
INNER JOIN post.draft_lines AS lines
    ON vouchers.document_key = lines.document_key
LEFT JOIN afters
    ON vouchers.document_key = afters.document_key
LEFT JOIN warned
    ON vouchers.document_key = warned.document_key
ORDER BY afters.document_key IS NOT NULL, vouchers.document_key, lines.tr_item_number;

-- Each rule, or person, that keeps a document back, and what to do about it; and what could not be read at all.
-- What would be held: a row for each reason. The amount stands on the first of a document, so that sums are right.
-- name: output_held
WITH held AS (
    SELECT
        reasons.document_key,
        reasons.rule,
        reasons.why,
        reasons.next_step,
        reasons.since,
        ROW_NUMBER() OVER (PARTITION BY reasons.document_key ORDER BY reasons.rule) AS reason_no
    FROM
        held_documents AS reasons
    WHERE
        reasons.severity = 'critical'
)

SELECT
    documents.document_no,
    documents.document_type,
    documents.company_code,
    documents.partner_code,
    documents.partner_name,
    documents.document_date,
    documents.external_document_no,
    documents.currency_code,
    CASE WHEN holds.reason_no = 1 THEN COALESCE(vouchers.currency_amount, CAST(documents.document_amount AS DECIMAL(38, 4))) END
        AS amount,
    documents.company_currency_code,
    CASE WHEN holds.reason_no = 1 THEN COALESCE(vouchers.amount, CAST(documents.company_currency_amount AS DECIMAL(38, 4))) END
        AS company_amount,
    holds.rule,
    holds.why,
    holds.next_step,
    CAST(holds.since AS TIMESTAMP) AS held_since
FROM
    held AS holds
INNER JOIN map.open_documents AS documents
    ON holds.document_key = documents.document_key
LEFT JOIN post.draft_vouchers AS vouchers
    ON holds.document_key = vouchers.document_key
LEFT JOIN ready_documents AS ready
    ON holds.document_key = ready.document_key
WHERE
    ready.document_key IS NULL
UNION ALL
SELECT
    COALESCE(rejected.document_no, rejected.object_key),
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    'set aside',
    rejected.message,
    'In the VMS, correct what it names; the next run reads the document again.',
    CAST(rejected.since AS TIMESTAMP)
FROM
    ctl.rejected AS rejected
WHERE
    rejected.until IS NULL
    AND rejected.side = 'vms'
    AND rejected.entity = 'Document'
ORDER BY document_no, rule;
