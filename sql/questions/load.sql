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
-- The sent originals of the reversals whose keys are $1.
SELECT
    document_key,
    original_key
FROM
    map.reversal_originals
WHERE
    state = 'sent'
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
