-- One month of what is accrued, capitalised or adjusted on a company's voyage and account, each family by itself
-- (docs/mapping.md#6): opening, posted, reversed, closing. The opening is the closing of the month before; opening, posted
-- and reversed add up to the closing. Amounts are debit positive, in company currency, as the VMS has them.
-- An accrual without its reversal, and the other way round, is named from its month on.
-- Of a sealed period the closing it was sealed with stands beside the one of now.
-- Answers: Does the accrued amount roll forward from month to month?
-- Read by: accountants (workbook, period-end pack).
-- grain: family, company_code, voyage_no, account, period_month
-- parts: voyage_no
WITH named AS (
    SELECT
        months.family,
        months.company_code,
        months.voyage_no,
        months.account,
        months.period_month,
        STRING_AGG(accruals.reason, ' ' ORDER BY accruals.document_no, accruals.document_key) AS reason,
        MIN(accruals.next_step) AS next_step
    FROM
        close.accrual_months AS months
    INNER JOIN close.unreversed_accruals AS accruals
        ON
            months.family = accruals.family
            AND months.company_code = accruals.company_code
            AND months.voyage_no = accruals.voyage_no
            AND months.account = accruals.account
            AND months.period_month >= accruals.period_month
    GROUP BY
        months.family,
        months.company_code,
        months.voyage_no,
        months.account,
        months.period_month
),

sealed AS (
    SELECT
        entries.period_month,
        entries.subject,
        entries.voyage_no,
        entries.account,
        entries.company_amount
    FROM
        ctl.sealed_entries AS entries
    WHERE
        entries.side = 'accrual'
)

SELECT
    months.family,  -- accrual | capitalisation | bunker adjustment
    months.company_code,  -- VMS company
    months.voyage_no,  -- reference number of the voyage; empty: none
    months.account,
    months.period_month,  -- first day of the month
    months.company_currency_code,  -- currency of the company amounts
    months.opening,  -- what was accrued at the end of the month before
    months.posted,  -- accrued by ACP, CAP or BAP of the month
    months.reversed,  -- taken back by ACR, CAR or BAR of the month; of costs, negative
    months.closing,  -- what is accrued at the end of the month
    sealed.company_amount AS sealed_closing,  -- at the newest seal; null: never sealed, or it had nothing here
    months.unreversed_amount,  -- what is left of accruals and reversals up to this month that do not meet
    CASE
        WHEN months.open_count = 0 THEN 'agreed'
        WHEN months.not_reversed_count > 0 THEN 'not reversed'
        ELSE 'reversal without accrual'
    END AS state,  -- agreed | not reversed | reversal without accrual
    named.reason,  -- the documents that explain the state
    named.next_step,  -- what to do about it; empty: nothing
    months.as_of_vms  -- when the VMS was read, UTC
FROM
    close.accrual_months AS months
LEFT JOIN named
    ON
        months.family = named.family
        AND months.company_code = named.company_code
        AND months.voyage_no = named.voyage_no
        AND months.account = named.account
        AND months.period_month = named.period_month
LEFT JOIN sealed
    ON
        CASE months.family
            WHEN 'accrual' THEN months.company_code
            ELSE months.family || ' ' || months.company_code
        END = sealed.subject
        AND months.voyage_no = sealed.voyage_no
        AND months.account = sealed.account
        AND months.period_month = sealed.period_month
