-- One day, company and document type: how many documents and how much on each side, in company currency.
-- A document counts in the VMS on the day it was sent to be booked on, else on its own; in the ledger on the day it is
-- booked on. A difference always comes from documents: where these are breaks themselves, it is not one more break.
-- Answers: Do both sides have as many documents and as much of a day, company and type?
-- Read by: accountants (workbook) and analysts.
-- grain: document_date, company_code, document_type
WITH sides AS (
    SELECT
        COALESCE(sent.posted_date, documents.document_date) AS document_date,
        documents.company_code,
        documents.document_type,
        documents.company_currency_code,
        documents.document_no,
        documents.state,
        documents.is_break,
        1 AS count_vms,
        0 AS count_ledger,
        COALESCE(documents.company_amount_vms, 0) AS amount_vms,
        CAST(0 AS DECIMAL(38, 4)) AS amount_ledger,
        documents.as_of_vms,
        documents.as_of_ledger
    FROM
        rec.documents AS documents
    LEFT JOIN rec.sent_vouchers AS sent
        ON documents.document_key = sent.document_key
    WHERE
        documents.state <> 'ignored'
        AND documents.status_vms NOT IN ('GONE', 'REJECTED')
    UNION ALL
    SELECT
        documents.posted_date_ledger,
        documents.company_code,
        documents.document_type,
        documents.company_currency_code,
        documents.document_no,
        documents.state,
        documents.is_break,
        0,
        1,
        CAST(0 AS DECIMAL(38, 4)),
        COALESCE(documents.company_amount_ledger, 0),
        documents.as_of_vms,
        documents.as_of_ledger
    FROM
        rec.documents AS documents
    WHERE
        documents.state <> 'ignored'
        AND documents.import_state_ledger = 'booked'
        -- What was deleted in the VMS and taken back in the ledger is on neither side.
        AND NOT (documents.state = 'agreed' AND COALESCE(documents.status_vms = 'GONE', FALSE))
),

totals AS (
    SELECT
        document_date,
        company_code,
        document_type,
        MIN(company_currency_code) AS company_currency_code,
        CAST(SUM(count_vms) AS INTEGER) AS count_vms,
        CAST(SUM(count_ledger) AS INTEGER) AS count_ledger,
        CAST(SUM(amount_vms) AS DECIMAL(38, 4)) AS company_amount_vms,
        CAST(SUM(amount_ledger) AS DECIMAL(38, 4)) AS company_amount_ledger,
        CAST(
            SUM(CASE WHEN state IN ('waiting', 'held', 'unknown', 'rejected') THEN count_ledger - count_vms ELSE 0 END)
            AS INTEGER
        ) AS waiting_count,
        CAST(
            SUM(
                CASE
                    WHEN state IN ('waiting', 'held', 'unknown', 'rejected') THEN amount_ledger - amount_vms ELSE 0
                END
            ) AS DECIMAL(38, 4)
        ) AS waiting_amount,
        MAX(CASE WHEN is_break THEN 1 ELSE 0 END) = 1 AS has_break,
        MAX(as_of_vms) AS as_of_vms,
        MAX(as_of_ledger) AS as_of_ledger
    FROM
        sides
    WHERE
        document_date IS NOT NULL
    GROUP BY
        document_date,
        company_code,
        document_type
),

judged AS (
    SELECT
        totals.*,
        totals.count_ledger - totals.count_vms AS count_difference,
        totals.company_amount_ledger - totals.company_amount_vms AS company_amount_difference,
        CASE
            WHEN
                totals.count_ledger = totals.count_vms
                AND ABS(totals.company_amount_ledger - totals.company_amount_vms) <= tolerances.tolerance
                THEN 'agreed'
            WHEN
                totals.count_ledger - totals.count_vms = totals.waiting_count
                AND ABS(totals.company_amount_ledger - totals.company_amount_vms - totals.waiting_amount)
                <= tolerances.tolerance
                THEN 'waiting'
            ELSE 'differs'
        END AS state
    FROM
        totals
    INNER JOIN seed.tolerances AS tolerances
        ON tolerances.measure = 'control_total'
),

apart AS (
    SELECT
        sides.document_date,
        sides.company_code,
        sides.document_type,
        sides.document_no,
        MIN(sides.state) AS state,
        MIN(judged.company_currency_code) AS company_currency_code,
        SUM(sides.amount_ledger - sides.amount_vms) AS amount,
        ROW_NUMBER() OVER (
            PARTITION BY sides.document_date, sides.company_code, sides.document_type
            ORDER BY ABS(SUM(sides.amount_ledger - sides.amount_vms)) DESC, sides.document_no ASC
        ) AS place,
        COUNT(*) OVER (PARTITION BY sides.document_date, sides.company_code, sides.document_type) AS document_count
    FROM
        sides
    INNER JOIN judged
        ON
            judged.state <> 'agreed'
            AND sides.document_date = judged.document_date
            AND sides.company_code = judged.company_code
            AND sides.document_type = judged.document_type
    GROUP BY
        sides.document_date,
        sides.company_code,
        sides.document_type,
        sides.document_no
    HAVING
        SUM(sides.count_ledger - sides.count_vms) <> 0
        OR SUM(sides.amount_ledger - sides.amount_vms) <> 0
),

listed AS (
    SELECT
        document_date,
        company_code,
        document_type,
        STRING_AGG(
            document_no || ' (' || state || ', ' || NUMBER_TEXT(amount, company_currency_code) || ')',
            '; ' ORDER BY place
        )
        || CASE
            WHEN MAX(document_count) > 5 THEN '; and ' || COUNT_TEXT(MAX(document_count) - 5) || ' more'
            ELSE ''
        END AS words
    FROM
        apart
    WHERE
        place <= 5
    GROUP BY
        document_date,
        company_code,
        document_type
)

SELECT
    judged.document_date,  -- the day of the vouchers
    judged.company_code,  -- VMS company
    judged.document_type,  -- kind of document in the VMS, as INI or CRO
    judged.count_vms,  -- documents in the VMS
    judged.count_ledger,  -- vouchers in the ledger
    judged.company_amount_vms,  -- sum in the VMS, with its sign, in company currency
    judged.company_amount_ledger,  -- sum in the ledger, with the sign of the VMS, in company currency
    judged.count_difference,  -- ledger less VMS
    judged.company_amount_difference,  -- ledger less VMS
    judged.company_currency_code,  -- currency of the company amounts
    judged.state,  -- agreed | differs | waiting
    CASE
        WHEN judged.state <> 'agreed'
            THEN
                'The VMS has ' || COUNT_TEXT(judged.count_vms) || ' of '
                || AMOUNT_TEXT(judged.company_amount_vms, judged.company_currency_code) || ', the ledger '
                || COUNT_TEXT(judged.count_ledger) || ' of '
                || NUMBER_TEXT(judged.company_amount_ledger, judged.company_currency_code) || ': '
                || COALESCE(listed.words, 'no document is apart') || '.'
    END AS reason,  -- what is found, in words, with the figures; empty: nothing to say
    CASE judged.state
        WHEN 'waiting' THEN 'nothing here: what waits or is held has its own next step in rec.documents.'
        WHEN 'differs' THEN 'see the documents named: each has its own next step in rec.documents.'
    END AS next_step,  -- what to do about it; empty: nothing
    judged.state = 'differs' AND NOT judged.has_break AS is_break,  -- true: it does not agree, and a person has to act
    judged.as_of_vms,  -- when the VMS was read, UTC
    judged.as_of_ledger,  -- when the ledger was read, UTC
    CAST(DATE_DIFF('day', judged.document_date, GREATEST(judged.document_date, readings.today)) AS INTEGER)
        AS age_days  -- days since the day of the vouchers; 0 when that is later
FROM
    judged
CROSS JOIN rec.readings AS readings
LEFT JOIN listed
    ON
        judged.document_date = listed.document_date
        AND judged.company_code = listed.company_code
        AND judged.document_type = listed.document_type
