-- What the deliveries read of the warehouse, by name.

-- name: draft_lines
-- Of the documents whose keys are $1, voucher by voucher.
SELECT
    lines.*,
    vouchers.partner_key,
    vouchers.document_no,
    vouchers.company_currency,
    vouchers.content_hash
FROM
    post.draft_lines AS lines
INNER JOIN
    post.draft_vouchers AS vouchers
    ON lines.document_key = vouchers.document_key
WHERE
    lines.document_key IN (SELECT UNNEST(CAST($1 AS BIGINT[])))
ORDER BY lines.document_key, lines.tr_item_number;

-- name: reversed
-- The originals of the reversals whose keys are $1: the sent ones, or all where $2 says so.
SELECT
    document_key,
    original_key
FROM
    map.reversal_originals
WHERE
    (state = 'sent' OR $2)
    AND original_key IS NOT NULL
    AND document_key IN (SELECT UNNEST(CAST($1 AS BIGINT[])))
ORDER BY document_key, original_key;

-- name: booked
-- Of the vouchers given as lists: document keys, entities, voucher types, texts, order numbers, numbers of lines.
-- A voucher is booked when the books have its header, or when the import has done all its items (job level 3,
-- docs/systems/ledger.md#a9). Either is enough: the books are read at another time than the import, and a person may have
-- changed a header's text.
WITH waiting AS (
    SELECT
        UNNEST($1) AS document_key,
        UNNEST($2) AS owner_db_id,
        UNNEST($3) AS source_code,
        UNNEST($4) AS header_text,
        UNNEST($5) AS ext_order_number,
        UNNEST($6) AS line_count
),

book_rows AS (
    SELECT
        owner_db_id,
        source_code,
        header_text,
        imported_at
    FROM
        stg_ledger.ap_rows
    UNION ALL
    SELECT
        owner_db_id,
        source_code,
        header_text,
        imported_at
    FROM
        stg_ledger.ar_rows
    UNION ALL
    SELECT
        owner_db_id,
        source_code,
        header_text,
        imported_at
    FROM
        stg_ledger.transactions
),

done_items AS (
    SELECT
        owner_db_id,
        source_code,
        ext_order_number,
        tr_reg_number,
        COUNT(*) AS item_count
    FROM
        stg_ledger.import_items
    WHERE
        job_level = 3
    GROUP BY ALL
)

SELECT w.document_key
FROM
    waiting AS w
SEMI JOIN book_rows AS b
    ON
        w.owner_db_id = b.owner_db_id
        AND w.source_code = b.source_code
        AND w.header_text = b.header_text
        AND b.imported_at IS NOT NULL
UNION
SELECT w.document_key
FROM
    waiting AS w
SEMI JOIN done_items AS d
    ON
        w.owner_db_id = d.owner_db_id
        AND w.source_code = d.source_code
        AND w.document_key = d.tr_reg_number
        AND w.ext_order_number = d.ext_order_number
        AND w.line_count = d.item_count;

-- name: draftable
-- The keys of the open documents of which a voucher can be made at all: nothing is missing that every line must have.
SELECT lines.document_key
FROM
    post.draft_lines AS lines
INNER JOIN
    post.draft_vouchers AS vouchers
    ON lines.document_key = vouchers.document_key
GROUP BY lines.document_key
HAVING
    BOOL_AND(
        lines.currency_amount IS NOT NULL
        AND lines.amount IS NOT NULL
        AND lines.currency IS NOT NULL
        AND vouchers.company_currency IS NOT NULL
        AND lines.company IS NOT NULL
        AND lines.voucher_date IS NOT NULL
    )
ORDER BY lines.document_key;

-- name: booked_days
-- The day of each voucher that an import brought, by entity, voucher type and text, where these name one voucher alone.
WITH book_rows AS (
    SELECT
        owner_db_id,
        source_code,
        header_text,
        header_db_id,
        posted_date
    FROM
        stg_ledger.ap_rows
    WHERE
        imported_at IS NOT NULL
    UNION ALL
    SELECT
        owner_db_id,
        source_code,
        header_text,
        header_db_id,
        posted_date
    FROM
        stg_ledger.ar_rows
    WHERE
        imported_at IS NOT NULL
    UNION ALL
    SELECT
        owner_db_id,
        source_code,
        header_text,
        header_db_id,
        posted_date
    FROM
        stg_ledger.transactions
    WHERE
        imported_at IS NOT NULL
)

SELECT
    owner_db_id,
    source_code,
    header_text,
    MIN(posted_date) AS posted_date
FROM
    book_rows
WHERE
    header_text IS NOT NULL
    AND posted_date IS NOT NULL
GROUP BY
    owner_db_id,
    source_code,
    header_text
HAVING
    COUNT(DISTINCT header_db_id) = 1;

-- name: returned
-- The documents of the VMS with a number that payments (XL…) or actuals (ACT…) of ours have, with what their one line says.
SELECT
    documents.document_key,
    documents.document_no,
    documents.document_type,
    documents.company_code,
    documents.document_date,
    documents.currency_code,
    CAST(ROUND(documents.document_amount, 4) AS DECIMAL(38, 4)) AS document_amount,
    CAST(ROUND(documents.company_currency_amount, 4) AS DECIMAL(38, 4)) AS company_amount,
    CAST(ROUND(lines.source_currency_amount, 4) AS DECIMAL(38, 4)) AS source_amount,
    lines.ref_document_key,
    lines.ref_document_no,
    lines.gl_account,
    lines.voyage_reference_no
FROM
    stg_vms.documents AS documents
INNER JOIN
    stg_vms.document_lines AS lines
    ON documents.document_key = lines.document_key AND documents.fetch_id = lines.fetch_id
WHERE
    (
        (documents.document_type IN ('PMI', 'PMO') AND STARTS_WITH(documents.document_no, 'XL'))
        OR (documents.document_type = 'ACC' AND STARTS_WITH(documents.document_no, 'ACT'))
    )
    AND documents.status_code NOT IN ('GONE', 'REJECTED')
QUALIFY
    COUNT(*) OVER (PARTITION BY documents.document_key) = 1
    AND COUNT(*) OVER (PARTITION BY documents.document_type, documents.document_no, documents.company_code) = 1
ORDER BY documents.document_key;
