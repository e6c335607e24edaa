-- One open document with the day it is posted on and whether its own period is closed for its entity.
-- With posting.closed_period = next_open it moves to the first day of the first open month; accruals never move.
-- Answers: On which day is a document posted, and is that period open?
-- Read by: the posting path.
-- grain: document_key
WITH closed AS (
    SELECT DISTINCT documents.document_key
    FROM
        map.open_documents AS documents
    INNER JOIN map.closed_periods AS closed_periods
        ON
            documents.owner_code = closed_periods.owner_code
            AND documents.document_date BETWEEN closed_periods.from_date AND closed_periods.to_date
),

next_open AS (
    SELECT
        documents.document_key,
        MIN(months.month_start) AS posted_date
    FROM
        closed
    INNER JOIN map.open_documents AS documents
        ON closed.document_key = documents.document_key
    CROSS JOIN seed.settings AS settings
    INNER JOIN seed.months AS months
        ON documents.document_date < months.month_start
    WHERE
        settings.closed_period = 'next_open'
        AND NOT documents.is_accrual
        AND NOT EXISTS (
            SELECT 1
            FROM
                map.closed_periods AS closed_periods
            WHERE
                closed_periods.owner_code = documents.owner_code
                AND months.month_start BETWEEN closed_periods.from_date AND closed_periods.to_date
        )
    GROUP BY
        documents.document_key
)

SELECT
    documents.document_key,
    COALESCE(next_open.posted_date, documents.document_date) AS posted_date,  -- voucher date
    closed.document_key IS NOT NULL AS is_period_closed,  -- its own period is closed for its entity
    next_open.posted_date IS NOT NULL AS is_moved  -- posted in a later period than its own
FROM
    map.open_documents AS documents
LEFT JOIN closed
    ON documents.document_key = closed.document_key
LEFT JOIN next_open
    ON documents.document_key = next_open.document_key
