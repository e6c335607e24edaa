-- One open document that takes back another, with a document that it takes back and where that one stands
-- (docs/mapping.md#1-6-7). A reversal goes after all that it takes back; what was never to be sent does not keep it.
-- Answers: May a reversal go, or does it wait for what it takes back?
-- Read by: the posting requirements, the dry run and `springline preflight`.
-- grain: document_key, original_no, original_key
WITH originals AS (
    SELECT DISTINCT links.original_key
    FROM
        map.reversal_links AS links
    WHERE
        links.original_key IS NOT NULL
),

-- Of these alone, here as below: all that was ever read and sent is looked through, and not kept in memory.
vouchers AS (
    SELECT
        outbox.document_key,
        MAX(CASE WHEN outbox.state = 'sent' THEN 1 ELSE 0 END) AS is_sent,
        MAX(CASE WHEN outbox.state IN ('sending', 'unknown') THEN 1 ELSE 0 END) AS is_on_its_way
    FROM
        originals
    INNER JOIN ctl.outbox AS outbox
        ON originals.original_key = outbox.document_key
    WHERE
        outbox.kind = 'voucher'
    GROUP BY
        outbox.document_key
),

staged AS (
    SELECT
        documents.document_key,
        documents.document_type,
        documents.status_code
    FROM
        originals
    INNER JOIN stg_vms.documents AS documents
        ON originals.original_key = documents.document_key
),

-- The last decision on each document: what going live has put on hold may have been released since.
decided AS (
    SELECT
        decisions.document_key,
        decisions.action,
        decisions.reason
    FROM
        ctl.decisions AS decisions
    WHERE
        decisions.document_key IS NOT NULL
        AND decisions.action IN ('hold', 'release')
    QUALIFY
        ROW_NUMBER() OVER (PARTITION BY decisions.document_key ORDER BY decisions.decision_no DESC) = 1
),

ignored AS (
    SELECT DISTINCT links.original_key
    FROM
        map.reversal_links AS links
    INNER JOIN ctl.ignored AS ignored
        ON
            ignored.until IS NULL
            AND (
                ignored.document_key = links.original_key
                OR (ignored.document_key IS NULL AND ignored.document_no = links.original_no)
            )
    WHERE
        links.original_key IS NOT NULL
),

judged AS (
    SELECT
        links.document_key,
        links.original_no,
        links.original_key,
        links.found_by,
        TRIM(COALESCE(staged.document_type, '') || ' ' || links.original_no) AS original_name,
        CASE
            WHEN links.original_key IS NULL THEN 'not found'
            WHEN vouchers.is_sent = 1 THEN 'sent'
            WHEN vouchers.is_on_its_way = 1 THEN 'waits'
            WHEN ignored.original_key IS NOT NULL THEN 'ignored'
            WHEN staged.status_code = 'GONE' THEN 'deleted'
            WHEN staged.document_type IS NOT NULL AND voucher_types.document_type IS NULL THEN 'never posted'
            WHEN staged.status_code = 'POS' THEN 'posted by others'
            WHEN decided.action = 'hold' AND decided.reason = 'before going live' THEN 'before going live'
            ELSE 'waits'
        END AS state
    FROM
        map.reversal_links AS links
    LEFT JOIN staged
        ON links.original_key = staged.document_key
    LEFT JOIN vouchers
        ON links.original_key = vouchers.document_key
    LEFT JOIN ignored
        ON links.original_key = ignored.original_key
    LEFT JOIN seed.voucher_types AS voucher_types
        ON staged.document_type = voucher_types.document_type
    LEFT JOIN decided
        ON links.original_key = decided.document_key
)

SELECT
    document_key,  -- of the reversal
    original_no,  -- number of what it takes back; empty: none is found
    original_key,  -- null: none is found
    found_by,  -- reference | amount
    state,  -- sent | waits | ignored | not found | deleted | never posted | posted by others | before going live
    CASE state
        WHEN 'not found'
            THEN
                CASE found_by
                    WHEN 'reference' THEN 'the VMS has no ' || original_no || ' in its company'
                    ELSE
                        'it names none, and not just one of the month before has its lines with the opposite amounts'
                END
        WHEN 'deleted' THEN original_name || ' was deleted in the VMS'
        WHEN 'never posted' THEN original_name || ' is of a type that is never posted'
        WHEN 'posted by others' THEN original_name || ' is posted in the VMS, and Springline has no voucher of it'
        WHEN 'before going live' THEN original_name || ' is on hold from before going live'
        ELSE original_name
    END AS original_text  -- as messages name it
FROM
    judged
