-- One voucher that was sent and that the books do not have, with what the ledger's import says of it.
-- Answers: Why has a voucher that was sent not come into the books?
-- Read by: accountants, by way of rec.documents; rec.document_facts.
-- grain: document_key
WITH unbooked AS (
    SELECT
        vouchers.document_key,
        vouchers.document_no,
        vouchers.updated_at
    FROM
        rec.sent_vouchers AS vouchers
    LEFT JOIN rec.booked_vouchers AS booked
        ON vouchers.document_key = booked.document_key
    WHERE
        booked.document_key IS NULL
),

items AS (
    SELECT
        items.import_item_db_id,
        unbooked.document_key,
        items.job_level,
        items.fetched_at
    FROM
        stg_ledger.import_items AS items
    INNER JOIN unbooked
        ON
            items.tr_reg_number = unbooked.document_key
            AND items.ext_order_number = unbooked.document_no
),

levels AS (
    SELECT
        document_key,
        MIN(job_level) AS lowest_level,
        MAX(job_level) AS highest_level,
        MAX(fetched_at) AS fetched_at
    FROM
        items
    GROUP BY
        document_key
),

faults AS (
    SELECT
        items.document_key,
        STRING_AGG(DISTINCT errors.message, ' ' ORDER BY errors.message) AS messages
    FROM
        stg_ledger.import_errors AS errors
    INNER JOIN items
        ON errors.import_item_db_id = items.import_item_db_id
    GROUP BY
        items.document_key
),

readings AS (
    SELECT MAX(cursors.moved_at) AS read_at
    FROM
        ctl.cursors AS cursors
    WHERE
        cursors.source = 'ledger.import'
)

SELECT
    unbooked.document_key,
    -- Job levels (docs/systems/ledger.md#a9): 3 is booked, 9 refused. What was not looked up since it was sent still waits.
    CASE
        WHEN levels.highest_level = 9 THEN 'refused'
        WHEN levels.lowest_level = 3 AND levels.highest_level = 3 THEN 'booked'
        WHEN levels.document_key IS NOT NULL THEN 'waiting'
        WHEN COALESCE(readings.read_at, '') < unbooked.updated_at THEN 'waiting'
        ELSE 'removed'
    END AS import_state,  -- waiting | refused | booked: done, and yet not in the books | removed: nowhere
    faults.messages,  -- what its posting job says
    levels.fetched_at  -- when one of its import items was read with a change last, UTC
FROM
    unbooked
CROSS JOIN readings
LEFT JOIN levels
    ON unbooked.document_key = levels.document_key
LEFT JOIN faults
    ON unbooked.document_key = faults.document_key
