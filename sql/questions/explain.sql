-- What `springline explain` reads of one document from the warehouse or the published file, by name.
-- The parameters are numbered: a statement that names a table the file does not have gives no rows.

-- name: document
SELECT
    document_no,
    document_key,
    document_type,
    status_code,
    company_code,
    document_date,
    currency_code,
    document_amount,
    company_currency_code,
    company_currency_amount,
    partner_code,
    partner_name,
    partner_type_code,
    external_document_no,
    gl_account,
    document_text,
    modified_at,
    fetched_at
FROM
    stg_vms.documents
WHERE
    document_key = $1;

-- name: voucher
-- The published file has no staging tables, but it keeps the voucher and so most of its document.
SELECT
    document_no,
    document_key,
    document_type,
    company_code,
    document_date,
    currency AS currency_code,
    currency_amount AS document_amount,
    company_currency AS company_currency_code,
    amount AS company_currency_amount,
    partner_code,
    partner_name,
    external_document_no,
    modified_at
FROM
    post.vouchers
WHERE
    document_key = $1;

-- name: lines
-- Lines of an earlier fetch may still be staged; only those of the document's own fetch are lines it has now.
SELECT
    lines.line_key,
    lines.gl_account,
    lines.document_amount,
    lines.company_currency_amount,
    lines.line_text,
    lines.vat_code,
    lines.vat_rate,
    lines.partner_code,
    lines.voyage_reference_no,
    lines.own_vessel_code,
    lines.ref_document_no
FROM
    stg_vms.document_lines AS lines
INNER JOIN
    stg_vms.documents AS documents
    ON lines.document_key = documents.document_key AND lines.fetch_id = documents.fetch_id
WHERE
    lines.document_key = $1
ORDER BY lines.line_key;

-- name: terms
SELECT
    terms.due_date,
    terms.percentage
FROM
    stg_vms.document_payment_terms AS terms
INNER JOIN
    stg_vms.documents AS documents
    ON terms.document_key = documents.document_key AND terms.fetch_id = documents.fetch_id
WHERE
    terms.document_key = $1
ORDER BY terms.due_date, terms.term_key;

-- name: draft_lines
SELECT *
FROM
    post.draft_lines
WHERE
    document_key = $1
ORDER BY tr_item_number;

-- name: import_items
-- Both the key and the number: another source may have given the import the same trRegNumber.
SELECT
    items.import_item_db_id,
    items.tr_item_number,
    items.account_code,
    items.currency_code,
    items.invoice_amount,
    items.amount,
    items.job_level,
    items.job_level_name,
    items.fetched_at,
    STRING_AGG(errors.level_name || ': ' || errors.message, ' ' ORDER BY errors.import_error_db_id) AS errors
FROM
    stg_ledger.import_items AS items
LEFT JOIN
    stg_ledger.import_errors AS errors
    ON items.import_item_db_id = errors.import_item_db_id
WHERE
    items.tr_reg_number = $1
    AND items.ext_order_number = $2
GROUP BY ALL
ORDER BY items.tr_item_number, items.import_item_db_id;

-- name: subledger_rows
-- Rows of the books carry no document key. They are those of the recorded header ($1) or, where none is recorded, of
-- the header that has the text of the voucher's first control line ($2) and its voucher type ($3). Asked for by
-- match ($4, as 'AP 7012'), they are the payments and credit notes that settle the invoice.
WITH
booked AS (
    SELECT
        'AP' AS side,
        *
    FROM
        stg_ledger.ap_rows
    UNION ALL
    SELECT
        'AR' AS side,
        *
    FROM
        stg_ledger.ar_rows
)

SELECT
    side,
    row_db_id,
    voucher_no,
    header_db_id,
    header_text,
    posted_date,
    imported_at,
    source_code,
    account_code,
    subledger_code,
    invoice_number,
    currency_code,
    invoice_amount,
    invoice_remaining,
    amount,
    due_date,
    match_id,
    row_type,
    fetched_at
FROM
    booked
WHERE
    header_db_id = $1
    OR ($1 IS NULL AND header_text = $2 AND source_code = $3)
    OR side || ' ' || match_id IN (SELECT UNNEST(CAST($4 AS VARCHAR[])))
ORDER BY side, row_db_id;

-- name: transactions
-- The general ledger's rows of the same header; the parameters are those above.
SELECT
    transaction_db_id,
    voucher_no,
    header_db_id,
    header_text,
    posted_date,
    imported_at,
    source_code,
    account_code,
    currency_code,
    invoice_amount,
    amount,
    vessel_code,
    project_code,
    row_text,
    fetched_at
FROM
    stg_ledger.transactions
WHERE
    header_db_id = $1
    OR ($1 IS NULL AND header_text = $2 AND source_code = $3)
ORDER BY transaction_db_id;

-- name: transferred
SELECT *
FROM
    ctl.payments
WHERE
    document_key = $1;
