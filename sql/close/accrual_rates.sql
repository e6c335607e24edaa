-- One rate of a company's accruals of a month from one currency, as two amounts: that of the largest accrual, which shows it best.
-- Answers: At which rate were the accruals of a month made?
-- Read by: close.accrual_estimates.
-- grain: company_code, currency_code, period_month
SELECT
    entries.company_code,  -- VMS company
    entries.currency_code,
    entries.period_month,  -- first day of the month
    CAST(ABS(entries.document_amount) * 10000 AS HUGEINT) AS document_units,  -- so many of currency_code are worth company_units
    CAST(ABS(entries.company_amount) * 10000 AS HUGEINT) AS company_units  -- in company currency
FROM
    close.accrual_entries AS entries
WHERE
    entries.reverses_type IS NULL
    AND entries.document_amount <> 0
QUALIFY
    ROW_NUMBER() OVER (
        PARTITION BY entries.company_code, entries.currency_code, entries.period_month
        ORDER BY
            ABS(entries.document_amount) DESC,
            entries.document_key ASC,
            entries.voyage_no ASC,
            entries.account ASC
    ) = 1
