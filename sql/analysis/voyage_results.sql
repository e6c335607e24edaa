-- One voyage of a company: revenue, cost and result as the ledger's books have them, what of that is only accrued, and
-- what invoices of the VMS would add that are not booked yet. Revenue and cost are both positive where they are usual.
-- Books: every profit-and-loss row on the voyage's project, all months. Not booked: invoices and credit notes in any status,
-- without VAT and without accounts of the balance sheet. Bunkers and accruals that are not booked are not among them.
-- Answers: What has each voyage earned, booked or not?
-- Read by: analysts (published).
-- grain: owner_code, voyage_no
WITH books AS (
    SELECT
        ledger.owner_code,
        ledger.project_code AS voyage_no,
        SUM(CASE WHEN COALESCE(accounts.is_revenue, FALSE) THEN -ledger.company_amount ELSE 0 END) AS revenue,
        SUM(CASE WHEN COALESCE(accounts.is_revenue, FALSE) THEN 0 ELSE ledger.company_amount END) AS cost
    FROM
        map.actual_rows AS ledger
    LEFT JOIN map.revenue_accounts AS accounts
        ON ledger.account_code = accounts.gl_account
    GROUP BY
        ledger.owner_code,
        ledger.project_code
),

-- What stands accrued at the end of the last month of each account.
last_months AS (
    SELECT
        accruals.company_code,
        accruals.voyage_no,
        accruals.closing
    FROM
        close.accrual_rollforward AS accruals
    WHERE
        accruals.family = 'accrual'
    QUALIFY
        ROW_NUMBER() OVER (
            PARTITION BY accruals.company_code, accruals.voyage_no, accruals.account ORDER BY accruals.period_month DESC
        ) = 1
),

entities AS (
    SELECT DISTINCT
        companies.company_code,
        companies.owner_code
    FROM
        map.companies AS companies
),

accrued AS (
    SELECT
        entities.owner_code,
        last_months.voyage_no,
        SUM(-last_months.closing) AS result
    FROM
        last_months
    INNER JOIN entities
        ON last_months.company_code = entities.company_code
    GROUP BY
        entities.owner_code,
        last_months.voyage_no
),

invoices AS (
    SELECT
        lines.owner_code,
        lines.voyage_no,
        SUM(CASE WHEN lines.document_type IN ('INO', 'CRO') THEN lines.company_amount ELSE 0 END) AS revenue,
        SUM(CASE WHEN lines.document_type IN ('INI', 'CRI') THEN lines.company_amount ELSE 0 END) AS cost
    FROM
        rec.document_lines AS lines
    LEFT JOIN rec.account_names AS accounts
        ON
            lines.owner_code = accounts.owner_code
            AND lines.account = accounts.account
    WHERE
        lines.document_type IN ('INI', 'CRI', 'INO', 'CRO')
        AND lines.owner_code IS NOT NULL
        AND lines.voyage_no IS NOT NULL
        AND NOT lines.is_vat_line
        AND NOT COALESCE(accounts.is_balance_sheet, FALSE)
        AND COALESCE(lines.import_state_ledger, '') <> 'booked'
        AND COALESCE(lines.state, '') <> 'ignored'
        -- Posted before the first batch: the books have it, under a voucher that is not compared.
        AND (lines.status_vms <> 'POS' OR lines.state IS NOT NULL)
    GROUP BY
        lines.owner_code,
        lines.voyage_no
),

voyages AS (
    SELECT
        books.owner_code,
        books.voyage_no
    FROM
        books
    UNION
    SELECT
        invoices.owner_code,
        invoices.voyage_no
    FROM
        invoices
)

SELECT
    voyages.owner_code,  -- ledger entity
    companies.company_code,  -- VMS company
    companies.company_name,  -- name of the entity in the ledger
    voyages.voyage_no,  -- reference number of the voyage, which is the project in the ledger
    projects.description AS voyage_name,  -- vessel and number, as the project is called; empty: no voyage of the VMS
    projects.vessel_code,  -- code of the vessel when the voyage began
    vessels.description AS vessel_name,  -- name of that vessel
    companies.company_currency_code,  -- currency of every amount here
    CAST(COALESCE(books.revenue, 0) AS DECIMAL(38, 4)) AS revenue_booked,  -- on revenue accounts of the VMS, credit positive
    CAST(COALESCE(books.cost, 0) AS DECIMAL(38, 4)) AS cost_booked,  -- on all other profit-and-loss accounts, debit positive
    CAST(COALESCE(books.revenue, 0) - COALESCE(books.cost, 0) AS DECIMAL(38, 4)) AS result_booked,  -- revenue less cost in the books
    CAST(COALESCE(accrued.result, 0) AS DECIMAL(38, 4))
        AS result_accrued,  -- part of result_booked that is accrued and not reversed; profit positive
    CAST(COALESCE(invoices.revenue, 0) AS DECIMAL(38, 4)) AS revenue_not_booked,  -- of outgoing invoices that are not booked yet
    CAST(COALESCE(invoices.cost, 0) AS DECIMAL(38, 4)) AS cost_not_booked,  -- of incoming invoices that are not booked yet
    CAST(
        COALESCE(books.revenue, 0) - COALESCE(books.cost, 0) + COALESCE(invoices.revenue, 0) - COALESCE(invoices.cost, 0)
        AS DECIMAL(38, 4)
    ) AS result_with_not_booked  -- result once these invoices are booked; an accrual for the same cost is in it until it is reversed
FROM
    voyages
LEFT JOIN books
    ON
        voyages.owner_code = books.owner_code
        AND voyages.voyage_no = books.voyage_no
LEFT JOIN accrued
    ON
        voyages.owner_code = accrued.owner_code
        AND voyages.voyage_no = accrued.voyage_no
LEFT JOIN invoices
    ON
        voyages.owner_code = invoices.owner_code
        AND voyages.voyage_no = invoices.voyage_no
LEFT JOIN rec.company_names AS companies
    ON voyages.owner_code = companies.owner_code
LEFT JOIN map.wanted_projects AS projects
    ON voyages.voyage_no = projects.code
LEFT JOIN map.wanted_vessels AS vessels
    ON projects.vessel_code = vessels.code
