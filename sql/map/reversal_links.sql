-- One open document that takes back another, with a document that it takes back (docs/mapping.md#1-6-7): each that its lines
-- refer to; of ACR, CAR and BAR without a reference the one accrual of the month before, in the same company and currency,
-- that has just its lines with negated amounts in both currencies. Where several have, or none, the row has no original.
-- Answers: What does a reversal take back?
-- Read by: map.reversal_originals.
-- grain: document_key, original_no, original_key
WITH stated AS (
    SELECT DISTINCT
        documents.document_key,
        documents.document_type,
        documents.voucher_type,
        documents.company_code,
        lines.ref_document_key,
        NULLIF(TRIM(lines.ref_document_no), '') AS ref_document_no
    FROM
        map.open_documents AS documents
    INNER JOIN map.document_lines AS lines
        ON documents.document_key = lines.document_key
    WHERE
        lines.ref_document_key IS NOT NULL
        OR NULLIF(TRIM(lines.ref_document_no), '') IS NOT NULL
),

-- What is named by key or by number, each for itself: so the history is looked through and not kept in memory, and where
-- nothing is named it is not read.
named AS (
    SELECT documents.document_key
    FROM
        stated
    INNER JOIN stg_vms.documents AS documents
        ON stated.ref_document_key = documents.document_key
    UNION
    SELECT documents.document_key
    FROM
        stated
    INNER JOIN stg_vms.documents AS documents
        ON
            stated.company_code = documents.company_code
            AND stated.ref_document_no = documents.document_no
    UNION
    SELECT outbox.document_key
    FROM
        stated
    INNER JOIN ctl.outbox AS outbox
        ON stated.ref_document_key = outbox.document_key
    WHERE
        outbox.kind = 'voucher'
    UNION
    SELECT outbox.document_key
    FROM
        stated
    INNER JOIN ctl.outbox AS outbox
        ON
            stated.company_code = outbox.company_code
            AND stated.ref_document_no = outbox.document_no
    WHERE
        outbox.kind = 'voucher'
),

staged AS (
    SELECT
        documents.document_key,
        documents.document_no,
        documents.document_type,
        documents.company_code,
        documents.status_code
    FROM
        named
    INNER JOIN stg_vms.documents AS documents
        ON named.document_key = documents.document_key
),

-- Also what was sent and is not staged, as in a warehouse that was built anew.
known AS (
    SELECT
        staged.document_key,
        staged.document_no,
        staged.document_type,
        staged.company_code,
        staged.status_code
    FROM
        staged
    UNION ALL
    SELECT
        outbox.document_key,
        outbox.document_no,
        CAST(NULL AS VARCHAR),
        outbox.company_code,
        CAST(NULL AS VARCHAR)
    FROM
        named
    INNER JOIN ctl.outbox AS outbox
        ON named.document_key = outbox.document_key
    LEFT JOIN staged
        ON outbox.document_key = staged.document_key
    WHERE
        outbox.kind = 'voucher'
        AND staged.document_key IS NULL
),

by_key AS (
    SELECT DISTINCT
        stated.document_key,
        stated.ref_document_key,
        known.document_no
    FROM
        stated
    INNER JOIN known
        ON stated.ref_document_key = known.document_key
),

-- A number may be that of one of each type: the type that this one takes back, then what is posted on the same side, then
-- what is posted at all.
by_number AS (
    SELECT
        stated.document_key,
        stated.ref_document_no,
        known.document_key AS original_key
    FROM
        stated
    LEFT JOIN by_key
        ON
            stated.document_key = by_key.document_key
            AND stated.ref_document_key = by_key.ref_document_key
    INNER JOIN known
        ON
            stated.company_code = known.company_code
            AND stated.ref_document_no = known.document_no
            AND stated.document_key <> known.document_key
    LEFT JOIN seed.accrual_types AS accrual_types
        ON stated.document_type = accrual_types.document_type
    LEFT JOIN seed.voucher_types AS voucher_types
        ON known.document_type = voucher_types.document_type
    WHERE
        by_key.document_key IS NULL
    QUALIFY
        RANK() OVER (
            PARTITION BY stated.document_key, stated.ref_document_no
            ORDER BY
                CASE WHEN known.status_code = 'GONE' THEN 1 ELSE 0 END,
                CASE
                    WHEN known.document_type = accrual_types.reverses_type THEN 0
                    WHEN known.document_type IS NULL OR voucher_types.voucher_type = stated.voucher_type THEN 1
                    WHEN voucher_types.document_type IS NOT NULL THEN 2
                    ELSE 3
                END
        ) = 1
),

referred AS (
    SELECT DISTINCT
        stated.document_key,
        COALESCE(by_key.document_no, stated.ref_document_no, CAST(stated.ref_document_key AS VARCHAR)) AS original_no,
        COALESCE(by_key.ref_document_key, by_number.original_key) AS original_key
    FROM
        stated
    LEFT JOIN by_key
        ON
            stated.document_key = by_key.document_key
            AND stated.ref_document_key = by_key.ref_document_key
    LEFT JOIN by_number
        ON
            stated.document_key = by_number.document_key
            AND stated.ref_document_no = by_number.ref_document_no
)

SELECT
    referred.document_key,  -- of the reversal
    referred.original_no,  -- number of what it takes back; empty: none is found
    referred.original_key,  -- null: none is found
    'reference' AS found_by  -- reference | amount
FROM
    referred
UNION ALL
SELECT
    unreferred.document_key,
    COALESCE(unreferred.accrual_no, ''),
    unreferred.accrual_key,
    'amount'
FROM
    map.reversed_accruals AS unreferred
