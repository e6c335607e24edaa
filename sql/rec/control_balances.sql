-- One control account in one currency at the end of a month, from the first in which anything moved to today's, with
-- what both sides come to until then.
-- Answers: Where did both sides stand at the end of a month?
-- Read by: rec.control_accounts.
-- grain: owner_code, control_account, currency_code, period_month
WITH moved AS (
    SELECT
        COALESCE(movements.owner_code, books.owner_code) AS owner_code,
        COALESCE(movements.control_account, books.control_account) AS control_account,
        COALESCE(movements.currency_code, books.currency_code) AS currency_code,
        COALESCE(movements.period_month, books.period_month) AS period_month,
        movements.open_vms,
        movements.open_company_vms,
        movements.balance,
        movements.balance_company,
        movements.ledger_only,
        movements.ledger_only_company,
        movements.in_transit,
        movements.in_transit_company,
        movements.told_elsewhere,
        movements.told_elsewhere_company,
        movements.revaluation_company,
        books.amount AS gl_company
    FROM
        rec.control_movements AS movements
    FULL OUTER JOIN rec.control_gl AS books
        ON
            movements.owner_code = books.owner_code
            AND movements.control_account = books.control_account
            AND movements.currency_code = books.currency_code
            AND movements.period_month = books.period_month
),

first_months AS (
    SELECT
        owner_code,
        control_account,
        currency_code,
        MIN(period_month) AS first_month
    FROM
        moved
    GROUP BY
        owner_code,
        control_account,
        currency_code
),

calendar AS (
    SELECT
        first_months.*,
        months.month_start AS period_month
    FROM
        first_months
    CROSS JOIN rec.readings AS readings
    INNER JOIN seed.months AS months
        ON
            first_months.first_month <= months.month_start
            AND readings.today >= months.month_start
)

SELECT
    calendar.owner_code,  -- ledger entity
    calendar.control_account,  -- GL account that carries suppliers or customers
    calendar.currency_code,  -- currency of the amounts
    calendar.period_month,  -- first day of the month
    CAST(SUM(COALESCE(moved.open_vms, 0)) AS DECIMAL(38, 4)) AS open_vms,  -- documents less payments of the VMS, in currency_code
    CAST(SUM(COALESCE(moved.open_company_vms, 0)) AS DECIMAL(38, 4)) AS open_company_vms,  -- open_vms in company currency
    CAST(SUM(COALESCE(moved.balance, 0)) AS DECIMAL(38, 4)) AS balance,  -- sum of the subledger's rows, in currency_code
    CAST(SUM(COALESCE(moved.balance_company, 0)) AS DECIMAL(38, 4)) AS balance_company,  -- balance in company currency
    CAST(SUM(COALESCE(moved.ledger_only, 0)) AS DECIMAL(38, 4)) AS ledger_only,  -- part of the balance that never came from the VMS
    CAST(SUM(COALESCE(moved.ledger_only_company, 0)) AS DECIMAL(38, 4)) AS ledger_only_company,  -- ledger_only in company currency
    CAST(SUM(COALESCE(moved.in_transit, 0)) AS DECIMAL(38, 4)) AS in_transit,  -- what one side has and the other will get, or is held
    CAST(SUM(COALESCE(moved.in_transit_company, 0)) AS DECIMAL(38, 4)) AS in_transit_company,  -- in_transit in company currency
    CAST(SUM(COALESCE(moved.told_elsewhere, 0)) AS DECIMAL(38, 4))
        AS told_elsewhere,  -- differences that are breaks of documents and payments
    CAST(SUM(COALESCE(moved.told_elsewhere_company, 0)) AS DECIMAL(38, 4)) AS told_elsewhere_company,  -- told_elsewhere in company currency
    CAST(SUM(COALESCE(moved.revaluation_company, 0)) AS DECIMAL(38, 4))
        AS revaluation_company,  -- exchange differences, in company currency
    CAST(SUM(COALESCE(moved.gl_company, 0)) AS DECIMAL(38, 4)) AS gl_company  -- sum of the general ledger's rows, in company currency
FROM
    calendar
INNER JOIN moved
    ON
        calendar.owner_code = moved.owner_code
        AND calendar.control_account = moved.control_account
        AND calendar.currency_code = moved.currency_code
        AND calendar.period_month >= moved.period_month
GROUP BY
    calendar.owner_code,
    calendar.control_account,
    calendar.currency_code,
    calendar.period_month
