-- One open ACR, CAR or BAR whose lines refer to nothing, with the accrual that it takes back (docs/mapping.md#1-6-7).
-- Taken for it is only the one accrual of the month before, in the same company and currency, that has just its lines
-- (voyage and account) with negated amounts in both currencies; where several have, none is found.
-- Answers: Which accrual does a reversal without a reference take back?
-- Read by: map.reversal_links.
-- grain: document_key
WITH reversals AS (
    SELECT
        documents.document_key,
        documents.company_code,
        documents.currency_code,
        accrual_types.reverses_type,
        -- Half a minor unit: the reversal's amounts are rounded, the accrual's come as the VMS writes them.
        CASE documents.currency_minor_units WHEN 0 THEN 0.5 WHEN 2 THEN 0.005 WHEN 3 THEN 0.0005 ELSE 0.00005 END
            AS currency_tolerance,
        CASE documents.company_minor_units WHEN 0 THEN 0.5 WHEN 2 THEN 0.005 WHEN 3 THEN 0.0005 ELSE 0.00005 END
            AS company_tolerance,
        CAST(CAST(DATE_TRUNC('month', documents.document_date) AS DATE) - INTERVAL 1 MONTH AS DATE) AS month_start
    FROM
        map.open_documents AS documents
    INNER JOIN seed.accrual_types AS accrual_types
        ON documents.document_type = accrual_types.document_type
    WHERE
        accrual_types.reverses_type IS NOT NULL
        AND NOT EXISTS (
            SELECT 1
            FROM
                map.document_lines AS lines
            WHERE
                lines.document_key = documents.document_key
                AND (lines.ref_document_key IS NOT NULL OR NULLIF(TRIM(lines.ref_document_no), '') IS NOT NULL)
        )
),

reversal_entries AS (
    SELECT
        lines.document_key,
        COALESCE(lines.voyage_reference_no, '') AS voyage_no,
        COALESCE(lines.gl_account, '') AS account,
        MAX(reversals.currency_tolerance) AS currency_tolerance,
        MAX(reversals.company_tolerance) AS company_tolerance,
        SUM(COALESCE(lines.net_currency, 0)) AS net_currency,
        SUM(COALESCE(lines.net_company, 0)) AS net_company
    FROM
        reversals
    INNER JOIN map.document_lines AS lines
        ON reversals.document_key = lines.document_key
    GROUP BY
        lines.document_key,
        COALESCE(lines.voyage_reference_no, ''),
        COALESCE(lines.gl_account, '')
),

candidates AS (
    SELECT
        reversals.document_key,
        accruals.document_key AS accrual_key,
        accruals.document_no AS accrual_no,
        accruals.fetch_id
    FROM
        reversals
    INNER JOIN stg_vms.documents AS accruals
        ON
            reversals.reverses_type = accruals.document_type
            AND reversals.company_code = accruals.company_code
            AND reversals.currency_code = UPPER(TRIM(accruals.currency_code))
            AND reversals.month_start = CAST(DATE_TRUNC('month', accruals.document_date) AS DATE)
    WHERE
        accruals.status_code <> 'GONE'
),

accrual_entries AS (
    SELECT
        candidates.document_key,
        candidates.accrual_key,
        COALESCE(TRIM(lines.voyage_reference_no), '') AS voyage_no,
        COALESCE(TRIM(lines.gl_account), '') AS account,
        SUM(CASE WHEN ABS(lines.document_amount) < 1000000000000 THEN lines.document_amount ELSE 0 END) AS net_currency,
        SUM(
            CASE WHEN ABS(lines.company_currency_amount) < 1000000000000 THEN lines.company_currency_amount ELSE 0 END
        ) AS net_company
    FROM
        candidates
    INNER JOIN stg_vms.document_lines AS lines
        ON
            candidates.accrual_key = lines.document_key
            AND candidates.fetch_id = lines.fetch_id
    GROUP BY
        candidates.document_key,
        candidates.accrual_key,
        COALESCE(TRIM(lines.voyage_reference_no), ''),
        COALESCE(TRIM(lines.gl_account), '')
),

reversal_counts AS (
    SELECT
        reversal_entries.document_key,
        COUNT(*) AS entry_count
    FROM
        reversal_entries
    GROUP BY
        reversal_entries.document_key
),

compared AS (
    SELECT
        accrual_entries.document_key,
        accrual_entries.accrual_key,
        COUNT(*) AS entry_count,
        COUNT(reversal_entries.document_key) AS equal_count
    FROM
        accrual_entries
    LEFT JOIN reversal_entries
        ON
            accrual_entries.document_key = reversal_entries.document_key
            AND accrual_entries.voyage_no = reversal_entries.voyage_no
            AND accrual_entries.account = reversal_entries.account
            AND ABS(accrual_entries.net_currency + reversal_entries.net_currency) < reversal_entries.currency_tolerance
            AND ABS(accrual_entries.net_company + reversal_entries.net_company) < reversal_entries.company_tolerance
    GROUP BY
        accrual_entries.document_key,
        accrual_entries.accrual_key
),

found AS (
    SELECT
        compared.document_key,
        MIN(compared.accrual_key) AS accrual_key,
        COUNT(*) AS accrual_count
    FROM
        compared
    INNER JOIN reversal_counts
        ON compared.document_key = reversal_counts.document_key
    WHERE
        compared.entry_count = compared.equal_count
        AND compared.entry_count = reversal_counts.entry_count
    GROUP BY
        compared.document_key
)

SELECT
    reversals.document_key,  -- of the reversal
    candidates.accrual_key,  -- what it takes back; null: none is found
    candidates.accrual_no,  -- its number
    CAST(COALESCE(found.accrual_count, 0) AS INTEGER) AS accrual_count  -- that it could be; more than 1: none is found
FROM
    reversals
LEFT JOIN found
    ON reversals.document_key = found.document_key
LEFT JOIN candidates
    ON
        found.accrual_count = 1
        AND found.document_key = candidates.document_key
        AND found.accrual_key = candidates.accrual_key
