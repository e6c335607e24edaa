-- One voucher in the ledger's books that is the voucher of a document of ours, and which document's.
-- It is the one recorded when it was looked up, else the imported one with the text of the first control line;
-- where several vouchers of ours share a text, amount and date decide, then the order in which they were booked.
-- Answers: Which voucher in the books is the one of this document?
-- Read by: the comparison of documents; the proof that nothing was booked twice.
-- grain: header_db_id
WITH recorded AS (
    SELECT
        headers.header_db_id,
        MIN(vouchers.document_key) AS document_key
    FROM
        rec.sent_vouchers AS vouchers
    INNER JOIN rec.ledger_vouchers AS headers
        ON vouchers.header_db_id = headers.header_db_id
    GROUP BY
        headers.header_db_id
),

wanted AS (
    SELECT
        vouchers.document_key,
        vouchers.owner_code,
        vouchers.voucher_type,
        vouchers.header_text,
        vouchers.debit_currency,
        vouchers.posted_date
    FROM
        rec.sent_vouchers AS vouchers
    LEFT JOIN recorded
        ON vouchers.document_key = recorded.document_key
    WHERE
        recorded.document_key IS NULL
        AND NOT (vouchers.is_adopted AND vouchers.header_db_id IS NOT NULL)
),

imported AS (
    SELECT
        headers.header_db_id,
        headers.owner_code,
        headers.source_code,
        headers.header_text,
        headers.debit_currency,
        headers.posted_date
    FROM
        rec.ledger_vouchers AS headers
    LEFT JOIN recorded
        ON headers.header_db_id = recorded.header_db_id
    WHERE
        recorded.header_db_id IS NULL
        AND headers.is_imported
),

voucher_texts AS (
    SELECT
        owner_code,
        voucher_type,
        header_text,
        MIN(document_key) AS document_key,
        COUNT(*) AS voucher_count
    FROM
        wanted
    GROUP BY
        owner_code,
        voucher_type,
        header_text
),

header_texts AS (
    SELECT
        owner_code,
        source_code,
        header_text,
        MIN(header_db_id) AS header_db_id,
        COUNT(*) AS header_count
    FROM
        imported
    GROUP BY
        owner_code,
        source_code,
        header_text
),

texts AS (
    SELECT
        vouchers.*,
        headers.header_db_id,
        vouchers.voucher_count = 1 AND headers.header_count = 1 AS is_plain
    FROM
        voucher_texts AS vouchers
    INNER JOIN header_texts AS headers
        ON
            vouchers.owner_code = headers.owner_code
            AND vouchers.voucher_type = headers.source_code
            AND vouchers.header_text = headers.header_text
),

shared_vouchers AS (
    SELECT
        wanted.*,
        ROW_NUMBER() OVER (
            PARTITION BY
                wanted.owner_code, wanted.voucher_type, wanted.header_text, wanted.debit_currency, wanted.posted_date
            ORDER BY wanted.document_key
        ) AS place
    FROM
        wanted
    INNER JOIN texts
        ON
            NOT texts.is_plain
            AND wanted.owner_code = texts.owner_code
            AND wanted.voucher_type = texts.voucher_type
            AND wanted.header_text = texts.header_text
),

shared_headers AS (
    SELECT
        imported.*,
        ROW_NUMBER() OVER (
            PARTITION BY
                imported.owner_code, imported.source_code, imported.header_text, imported.debit_currency,
                imported.posted_date
            ORDER BY imported.header_db_id
        ) AS place
    FROM
        imported
    INNER JOIN texts
        ON
            NOT texts.is_plain
            AND imported.owner_code = texts.owner_code
            AND imported.source_code = texts.voucher_type
            AND imported.header_text = texts.header_text
),

alike AS (
    SELECT
        vouchers.document_key,
        headers.header_db_id
    FROM
        shared_vouchers AS vouchers
    INNER JOIN shared_headers AS headers
        ON
            vouchers.owner_code = headers.owner_code
            AND vouchers.voucher_type = headers.source_code
            AND vouchers.header_text = headers.header_text
            AND vouchers.debit_currency = headers.debit_currency
            AND vouchers.posted_date = headers.posted_date
            AND vouchers.place = headers.place
),

left_vouchers AS (
    SELECT
        vouchers.document_key,
        vouchers.owner_code,
        vouchers.voucher_type,
        vouchers.header_text,
        ROW_NUMBER() OVER (
            PARTITION BY vouchers.owner_code, vouchers.voucher_type, vouchers.header_text
            ORDER BY vouchers.document_key
        ) AS place
    FROM
        shared_vouchers AS vouchers
    LEFT JOIN alike
        ON vouchers.document_key = alike.document_key
    WHERE
        alike.document_key IS NULL
),

left_headers AS (
    SELECT
        headers.header_db_id,
        headers.owner_code,
        headers.source_code,
        headers.header_text,
        ROW_NUMBER() OVER (
            PARTITION BY headers.owner_code, headers.source_code, headers.header_text
            ORDER BY headers.header_db_id
        ) AS place
    FROM
        shared_headers AS headers
    LEFT JOIN alike
        ON headers.header_db_id = alike.header_db_id
    WHERE
        alike.header_db_id IS NULL
),

by_text AS (
    SELECT
        header_db_id,
        document_key
    FROM
        recorded
    UNION ALL
    SELECT
        header_db_id,
        document_key
    FROM
        texts
    WHERE
        is_plain
    UNION ALL
    SELECT
        header_db_id,
        document_key
    FROM
        alike
    UNION ALL
    SELECT
        headers.header_db_id,
        vouchers.document_key
    FROM
        left_vouchers AS vouchers
    INNER JOIN left_headers AS headers
        ON
            vouchers.owner_code = headers.owner_code
            AND vouchers.voucher_type = headers.source_code
            AND vouchers.header_text = headers.header_text
            AND vouchers.place = headers.place
),

-- Where somebody has changed the header's text, the row of the first control line still has it.
textless AS (
    SELECT wanted.*
    FROM
        wanted
    LEFT JOIN by_text
        ON wanted.document_key = by_text.document_key
    WHERE
        by_text.document_key IS NULL
),

-- So does a voucher that was removed and that somebody has typed in again under its text.
by_row AS (
    SELECT
        transactions.header_db_id,
        textless.document_key
    FROM
        stg_ledger.transactions AS transactions
    INNER JOIN textless
        ON
            transactions.row_text = textless.header_text
            AND transactions.source_code = textless.voucher_type
    INNER JOIN rec.ledger_vouchers AS headers
        ON
            transactions.header_db_id = headers.header_db_id
            AND textless.owner_code = headers.owner_code
    WHERE
        headers.is_imported
    UNION
    SELECT
        headers.header_db_id,
        textless.document_key
    FROM
        rec.ledger_vouchers AS headers
    INNER JOIN textless
        ON
            headers.owner_code = textless.owner_code
            AND headers.source_code = textless.voucher_type
            AND headers.header_text = textless.header_text
    WHERE
        NOT headers.is_imported
),

left_rows AS (
    SELECT
        by_row.header_db_id,
        MIN(by_row.document_key) AS document_key
    FROM
        by_row
    LEFT JOIN by_text
        ON by_row.header_db_id = by_text.header_db_id
    WHERE
        by_text.header_db_id IS NULL
    GROUP BY
        by_row.header_db_id
)

SELECT
    by_text.header_db_id,  -- database id of the voucher in the ledger
    by_text.document_key
FROM
    by_text
UNION ALL
SELECT
    MIN(left_rows.header_db_id),
    left_rows.document_key
FROM
    left_rows
GROUP BY
    left_rows.document_key
