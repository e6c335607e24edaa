-- One month of an accrued voyage and account beside the ledger's books: estimate, actual and accrual to date, and how much
-- of earlier accruals the books have confirmed since. A month without an accrual has a row once it is over, when there
-- was one before: with the books' rows of that month, or because the accrual before is gone.
-- Answers: Is what is accrued what estimate and books ask for?
-- Read by: close.accruals_vs_actuals and close.bunker_adjustments.
-- grain: family, company_code, voyage_no, account, period_month
-- parts: voyage_no; stg_vms.voyages by reference_no
WITH first_months AS (
    SELECT
        estimates.family,
        estimates.company_code,
        estimates.voyage_no,
        estimates.account,
        MIN(estimates.period_month) AS first_month
    FROM
        close.accrual_estimates AS estimates
    GROUP BY
        estimates.family,
        estimates.company_code,
        estimates.voyage_no,
        estimates.account
),

candidates AS (
    SELECT
        estimates.family,
        estimates.company_code,
        estimates.voyage_no,
        estimates.account,
        CAST(estimates.period_month + INTERVAL 1 MONTH AS DATE) AS period_month
    FROM
        close.accrual_estimates AS estimates
    UNION
    SELECT
        first_months.family,
        first_months.company_code,
        first_months.voyage_no,
        first_months.account,
        actuals.period_month
    FROM
        first_months
    INNER JOIN close.voyage_actuals AS actuals
        ON
            first_months.company_code = actuals.company_code
            AND first_months.voyage_no = actuals.voyage_no
            AND first_months.account = actuals.account
            AND first_months.first_month < actuals.period_month
),

months AS (
    SELECT
        estimates.family,
        estimates.company_code,
        estimates.voyage_no,
        estimates.account,
        estimates.period_month
    FROM
        close.accrual_estimates AS estimates
    UNION
    SELECT
        candidates.family,
        candidates.company_code,
        candidates.voyage_no,
        candidates.account,
        candidates.period_month
    FROM
        candidates
    CROSS JOIN seed.settings AS settings
    WHERE
        LAST_DAY(candidates.period_month) < settings.today
),

stated AS (
    SELECT
        months.family,
        months.company_code,
        months.voyage_no,
        months.account,
        months.period_month,
        estimates.period_month = months.period_month AS has_document,
        estimates.currency_code,
        estimates.company_currency_code,
        estimates.document_units,
        estimates.company_units,
        estimates.estimate_to_date,
        estimates.actual_stated,
        CASE WHEN estimates.period_month = months.period_month THEN estimates.accrual_posted ELSE 0 END AS accrual_posted,
        CASE WHEN estimates.period_month = months.period_month THEN estimates.posted_count ELSE 0 END AS posted_count,
        estimates.posted_numbers,
        estimates.waiting_numbers,
        estimates.as_of_vms
    FROM
        months
    INNER JOIN close.accrual_estimates AS estimates
        ON
            months.family = estimates.family
            AND months.company_code = estimates.company_code
            AND months.voyage_no = estimates.voyage_no
            AND months.account = estimates.account
            AND months.period_month >= estimates.period_month
    QUALIFY
        ROW_NUMBER() OVER (
            PARTITION BY
                months.family, months.company_code, months.voyage_no, months.account, months.period_month
            ORDER BY estimates.period_month DESC
        ) = 1
),

-- A number for five columns: most of what follows adds up by them.
numbered AS MATERIALIZED (
    SELECT
        stated.*,
        ROW_NUMBER() OVER (
            ORDER BY stated.family, stated.company_code, stated.voyage_no, stated.account, stated.period_month
        ) AS position_no
    FROM
        stated
),

booked AS (
    SELECT
        stated.position_no,
        SUM(actuals.company_amount) AS company_amount,
        SUM(CASE WHEN actuals.currency_code = stated.currency_code THEN actuals.company_amount ELSE 0 END)
            AS company_amount_same,
        SUM(CASE WHEN actuals.currency_code = stated.currency_code THEN actuals.document_amount ELSE 0 END)
            AS document_amount_same
    FROM
        numbered AS stated
    INNER JOIN close.voyage_actuals AS actuals
        ON
            stated.company_code = actuals.company_code
            AND stated.voyage_no = actuals.voyage_no
            AND stated.account = actuals.account
            AND stated.period_month >= actuals.period_month
    GROUP BY
        stated.position_no
),

valued AS (
    SELECT
        stated.position_no,
        CAST(
            CAST(
                SIGN(booked.document_amount_same) * (
                    (
                        2 * CAST(ABS(booked.document_amount_same) * 10000 AS HUGEINT) * stated.company_units
                        + stated.document_units
                    ) // CAST(2 * stated.document_units AS HUGEINT)
                ) AS DECIMAL(38, 0)
            ) * 0.0001 AS DECIMAL(38, 4)
        ) AS company_amount
    FROM
        numbered AS stated
    INNER JOIN booked
        ON stated.position_no = booked.position_no
),

compared AS (
    SELECT
        stated.*,
        CASE COALESCE(units.minor_units, 2)
            WHEN 0 THEN CAST(ROUND(stated.estimate_to_date, 0) AS DECIMAL(38, 4))
            WHEN 2 THEN CAST(ROUND(stated.estimate_to_date, 2) AS DECIMAL(38, 4))
            WHEN 3 THEN CAST(ROUND(stated.estimate_to_date, 3) AS DECIMAL(38, 4))
            ELSE stated.estimate_to_date
        END AS estimated,
        CASE COALESCE(units.minor_units, 2)
            WHEN 0 THEN CAST(ROUND(stated.actual_stated, 0) AS DECIMAL(38, 4))
            WHEN 2 THEN CAST(ROUND(stated.actual_stated, 2) AS DECIMAL(38, 4))
            WHEN 3 THEN CAST(ROUND(stated.actual_stated, 3) AS DECIMAL(38, 4))
            ELSE stated.actual_stated
        END AS actual_by_vms,
        COALESCE(booked.company_amount, 0) AS actual,
        -- Actuals in the voyage's own currency, at the accrual's rate, less what they were booked at.
        COALESCE(valued.company_amount - booked.company_amount_same, 0) AS exchange_effect
    FROM
        numbered AS stated
    LEFT JOIN booked
        ON stated.position_no = booked.position_no
    LEFT JOIN valued
        ON stated.position_no = valued.position_no
    LEFT JOIN seed.currencies AS units
        ON stated.company_currency_code = units.currency_code
),

confirmed AS (
    SELECT
        later.position_no,
        SUM(ABS(earlier.accrual_posted)) AS earlier_accrued,
        SUM(
            LEAST(
                ABS(earlier.accrual_posted),
                GREATEST(SIGN(earlier.accrual_posted) * (later.actual - earlier.actual), 0)
            )
        ) AS confirmed_amount
    FROM
        compared AS later
    INNER JOIN compared AS earlier
        ON
            later.family = earlier.family
            AND later.company_code = earlier.company_code
            AND later.voyage_no = earlier.voyage_no
            AND later.account = earlier.account
            AND later.period_month > earlier.period_month
    WHERE
        earlier.accrual_posted <> 0
    GROUP BY
        later.position_no
),

closed_voyages AS (
    SELECT DISTINCT voyages.reference_no
    FROM
        stg_vms.voyages AS voyages
    WHERE
        voyages.status_code = 'CLO'
),

judged AS (
    SELECT
        compared.*,
        compared.estimated - compared.actual AS recomputed,
        compared.accrual_posted - (compared.estimated - compared.actual) AS difference,
        COALESCE(confirmed.earlier_accrued, 0) AS earlier_accrued,
        COALESCE(confirmed.confirmed_amount, 0) AS confirmed_amount,
        CASE
            WHEN compared.estimated IS NULL AND compared.posted_count > 0 THEN 'agreed'
            WHEN compared.estimated IS NULL THEN 'not accrued'
            WHEN ABS(compared.accrual_posted - (compared.estimated - compared.actual)) <= tolerances.tolerance
                THEN 'agreed'
            -- At the accrual's own rate the actuals in its currency leave nothing over.
            WHEN
                ABS(compared.accrual_posted - (compared.estimated - compared.actual) + compared.exchange_effect)
                <= tolerances.tolerance
                THEN 'agreed at its rate'
            WHEN NOT compared.has_document AND closed_voyages.reference_no IS NOT NULL THEN 'voyage closed'
            WHEN compared.posted_count = 0 THEN 'not accrued'
            WHEN
                SIGN(compared.accrual_posted - (compared.estimated - compared.actual))
                * CASE WHEN compared.estimated = 0 THEN SIGN(compared.accrual_posted) ELSE SIGN(compared.estimated) END > 0
                THEN 'over-accrued'
            ELSE 'under-accrued'
        END AS finding
    FROM
        compared
    LEFT JOIN confirmed
        ON compared.position_no = confirmed.position_no
    LEFT JOIN closed_voyages
        ON compared.voyage_no = closed_voyages.reference_no
    INNER JOIN seed.tolerances AS tolerances
        ON tolerances.measure = 'accrual_difference'
)

SELECT
    judged.family,  -- accrual | bunker adjustment
    judged.company_code,  -- VMS company
    judged.voyage_no,  -- reference number of the voyage; empty: none
    judged.account,
    judged.period_month,  -- first day of the month
    judged.posted_count,  -- posted documents of this month
    judged.currency_code,  -- voyage currency
    judged.company_currency_code,  -- currency of the company amounts
    CAST(judged.estimated AS DECIMAL(38, 4)) AS estimate_to_date,  -- as last stated; null: no document has stated it
    CAST(judged.actual_by_vms AS DECIMAL(38, 4)) AS actual_stated,  -- to date, as the VMS knew it when it accrued
    CAST(judged.actual AS DECIMAL(38, 4)) AS actual_to_date,  -- actuals to date in the ledger's books
    CAST(judged.exchange_effect AS DECIMAL(38, 4))
        AS exchange_effect,  -- actuals in voyage currency at the accrual's rate, less as they were booked
    CAST(judged.accrual_posted AS DECIMAL(38, 4)) AS accrual_posted,  -- sum of the posted accruals of the month, in company currency
    CAST(judged.recomputed AS DECIMAL(38, 4)) AS accrual_recomputed,  -- estimate less actual
    CAST(judged.difference AS DECIMAL(38, 4)) AS difference,  -- accrual posted less accrual recomputed
    CAST(judged.earlier_accrued AS DECIMAL(38, 4)) AS earlier_accrued,  -- accruals of earlier months, added without sign
    CAST(judged.confirmed_amount AS DECIMAL(38, 4)) AS confirmed_amount,  -- part of earlier_accrued that was booked as actuals since
    CASE
        WHEN judged.earlier_accrued > 0
            THEN
                CAST(
                    CAST(
                        (CAST(judged.confirmed_amount * 10000 AS HUGEINT) * 1000000000)
                        // CAST(judged.earlier_accrued * 10000 AS HUGEINT) AS DECIMAL(38, 0)
                    ) * 0.000000001 AS DECIMAL(18, 9)
                )
    END AS hit_rate,  -- confirmed of earlier; null: nothing was accrued before
    CASE WHEN judged.finding IN ('agreed at its rate', 'voyage closed') THEN 'agreed' ELSE judged.finding END
        AS state,  -- agreed | over-accrued | under-accrued | not accrued
    CASE
        WHEN judged.estimated IS NULL AND judged.posted_count > 0
            THEN judged.posted_numbers || ' states no estimate to compare with.'
        WHEN judged.finding = 'agreed at its rate'
            THEN
                'The difference of ' || AMOUNT_TEXT(judged.difference, judged.company_currency_code)
                || ' is the rate: what was booked in ' || judged.currency_code || ' was booked at the rates of its own days.'
        WHEN judged.finding = 'voyage closed'
            THEN
                'The voyage is closed: nothing is accrued any more, and the books are '
                || AMOUNT_TEXT(-judged.recomputed, judged.company_currency_code)
                || ' off the estimate last stated.'
        WHEN judged.finding = 'not accrued' AND judged.has_document
            THEN judged.waiting_numbers || ' is not posted.'
        WHEN judged.finding = 'not accrued'
            THEN
                'There is no accrual of this month; the estimate last stated less the books is '
                || AMOUNT_TEXT(judged.recomputed, judged.company_currency_code) || '.'
        WHEN judged.finding IN ('over-accrued', 'under-accrued')
            THEN
                judged.posted_numbers || ': '
                || AMOUNT_TEXT(judged.accrual_posted, judged.company_currency_code) || ' are accrued; the estimate of '
                || NUMBER_TEXT(judged.estimated, judged.company_currency_code) || ' less the books'' '
                || NUMBER_TEXT(judged.actual, judged.company_currency_code) || ' is '
                || NUMBER_TEXT(judged.recomputed, judged.company_currency_code) || '. The VMS had counted '
                || NUMBER_TEXT(judged.actual_by_vms, judged.company_currency_code) || ' of actuals when it accrued.'
    END AS reason,  -- what is found, in words, with the figures; empty: nothing to say
    CASE
        WHEN judged.finding = 'not accrued' AND judged.has_document
            THEN 'get ' || judged.waiting_numbers || ' posted: springline explain says what stands in its way.'
        WHEN judged.finding = 'not accrued' THEN 'generate the accrual of the month in the VMS, where the estimate still stands.'
        WHEN judged.finding IN ('over-accrued', 'under-accrued')
            THEN 'post what is missing, or too much, as a further accrual in the VMS, or accept the difference.'
    END AS next_step,  -- what to do about it; empty: nothing
    judged.as_of_vms
FROM
    judged
