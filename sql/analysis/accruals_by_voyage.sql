-- One account of a voyage that was accrued: what was accrued and reversed in all, what is accrued now, and what the books
-- have as actual beside the last estimate. Capitalisations and bunker adjustments are not among it; amounts are debit positive.
-- Answers: What is still accrued on each voyage?
-- Read by: analysts (published).
-- grain: company_code, voyage_no, account
WITH totals AS (
    SELECT
        months.company_code,
        months.voyage_no,
        months.account,
        SUM(months.posted) AS accrued,
        SUM(months.reversed) AS reversed,
        SUM(months.posted + months.reversed) AS accrued_now
    FROM
        close.accrual_rollforward AS months
    WHERE
        months.family = 'accrual'
    GROUP BY
        months.company_code,
        months.voyage_no,
        months.account
),

last_months AS (
    SELECT
        positions.company_code,
        positions.voyage_no,
        positions.account,
        positions.period_month,
        positions.company_currency_code,
        positions.estimate_to_date,
        positions.actual_to_date,
        positions.accrual_posted,
        positions.accrual_recomputed,
        positions.difference,
        positions.earlier_accrued,
        positions.confirmed_amount,
        positions.hit_rate,
        positions.state
    FROM
        close.accruals_vs_actuals AS positions
    QUALIFY
        ROW_NUMBER() OVER (
            PARTITION BY positions.company_code, positions.voyage_no, positions.account ORDER BY positions.period_month DESC
        ) = 1
),

owners AS (
    SELECT
        companies.company_code,
        MIN(companies.owner_code) AS owner_code
    FROM
        map.companies AS companies
    GROUP BY
        companies.company_code
)

SELECT
    last_months.company_code,  -- VMS company
    companies.company_name,  -- name of the entity in the ledger
    last_months.voyage_no,  -- reference number of the voyage; empty: none
    projects.description AS voyage_name,  -- vessel and number, as the project is called; empty: no voyage of the VMS
    projects.vessel_code,  -- code of the vessel when the voyage began
    vessels.description AS vessel_name,  -- name of that vessel
    last_months.account,  -- GL account
    accounts.account_name,  -- its name in the ledger; empty: the ledger has no such account
    last_months.company_currency_code,  -- currency of every amount here
    last_months.period_month AS last_accrual_month,  -- first day of the last month with an accrual or an actual against one
    CAST(COALESCE(totals.accrued, 0) AS DECIMAL(38, 4)) AS accrued,  -- by all posted accruals
    CAST(COALESCE(totals.reversed, 0) AS DECIMAL(38, 4)) AS reversed,  -- by all posted reversals, with their sign
    CAST(COALESCE(totals.accrued_now, 0) AS DECIMAL(38, 4)) AS accrued_now,  -- accrued plus reversed: what stands in the books
    last_months.estimate_to_date,  -- as last stated by an accrual; empty: none has stated it
    last_months.actual_to_date,  -- actuals to date in the ledger's books, at the end of last_accrual_month
    last_months.accrual_posted AS last_accrual,  -- accrual of last_accrual_month as posted
    last_months.accrual_recomputed AS last_accrual_recomputed,  -- what it should have been: estimate less actual
    last_months.difference AS last_difference,  -- posted less recomputed
    last_months.earlier_accrued,  -- accruals of earlier months, without sign
    last_months.confirmed_amount,  -- part of earlier_accrued that was booked as actuals since
    last_months.hit_rate,  -- confirmed of earlier, 1 is all; empty: nothing was accrued before
    last_months.state  -- agreed | over-accrued | under-accrued | not accrued
FROM
    last_months
LEFT JOIN totals
    ON
        last_months.company_code = totals.company_code
        AND last_months.voyage_no = totals.voyage_no
        AND last_months.account = totals.account
LEFT JOIN owners
    ON last_months.company_code = owners.company_code
LEFT JOIN rec.company_names AS companies
    ON owners.owner_code = companies.owner_code
LEFT JOIN map.wanted_projects AS projects
    ON last_months.voyage_no = projects.code
LEFT JOIN map.wanted_vessels AS vessels
    ON projects.vessel_code = vessels.code
LEFT JOIN rec.account_names AS accounts
    ON
        owners.owner_code = accounts.owner_code
        AND last_months.account = accounts.account
