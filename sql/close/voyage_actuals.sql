-- One month and currency of what the ledger's books say was spent or earned on a voyage and account that was accrued:
-- invoices, the ledger's own vouchers and bunker transactions, never accruals and what was typed against them.
-- Answers: What was really spent or earned on what was accrued?
-- Read by: close.accrual_positions and the period-end pack.
-- grain: company_code, voyage_no, account, currency_code, period_month
-- parts: voyage_no; map.actual_rows by project_code
WITH accrued AS (
    SELECT DISTINCT
        entries.owner_code,
        entries.voyage_no,
        entries.account
    FROM
        close.accrual_entries AS entries
),

ledger AS (
    SELECT
        actuals.*,
        actuals.project_code AS voyage_no,
        actuals.account_code AS account
    FROM
        map.actual_rows AS actuals
    INNER JOIN accrued
        ON
            actuals.owner_code = accrued.owner_code
            AND actuals.project_code = accrued.voyage_no
            AND actuals.account_code = accrued.account
    WHERE
        actuals.against_document_no IS NULL
),

-- Bunker transactions are told from accruals by type.
bunker_rows AS (
    SELECT
        ledger.transaction_db_id,
        MIN(bunkers.company_code) AS company_code
    FROM
        ledger
    INNER JOIN close.bunker_vouchers AS bunkers
        ON
            ledger.owner_code = bunkers.owner_code
            AND (
                ledger.header_db_id = bunkers.header_db_id
                OR (bunkers.header_db_id IS NULL AND ledger.header_text = bunkers.header_text)
            )
    WHERE
        ledger.is_echo
    GROUP BY
        ledger.transaction_db_id
)

SELECT
    COALESCE(bunker_rows.company_code, companies.company_code) AS company_code,  -- VMS company its actuals go to
    ledger.voyage_no,  -- reference number of the voyage
    ledger.account,  -- GL account
    ledger.currency_code,  -- currency of the ledger's rows
    months.month_start AS period_month,  -- first day of the month
    MIN(ledger.company_currency_code) AS company_currency_code,  -- currency of the company amounts
    CAST(SUM(ledger.company_amount) AS DECIMAL(38, 4)) AS company_amount,  -- sum in company currency, debit positive
    CAST(SUM(ledger.document_amount) AS DECIMAL(38, 4)) AS document_amount,  -- sum in currency_code, debit positive
    CAST(COUNT(*) AS INTEGER) AS row_count  -- rows of the ledger added up
FROM
    ledger
INNER JOIN seed.months AS months
    ON
        ledger.period_year = months.calendar_year
        AND ledger.period_month = months.calendar_month
INNER JOIN map.actual_companies AS companies
    ON ledger.owner_code = companies.owner_code
LEFT JOIN bunker_rows
    ON ledger.transaction_db_id = bunker_rows.transaction_db_id
WHERE
    NOT ledger.is_echo
    OR bunker_rows.transaction_db_id IS NOT NULL
GROUP BY
    COALESCE(bunker_rows.company_code, companies.company_code),
    ledger.voyage_no,
    ledger.account,
    ledger.currency_code,
    months.month_start
