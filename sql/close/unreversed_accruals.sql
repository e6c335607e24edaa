-- One posted accrual or bunker adjustment that its reversals do not take back in full, or one posted reversal that takes
-- back nothing posted. A reversal that waits or is held takes nothing back yet; the reason names it.
-- Answers: Which accruals and reversals do not meet?
-- Read by: accountants, in the period-end pack; the roll-forward.
-- grain: document_key, voyage_no, account
-- parts: voyage_no
WITH held AS (
    SELECT
        holds.document_key,
        MIN(holds.message) AS message
    FROM
        ctl.holds AS holds
    WHERE
        holds.until IS NULL
        AND holds.severity = 'critical'
        AND holds.document_key IS NOT NULL
    GROUP BY
        holds.document_key
),

reversed AS (
    SELECT
        reversals.accrual_document_key,
        reversals.voyage_no,
        reversals.account,
        SUM(CASE WHEN reversals.is_posted THEN reversals.company_amount ELSE 0 END) AS company_amount,
        STRING_AGG(CASE WHEN reversals.is_posted THEN reversals.document_no END, ', ' ORDER BY reversals.document_no)
            AS posted_numbers,
        STRING_AGG(
            CASE
                WHEN NOT reversals.is_posted
                    THEN reversals.document_no || ' (' || COALESCE('held: ' || held.message, reversals.status_code) || ')'
            END, ', ' ORDER BY reversals.document_no
        ) AS waiting_numbers
    FROM
        close.accrual_reversals AS reversals
    LEFT JOIN held
        ON reversals.document_key = held.document_key
    WHERE
        reversals.accrual_document_key IS NOT NULL
    GROUP BY
        reversals.accrual_document_key,
        reversals.voyage_no,
        reversals.account
),

open_entries AS (
    SELECT
        accruals.document_key,
        accruals.voyage_no,
        accruals.account,
        accruals.company_amount AS accrued,
        COALESCE(reversed.company_amount, 0) AS reversed,
        reversed.posted_numbers,
        reversed.waiting_numbers,
        accruals.document_no AS accrual_no
    FROM
        close.accrual_entries AS accruals
    LEFT JOIN reversed
        ON
            accruals.document_key = reversed.accrual_document_key
            AND accruals.voyage_no = reversed.voyage_no
            AND accruals.account = reversed.account
    WHERE
        accruals.reverses_type IS NULL
        AND accruals.is_posted
        AND accruals.company_amount + COALESCE(reversed.company_amount, 0) <> 0
    UNION ALL
    SELECT
        reversals.document_key,
        reversals.voyage_no,
        reversals.account,
        CAST(0 AS DECIMAL(38, 4)),
        reversals.company_amount,
        reversals.document_no,
        CAST(NULL AS VARCHAR),
        accruals.document_no AS accrual_no
    FROM
        close.accrual_reversals AS reversals
    LEFT JOIN close.accrual_entries AS accruals
        ON
            reversals.accrual_document_key = accruals.document_key
            AND reversals.voyage_no = accruals.voyage_no
            AND reversals.account = accruals.account
    WHERE
        reversals.is_posted
        AND NOT COALESCE(accruals.is_posted, FALSE)
        AND reversals.company_amount <> 0
),

told AS (
    SELECT
        entries.*,
        open_entries.accrued,
        open_entries.reversed,
        open_entries.accrued + open_entries.reversed AS unreversed_amount,
        open_entries.posted_numbers,
        open_entries.waiting_numbers,
        open_entries.accrual_no,
        reversal_types.document_type AS reversal_type,
        CAST(entries.period_month + INTERVAL 1 MONTH AS DATE) AS due_date,
        SUBSTRING(CAST(entries.period_month AS VARCHAR), 1, 7) AS month_text,
        -- More taken back than was accrued: the rest is a reversal without accrual.
        entries.reverses_type IS NOT NULL
        OR SIGN(open_entries.accrued) * SIGN(open_entries.accrued + open_entries.reversed) <= 0 AS is_reversal_alone
    FROM
        open_entries
    INNER JOIN close.accrual_entries AS entries
        ON
            open_entries.document_key = entries.document_key
            AND open_entries.voyage_no = entries.voyage_no
            AND open_entries.account = entries.account
    LEFT JOIN seed.accrual_types AS reversal_types
        ON entries.document_type = reversal_types.reverses_type
)

SELECT
    told.document_key,
    told.document_no,  -- number of the document in the VMS
    told.document_type,
    told.family,  -- accrual | capitalisation | bunker adjustment
    told.company_code,
    told.owner_code,
    told.voyage_no,  -- reference number of the voyage; empty: none
    told.account,
    told.period_month,  -- first day of the month of the document
    told.due_date,  -- when an accrual is to be taken back
    told.company_currency_code,  -- currency of the company amounts
    CAST(told.accrued AS DECIMAL(38, 4)) AS accrued,  -- what it put there, in company currency, debit positive
    CAST(told.reversed AS DECIMAL(38, 4)) AS reversed,  -- what posted reversals took back, in company currency
    CAST(told.unreversed_amount AS DECIMAL(38, 4)) AS unreversed_amount,  -- accrued plus reversed: what is left
    CASE WHEN told.is_reversal_alone THEN 'reversal without accrual' ELSE 'not reversed' END
        AS state,  -- not reversed | reversal without accrual
    CASE
        WHEN told.reverses_type IS NOT NULL AND told.accrual_no IS NULL
            THEN
                told.document_no || ' of ' || told.month_text || ' takes back '
                || AMOUNT_TEXT(ABS(told.reversed), told.company_currency_code) || ' of account ' || told.account
                || ' on voyage ' || told.voyage_no || ', and no ' || told.reverses_type || ' of the month before has put it there.'
        WHEN told.reverses_type IS NOT NULL
            THEN
                told.document_no || ' of ' || told.month_text || ' takes back ' || told.accrual_no
                || ', which is not posted itself.'
        WHEN told.is_reversal_alone
            THEN
                told.document_no || ' of ' || told.month_text || ' is taken back more than once: '
                || AMOUNT_TEXT(told.accrued, told.company_currency_code) || ' were accrued, '
                || NUMBER_TEXT(told.reversed, told.company_currency_code) || ' are reversed by ' || told.posted_numbers || '.'
        WHEN told.posted_numbers IS NOT NULL
            THEN
                told.document_no || ' of ' || told.month_text || ' is taken back in part by ' || told.posted_numbers || ': '
                || AMOUNT_TEXT(told.unreversed_amount, told.company_currency_code) || ' of '
                || NUMBER_TEXT(told.accrued, told.company_currency_code) || ' are left.'
        WHEN told.waiting_numbers IS NOT NULL
            THEN
                told.document_no || ' of ' || told.month_text || ' is not taken back: its reversal '
                || told.waiting_numbers || ' is not posted.'
        ELSE
            told.document_no || ' of ' || told.month_text || ' has no reversal: no ' || COALESCE(told.reversal_type, 'document')
            || ' names it or takes back ' || AMOUNT_TEXT(told.accrued, told.company_currency_code)
            || ' of account ' || told.account || ' on voyage ' || told.voyage_no || ' in the month after.'
    END AS reason,  -- what is not taken back, or takes back nothing, in words
    CASE
        WHEN told.reverses_type IS NOT NULL AND told.accrual_no IS NOT NULL
            THEN 'post ' || told.accrual_no || ' in the VMS, or reverse ' || told.document_no || '.'
        WHEN told.is_reversal_alone THEN 'reverse in the VMS what was taken back too much.'
        WHEN told.waiting_numbers IS NOT NULL
            THEN 'get ' || told.waiting_numbers || ' posted: springline explain says what stands in its way.'
        ELSE
            'post a reversal (' || COALESCE(told.reversal_type, 'of the same kind') || ') dated '
            || CAST(told.due_date AS VARCHAR) || ' in the accruals module of the VMS.'
    END AS next_step,  -- what to do about it; empty: nothing
    told.as_of_vms,
    CAST(DATE_DIFF('day', told.document_date, GREATEST(told.document_date, settings.today)) AS INTEGER)
        AS age_days  -- days since the date of the document; 0 when it is dated later
FROM
    told
CROSS JOIN seed.settings AS settings
