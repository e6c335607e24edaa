-- One rule in one company and month: how many documents it has held (or warned of) since then, and for how long.
-- A document that was held twice by one rule counts as two holds. Master data that waits counts too, without a company.
-- Answers: What keeps documents back, and how long?
-- Read by: analysts (published).
-- grain: rule, severity, company_code, period_month
WITH holds AS (
    SELECT
        holds.rule,
        holds.severity,
        holds.company AS company_code,
        holds.document_key,
        holds.document_no,
        holds.message,
        CAST(holds.since AS TIMESTAMP) AS held_since,
        CAST(DATE_TRUNC('month', CAST(holds.since AS TIMESTAMP)) AS DATE) AS period_month,
        holds.until IS NULL AS is_open,
        CASE
            WHEN holds.until IS NOT NULL
                THEN DATE_DIFF('day', CAST(CAST(holds.since AS TIMESTAMP) AS DATE), CAST(CAST(holds.until AS TIMESTAMP) AS DATE))
        END AS days_held
    FROM
        ctl.holds AS holds
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
    holds.rule,  -- name of the rule, as docs/reference/rules.md has it; held_by_person: somebody's decision
    holds.severity,  -- critical: it holds; warning: the document goes out all the same
    holds.company_code,  -- VMS company; empty: master data
    MIN(companies.company_name) AS company_name,  -- name of the entity in the ledger
    holds.period_month,  -- first day of the month in which the hold began, UTC
    CAST(COUNT(*) AS INTEGER) AS hold_count,  -- holds that began in the month
    CAST(COUNT(DISTINCT COALESCE(CAST(holds.document_key AS VARCHAR), holds.document_no)) AS INTEGER)
        AS document_count,  -- documents, or partners, that they are of
    CAST(SUM(CASE WHEN holds.is_open THEN 1 ELSE 0 END) AS INTEGER) AS open_count,  -- of these holds, those that last
    MIN(CASE WHEN holds.is_open THEN holds.held_since END) AS oldest_open_since,  -- since when the oldest of those lasts, UTC
    CAST(MAX(holds.days_held) AS INTEGER) AS longest_days,  -- days of the longest hold that is over; empty: none is over
    CAST(
        (2 * CAST(SUM(holds.days_held) AS HUGEINT) + COUNT(holds.days_held))
        // CAST(2 * NULLIF(COUNT(holds.days_held), 0) AS HUGEINT) AS INTEGER
    ) AS mean_days,  -- days of a hold that is over, on average; empty: none is over
    MIN(holds.message) AS example  -- what one of them says
FROM
    holds
LEFT JOIN owners
    ON holds.company_code = owners.company_code
LEFT JOIN rec.company_names AS companies
    ON owners.owner_code = companies.owner_code
GROUP BY
    holds.rule,
    holds.severity,
    holds.company_code,
    holds.period_month
