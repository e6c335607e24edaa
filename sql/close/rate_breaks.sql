-- One pair of currencies without an exchange rate on business days of a period; its days are named one after the other.
-- Read by close.breaks alone.
-- grain: period_month, kind, subject
SELECT
    rates.period_month,
    kinds.kind,
    SUBSTRING(CAST(rates.period_month AS VARCHAR), 1, 7) || ' ' || rates.from_currency_code || ' '
    || rates.currency_code AS subject,
    CAST(NULL AS VARCHAR) AS company_code,
    CAST(NULL AS BIGINT) AS document_key,
    CAST(NULL AS VARCHAR) AS document_no,
    CAST(NULL AS VARCHAR) AS voyage_no,
    CAST(NULL AS VARCHAR) AS account,
    CAST(NULL AS DECIMAL(38, 4)) AS amount,
    rates.currency_code,
    CAST(NULL AS DECIMAL(38, 4)) AS company_amount,
    STRING_AGG(rates.reason, ' ' ORDER BY rates.rate_date) AS reason,
    MIN(rates.next_step) AS next_step,
    CAST(NULL AS TIMESTAMP) AS since,
    MAX(rates.age_days) AS age_days
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
