-- One accrual that stops a clean close of a period: not taken back though its month is over, taken back without having been
-- there, or not what the estimate less the books' actuals comes to.
-- An accrual that is not taken back stops its own month and every one after it, up to the batch's day.
-- Answers: Which accruals stop the close of a period?
-- Read by: close.breaks alone.
-- grain: period_month, kind, subject
SELECT
    months.month_start AS period_month,  -- first day of the month that it stops from closing
    kinds.kind,  -- kind of break, a name of data/seeds/break_kinds.csv
    SUBSTRING(CAST(months.month_start AS VARCHAR), 1, 7) || ' ' || CAST(accruals.document_key AS VARCHAR) || ' '
    || accruals.voyage_no || ' ' || accruals.account AS subject,  -- month, then document or company, voyage and account; unique by kind
    accruals.company_code,  -- VMS company that made the accrual
    accruals.document_key,
    accruals.document_no,  -- number of the accrual document; empty where several may have a part
    accruals.voyage_no,  -- voyage the cost or income was accrued for
    accruals.account,  -- account the accrual was booked on
    CAST(NULL AS VARCHAR) AS partner_code,  -- empty: it concerns no single partner
    CAST(NULL AS VARCHAR) AS partner_name,  -- empty: it concerns no single partner
    accruals.unreversed_amount AS amount,  -- not reversed yet, or what the accrual differs by, in currency_code
    accruals.company_currency_code AS currency_code,  -- currency of the company's books
    accruals.unreversed_amount AS company_amount,  -- the same amount: accruals are compared in company currency
    accruals.company_currency_code,  -- currency of the company's books
    accruals.reason,  -- what is wrong with the accrual
    accruals.next_step,  -- what to do about it, and where
    CAST(NULL AS TIMESTAMP) AS since,  -- empty: close.breaks has when it was noted
    accruals.age_days  -- days since the end of the month that was accrued
FROM
    close.unreversed_accruals AS accruals
CROSS JOIN seed.settings AS settings
INNER JOIN seed.months AS months
    ON
        accruals.period_month <= months.month_start
        AND (months.month_start <= settings.today OR accruals.period_month = months.month_start)
INNER JOIN seed.break_kinds AS kinds
    ON
        kinds.found_by = 'close'
        AND accruals.family = kinds.object
        AND accruals.state = kinds.state
UNION ALL
-- The seed names the states that stop a close: of a month that agrees, or has no accrual, nothing is to be decided here.
SELECT
    positions.period_month,
    kinds.kind,
    SUBSTRING(CAST(positions.period_month AS VARCHAR), 1, 7) || ' ' || positions.company_code || ' '
    || positions.voyage_no || ' ' || positions.account,
    positions.company_code,
    CAST(NULL AS BIGINT),
    CAST(NULL AS VARCHAR),
    positions.voyage_no,
    positions.account,
    CAST(NULL AS VARCHAR),
    CAST(NULL AS VARCHAR),
    positions.difference AS amount,
    positions.company_currency_code AS currency_code,
    positions.difference AS company_amount,
    positions.company_currency_code,
    positions.reason,
    positions.next_step,
    CAST(NULL AS TIMESTAMP),
    CAST(DATE_DIFF('day', LAST_DAY(positions.period_month), GREATEST(LAST_DAY(positions.period_month), settings.today)) AS INTEGER)
FROM
    close.accrual_positions AS positions
CROSS JOIN seed.settings AS settings
INNER JOIN seed.break_kinds AS kinds
    ON
        kinds.found_by = 'close'
        AND positions.family = kinds.object
        AND positions.state = kinds.state
