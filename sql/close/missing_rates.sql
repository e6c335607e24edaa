-- One business day on which a currency in use has no rate in the VMS against the ledger's base currency. In use is what
-- vouchers of that month are in; days before the first rate that was ever read, and the batch's own day, do not count.
-- Answers: On which day did a currency have no rate?
-- Read by: accountants, in the period-end pack; close.breaks.
-- grain: rate_date, currency_code
WITH first_days AS (
    SELECT MIN(rates.rate_date) AS first_day
    FROM
        rec.exchange_rates AS rates
),

currencies AS (
    SELECT DISTINCT
        documents.currency_code,
        CAST(DATE_TRUNC('month', documents.document_date) AS DATE) AS period_month,
        base.base_currency
    FROM
        rec.documents AS documents
    INNER JOIN map.rate_base AS base
        ON documents.currency_code <> base.base_currency
    WHERE
        documents.voucher_no_ledger IS NOT NULL
        AND documents.document_date IS NOT NULL
),

digits AS (
    SELECT CAST(listed.digit AS INTEGER) AS digit
    FROM
        (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS listed (digit)
),

offsets AS (
    SELECT tens.digit * 10 + ones.digit AS day_no
    FROM
        digits AS tens
    CROSS JOIN digits AS ones
    WHERE
        tens.digit < 4
),

business_days AS (
    SELECT
        months.month_start,
        CAST(months.month_start + offsets.day_no AS DATE) AS rate_date
    FROM
        seed.months AS months
    CROSS JOIN seed.settings AS settings
    CROSS JOIN first_days
    INNER JOIN offsets
        ON months.month_start + offsets.day_no <= months.month_end
    LEFT JOIN seed.rate_holidays AS holidays
        ON months.month_start + offsets.day_no = holidays.day
    WHERE
        months.month_end >= first_days.first_day
        AND months.month_start < settings.today
        AND months.month_start + offsets.day_no >= first_days.first_day
        AND months.month_start + offsets.day_no < settings.today
        AND EXTRACT(ISODOW FROM months.month_start + offsets.day_no) <= 5
        AND holidays.day IS NULL
)

SELECT
    days.rate_date,  -- the day the rate is for
    currencies.currency_code,  -- the currency without a rate
    currencies.period_month,  -- first day of the month
    currencies.base_currency AS from_currency_code,  -- 1 of it is so many of currency_code
    rates.rate_ledger,  -- null: the ledger has none either
    CASE WHEN rates.rate_ledger IS NULL THEN 'missing on both sides' ELSE 'missing in VMS' END
        AS state,  -- missing in VMS | missing on both sides
    currencies.currency_code || ' has no rate of ' || CAST(days.rate_date AS VARCHAR)
    || CASE WHEN rates.rate_ledger IS NULL THEN ' in either system.' ELSE ' in the VMS; the ledger has one.' END
        AS reason,  -- what is found, in words, with the figures; empty: nothing to say
    CASE
        WHEN rates.rate_ledger IS NULL THEN 'let the ledger fetch the rates of that day, then `springline run rates`.'
        ELSE '`springline run rates`; for a day before rates.days, enter it in the VMS.'
    END AS next_step,  -- what to do about it; empty: nothing
    CAST(DATE_DIFF('day', days.rate_date, settings.today) AS INTEGER) AS age_days  -- days since the day of the rate
FROM
    business_days AS days
CROSS JOIN seed.settings AS settings
INNER JOIN currencies
    ON days.month_start = currencies.period_month
LEFT JOIN rec.exchange_rates AS rates
    ON
        days.rate_date = rates.rate_date
        AND currencies.base_currency = rates.from_currency_code
        AND currencies.currency_code = rates.to_currency_code
WHERE
    -- Saturdays, Sundays and the holidays of seed.rate_holidays have no rate, and are left out above.
    rates.rate_vms IS NULL
