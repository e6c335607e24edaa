-- One month of what is accrued on a company's voyage and account: what was there, what was posted and taken back in it,
-- and what is left. A month without documents has a row while something is left, up to the month of the batch.
-- Answers: How did the accrued amount move from month to month?
-- Read by: the roll-forward and the sealed entries.
-- grain: family, company_code, voyage_no, account, period_month
-- parts: voyage_no
WITH moved AS (
    SELECT
        entries.family,
        entries.company_code,
        entries.voyage_no,
        entries.account,
        entries.period_month,
        MIN(entries.company_currency_code) AS company_currency_code,
        SUM(CASE WHEN entries.reverses_type IS NULL THEN entries.company_amount ELSE 0 END) AS posted,
        SUM(CASE WHEN entries.reverses_type IS NOT NULL THEN entries.company_amount ELSE 0 END) AS reversed,
        MIN(entries.as_of_vms) AS as_of_vms
    FROM
        close.accrual_entries AS entries
    WHERE
        entries.is_posted
    GROUP BY
        entries.family,
        entries.company_code,
        entries.voyage_no,
        entries.account,
        entries.period_month
),

unreversed AS (
    SELECT
        accruals.family,
        accruals.company_code,
        accruals.voyage_no,
        accruals.account,
        accruals.period_month,
        SUM(accruals.unreversed_amount) AS unreversed_amount,
        SUM(CASE WHEN accruals.state = 'not reversed' THEN 1 ELSE 0 END) AS not_reversed_count,
        COUNT(*) AS open_count
    FROM
        close.unreversed_accruals AS accruals
    GROUP BY
        accruals.family,
        accruals.company_code,
        accruals.voyage_no,
        accruals.account,
        accruals.period_month
),

running AS (
    SELECT
        moved.*,
        SUM(moved.posted + moved.reversed) OVER earlier AS closing,
        SUM(COALESCE(unreversed.unreversed_amount, 0)) OVER earlier AS unreversed_amount,
        SUM(COALESCE(unreversed.not_reversed_count, 0)) OVER earlier AS not_reversed_count,
        SUM(COALESCE(unreversed.open_count, 0)) OVER earlier AS open_count,
        LEAD(moved.period_month) OVER (
            PARTITION BY moved.family, moved.company_code, moved.voyage_no, moved.account
            ORDER BY moved.period_month
        ) AS next_month
    FROM
        moved
    LEFT JOIN unreversed
        ON
            moved.family = unreversed.family
            AND moved.company_code = unreversed.company_code
            AND moved.voyage_no = unreversed.voyage_no
            AND moved.account = unreversed.account
            AND moved.period_month = unreversed.period_month
    WINDOW earlier AS (
        PARTITION BY moved.family, moved.company_code, moved.voyage_no, moved.account
        ORDER BY moved.period_month
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
),

-- Months in which nothing happened still carry a balance: without these rows an old accrual would drop out of the close.
carried AS (
    SELECT
        running.*,
        months.month_start
    FROM
        running
    CROSS JOIN seed.settings AS settings
    INNER JOIN seed.months AS months
        ON
            running.period_month < months.month_start
            AND (running.next_month IS NULL OR months.month_start < running.next_month)
            AND months.month_start <= settings.today
    WHERE
        running.closing <> 0
        OR running.open_count > 0
)

SELECT
    running.family,  -- accrual | capitalisation | bunker adjustment
    running.company_code,  -- VMS company
    running.voyage_no,  -- reference number of the voyage; empty: none
    running.account,
    running.period_month,  -- first day of the month
    running.company_currency_code,  -- currency of the company amounts
    CAST(running.closing - running.posted - running.reversed AS DECIMAL(38, 4))
        AS opening,  -- what was accrued at the end of the month before
    CAST(running.posted AS DECIMAL(38, 4)) AS posted,  -- accrued in this month, in company currency, debit positive
    CAST(running.reversed AS DECIMAL(38, 4)) AS reversed,  -- taken back in this month, in company currency
    CAST(running.closing AS DECIMAL(38, 4)) AS closing,  -- what is accrued at the end of the month
    CAST(running.unreversed_amount AS DECIMAL(38, 4))
        AS unreversed_amount,  -- what is left of accruals up to this month that are not taken back in full
    CAST(running.not_reversed_count AS INTEGER) AS not_reversed_count,  -- accruals up to this month that are not taken back
    CAST(running.open_count AS INTEGER) AS open_count,  -- accruals up to this month that are not taken back, and reversals without accrual
    running.as_of_vms  -- when the VMS was read, UTC
FROM
    running
UNION ALL
SELECT
    carried.family,
    carried.company_code,
    carried.voyage_no,
    carried.account,
    carried.month_start,
    carried.company_currency_code,
    CAST(carried.closing AS DECIMAL(38, 4)),
    CAST(0 AS DECIMAL(38, 4)),
    CAST(0 AS DECIMAL(38, 4)),
    CAST(carried.closing AS DECIMAL(38, 4)),
    CAST(carried.unreversed_amount AS DECIMAL(38, 4)),
    CAST(carried.not_reversed_count AS INTEGER),
    CAST(carried.open_count AS INTEGER),
    carried.as_of_vms
FROM
    carried
