-- One month of what accruals on a company's voyage and account state: the amount accrued, and the estimate and the actual
-- they were made from, in company currency at the rate of the accruals of that month.
-- Posted and unposted documents have columns of their own.
-- What is capitalised is compared with no estimate and is not here (docs/mapping.md#6).
-- An estimate to date is the year's to date and what the last accrual of each year before stated.
-- Answers: What did the accruals of a month state?
-- Read by: close.accrual_positions.
-- grain: family, company_code, voyage_no, account, period_month
-- parts: voyage_no
WITH latest AS (
    SELECT
        entries.family,
        entries.company_code,
        entries.voyage_no,
        entries.account,
        entries.period_month,
        entries.currency_code,
        entries.company_currency_code,
        CAST(entries.estimate_ytd * 10000 AS HUGEINT) AS estimate_units,
        CAST(entries.actual_ytd * 10000 AS HUGEINT) AS actual_units
    FROM
        close.accrual_entries AS entries
    WHERE
        entries.reverses_type IS NULL
        AND entries.family <> 'capitalisation'
    QUALIFY
        ROW_NUMBER() OVER (
            PARTITION BY
                entries.family, entries.company_code, entries.voyage_no, entries.account, entries.period_month
            ORDER BY CASE WHEN entries.is_posted THEN 0 ELSE 1 END, entries.document_key DESC
        ) = 1
),

valued AS (
    SELECT
        latest.*,
        CASE
            WHEN latest.currency_code = latest.company_currency_code THEN CAST(1 AS HUGEINT) ELSE rates.document_units
        END AS document_units,
        CASE WHEN latest.currency_code = latest.company_currency_code THEN CAST(1 AS HUGEINT) ELSE rates.company_units END AS company_units
    FROM
        latest
    LEFT JOIN close.accrual_rates AS rates
        ON
            latest.company_code = rates.company_code
            AND latest.currency_code = rates.currency_code
            AND latest.period_month = rates.period_month
),

stated AS (
    SELECT
        valued.*,
        SIGN(valued.estimate_units) * (
            (2 * ABS(valued.estimate_units) * valued.company_units + valued.document_units)
            // CAST(2 * valued.document_units AS HUGEINT)
        ) AS estimate_stated,
        SIGN(valued.actual_units) * (
            (2 * ABS(valued.actual_units) * valued.company_units + valued.document_units)
            // CAST(2 * valued.document_units AS HUGEINT)
        ) AS actual_stated
    FROM
        valued
),

-- A year's figures run from its first day: each month adds what has come since the one before.
added AS (
    SELECT
        stated.*,
        stated.estimate_stated - COALESCE(
            LAG(stated.estimate_stated) OVER (
                PARTITION BY
                    stated.family,
                    stated.company_code,
                    stated.voyage_no,
                    stated.account,
                    EXTRACT(YEAR FROM stated.period_month)
                ORDER BY stated.period_month
            ), 0
        ) AS estimate_added,
        stated.actual_stated - COALESCE(
            LAG(stated.actual_stated) OVER (
                PARTITION BY
                    stated.family,
                    stated.company_code,
                    stated.voyage_no,
                    stated.account,
                    EXTRACT(YEAR FROM stated.period_month)
                ORDER BY stated.period_month
            ), 0
        ) AS actual_added
    FROM
        stated
    WHERE
        stated.estimate_stated IS NOT NULL
        AND stated.actual_stated IS NOT NULL
),

to_date AS (
    SELECT
        added.*,
        SUM(added.estimate_added) OVER (
            PARTITION BY added.family, added.company_code, added.voyage_no, added.account
            ORDER BY added.period_month
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS estimate_to_date,
        SUM(added.actual_added) OVER (
            PARTITION BY added.family, added.company_code, added.voyage_no, added.account
            ORDER BY added.period_month
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS actual_to_date
    FROM
        added
),

documents AS (
    SELECT
        entries.family,
        entries.company_code,
        entries.voyage_no,
        entries.account,
        entries.period_month,
        SUM(CASE WHEN entries.is_posted THEN entries.company_amount ELSE 0 END) AS accrual_posted,
        SUM(CASE WHEN entries.is_posted THEN 1 ELSE 0 END) AS posted_count,
        STRING_AGG(CASE WHEN entries.is_posted THEN entries.document_no END, ', ' ORDER BY entries.document_no)
            AS posted_numbers,
        STRING_AGG(
            CASE WHEN NOT entries.is_posted THEN entries.document_no || ' (' || entries.status_code || ')' END,
            ', ' ORDER BY entries.document_no
        ) AS waiting_numbers,
        MIN(entries.as_of_vms) AS as_of_vms
    FROM
        close.accrual_entries AS entries
    WHERE
        entries.reverses_type IS NULL
    GROUP BY
        entries.family,
        entries.company_code,
        entries.voyage_no,
        entries.account,
        entries.period_month
)

SELECT
    documents.family,
    documents.company_code,
    documents.voyage_no,  -- reference number of the voyage; empty: none
    documents.account,
    documents.period_month,
    stated.currency_code,  -- of the month's last document: voyage currency
    stated.company_currency_code,  -- currency of the company amounts
    stated.document_units,  -- the month's rate: so many of currency_code are worth company_units
    stated.company_units,  -- so many of company_currency_code; null: not known
    CAST(to_date.estimate_to_date * 0.0001 AS DECIMAL(38, 4))
        AS estimate_to_date,  -- estimate as last stated, in company currency; null: not stated
    CAST(to_date.actual_to_date * 0.0001 AS DECIMAL(38, 4)) AS actual_stated,  -- actuals as the VMS knew them then, in company currency
    CAST(documents.accrual_posted AS DECIMAL(38, 4)) AS accrual_posted,  -- sum of the posted documents, in company currency
    CAST(documents.posted_count AS INTEGER) AS posted_count,  -- posted documents of this month
    documents.posted_numbers,  -- numbers of the posted documents
    documents.waiting_numbers,  -- numbers of the documents that are not posted, with their states in the VMS
    documents.as_of_vms
FROM
    documents
INNER JOIN stated
    ON
        documents.family = stated.family
        AND documents.company_code = stated.company_code
        AND documents.voyage_no = stated.voyage_no
        AND documents.account = stated.account
        AND documents.period_month = stated.period_month
LEFT JOIN to_date
    ON
        documents.family = to_date.family
        AND documents.company_code = to_date.company_code
        AND documents.voyage_no = to_date.voyage_no
        AND documents.account = to_date.account
        AND documents.period_month = to_date.period_month
