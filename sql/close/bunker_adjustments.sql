-- One month of the bunker adjustments on a company's voyage and account: opening, posted by BAP, reversed by BAR, closing,
-- and beside them the estimate, the actual by the ledger's books and the adjustment recomputed from the two.
-- Answers: Do the bunker adjustments roll forward, and are they what the books ask for?
-- Read by: accountants, in the period-end pack.
-- grain: company_code, voyage_no, account, period_month
-- parts: voyage_no
WITH keys AS (
    SELECT
        months.company_code,
        months.voyage_no,
        months.account,
        months.period_month
    FROM
        close.accrual_months AS months
    WHERE
        months.family = 'bunker adjustment'
    UNION
    SELECT
        positions.company_code,
        positions.voyage_no,
        positions.account,
        positions.period_month
    FROM
        close.accrual_positions AS positions
    WHERE
        positions.family = 'bunker adjustment'
),

named AS (
    SELECT
        keys.company_code,
        keys.voyage_no,
        keys.account,
        keys.period_month,
        STRING_AGG(accruals.reason, ' ' ORDER BY accruals.document_no, accruals.document_key) AS reason,
        MIN(accruals.next_step) AS next_step
    FROM
        keys
    INNER JOIN close.unreversed_accruals AS accruals
        ON
            keys.company_code = accruals.company_code
            AND keys.voyage_no = accruals.voyage_no
            AND keys.account = accruals.account
            AND keys.period_month >= accruals.period_month
    WHERE
        accruals.family = 'bunker adjustment'
    GROUP BY
        keys.company_code,
        keys.voyage_no,
        keys.account,
        keys.period_month
)

SELECT
    keys.company_code,  -- VMS company
    keys.voyage_no,  -- reference number of the voyage; empty: none
    keys.account,  -- GL account of the bunker adjustment
    keys.period_month,  -- first day of the month
    COALESCE(months.company_currency_code, positions.company_currency_code) AS company_currency_code,  -- currency of the company amounts
    COALESCE(months.opening, 0) AS opening,  -- what was adjusted at the end of the month before
    COALESCE(months.posted, 0) AS posted,  -- adjusted by BAP of the month
    COALESCE(months.reversed, 0) AS reversed,  -- taken back by BAR of the month
    COALESCE(months.closing, 0) AS closing,  -- what is adjusted at the end of the month
    COALESCE(months.unreversed_amount, 0)
        AS unreversed_amount,  -- what is left of adjustments up to this month that are not taken back in full
    positions.estimate_to_date,  -- as last stated; null: none has stated it
    positions.actual_to_date,  -- actuals to date in the ledger's books
    positions.accrual_recomputed AS adjustment_recomputed,  -- estimate less actual
    positions.difference,  -- posted less recomputed
    CASE
        WHEN COALESCE(months.not_reversed_count, 0) > 0 THEN 'not reversed'
        WHEN COALESCE(months.open_count, 0) > 0 THEN 'reversal without accrual'
        WHEN positions.state = 'not accrued' THEN 'not posted'
        WHEN positions.state = 'over-accrued' THEN 'too much'
        WHEN positions.state = 'under-accrued' THEN 'too little'
        ELSE 'agreed'
    END AS state,  -- agreed | not reversed | reversal without accrual | not posted | too much | too little
    COALESCE(named.reason, positions.reason) AS reason,  -- what is found, in words, with the figures; empty: nothing to say
    COALESCE(named.next_step, positions.next_step) AS next_step,  -- what to do about it; empty: nothing
    COALESCE(months.as_of_vms, positions.as_of_vms) AS as_of_vms  -- when the VMS was read, UTC
FROM
    keys
LEFT JOIN close.accrual_months AS months
    ON
        keys.company_code = months.company_code
        AND keys.voyage_no = months.voyage_no
        AND keys.account = months.account
        AND keys.period_month = months.period_month
        AND months.family = 'bunker adjustment'
LEFT JOIN close.accrual_positions AS positions
    ON
        keys.company_code = positions.company_code
        AND keys.voyage_no = positions.voyage_no
        AND keys.account = positions.account
        AND keys.period_month = positions.period_month
        AND positions.family = 'bunker adjustment'
LEFT JOIN named
    ON
        keys.company_code = named.company_code
        AND keys.voyage_no = named.voyage_no
        AND keys.account = named.account
        AND keys.period_month = named.period_month
