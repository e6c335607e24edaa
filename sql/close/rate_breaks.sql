-- One pair of currencies without an exchange rate on business days of a period; its days are named one after the other.
-- Answers: Which currencies lack a rate in a period, and on which days?
-- Read by: close.breaks alone.
-- grain: period_month, kind, subject
SELECT
    rates.period_month,
    kinds.kind,  -- kind of break, a name of data/seeds/break_kinds.csv
    SUBSTRING(CAST(rates.period_month AS VARCHAR), 1, 7) || ' ' || rates.from_currency_code || ' '
    || rates.currency_code AS subject,  -- month, from currency and to currency; unique by kind
    CAST(NULL AS VARCHAR) AS company_code,  -- empty: a rate is every company's
    CAST(NULL AS BIGINT) AS document_key,  -- empty: it concerns no single document
    CAST(NULL AS VARCHAR) AS document_no,  -- empty: it concerns no single document
    CAST(NULL AS VARCHAR) AS voyage_no,  -- empty: it concerns no single voyage
    CAST(NULL AS VARCHAR) AS account,  -- empty: it concerns no single account
    CAST(NULL AS VARCHAR) AS partner_code,  -- empty: it concerns no single partner
    CAST(NULL AS VARCHAR) AS partner_name,  -- empty: it concerns no single partner
    CAST(NULL AS DECIMAL(38, 4)) AS amount,  -- empty: no amount is known without the rate
    rates.currency_code,
    CAST(NULL AS DECIMAL(38, 4)) AS company_amount,  -- empty: no amount is known without the rate
    CAST(NULL AS VARCHAR) AS company_currency_code,  -- empty: a rate is every company's
    STRING_AGG(rates.reason, ' ' ORDER BY rates.rate_date) AS reason,  -- what is missing on which day, day after day
    MIN(rates.next_step) AS next_step,  -- what to do about the first of its days
    CAST(NULL AS TIMESTAMP) AS since,  -- empty: close.breaks has when it was noted
    MAX(rates.age_days) AS age_days  -- days since the earliest of the missing days
FROM
    close.missing_rates AS rates
INNER JOIN seed.break_kinds AS kinds
    ON
        kinds.found_by = 'close'
        AND kinds.object = 'exchange rate'
GROUP BY
    rates.period_month,
    kinds.kind,
    rates.from_currency_code,
    rates.currency_code
