-- One vessel of a company in one month: revenue, cost and result as the ledger's books have them, accruals among them.
-- A row of the books counts for the vessel whose voyage it is booked on; without such a vessel it counts for none.
-- Answers: What has each vessel earned by month?
-- Read by: analysts (published).
-- grain: owner_code, vessel_code, period_month
WITH booked AS (
    SELECT
        ledger.owner_code,
        projects.vessel_code,
        CAST(
            CAST(ledger.period_year AS VARCHAR) || '-' || LPAD(CAST(ledger.period_month AS VARCHAR), 2, '0') || '-01' AS DATE
        ) AS period_month,
        ledger.project_code AS voyage_no,
        CASE WHEN COALESCE(accounts.is_revenue, FALSE) THEN -ledger.company_amount ELSE 0 END AS revenue,
        CASE WHEN COALESCE(accounts.is_revenue, FALSE) THEN 0 ELSE ledger.company_amount END AS cost
    FROM
        map.actual_rows AS ledger
    LEFT JOIN map.revenue_accounts AS accounts
        ON ledger.account_code = accounts.gl_account
    LEFT JOIN map.wanted_projects AS projects
        ON ledger.project_code = projects.code
)

SELECT
    booked.owner_code,  -- ledger entity
    MIN(companies.company_code) AS company_code,  -- VMS company
    MIN(companies.company_name) AS company_name,  -- name of the entity in the ledger
    booked.vessel_code,  -- code of the vessel when the voyage began; empty: the voyage has none, or is none of the VMS
    MIN(vessels.description) AS vessel_name,  -- name of that vessel
    booked.period_month,  -- first day of the month of the books
    MIN(companies.company_currency_code) AS company_currency_code,  -- currency of every amount here
    CAST(COUNT(DISTINCT booked.voyage_no) AS INTEGER) AS voyage_count,  -- voyages with something booked in the month
    CAST(SUM(booked.revenue) AS DECIMAL(38, 4)) AS revenue,  -- on revenue accounts of the VMS, credit positive
    CAST(SUM(booked.cost) AS DECIMAL(38, 4)) AS cost,  -- on all other profit-and-loss accounts, debit positive
    CAST(SUM(booked.revenue) - SUM(booked.cost) AS DECIMAL(38, 4)) AS result  -- revenue less cost
FROM
    booked
LEFT JOIN rec.company_names AS companies
    ON booked.owner_code = companies.owner_code
LEFT JOIN map.wanted_vessels AS vessels
    ON booked.vessel_code = vessels.code
GROUP BY
    booked.owner_code,
    booked.vessel_code,
    booked.period_month
