-- One exchange rate of the VMS: the price of one from_currency_code on a day; of several the one entered last counts.
-- Answers: What price of a currency does the VMS hold on a day?
-- Read by: the rates job (map.compared_rates) and the comparison (rec.vms_rates).
-- grain: rate_date, from_currency_code, to_currency_code
SELECT
    rates.rate_date,
    rates.from_currency_code,
    rates.to_currency_code,
    rates.rate_key,
    CAST(ROUND(rates.exchange_rate, 15) AS DECIMAL(38, 15)) AS exchange_rate,  -- of to_currency_code for one
    rates.fetched_at
FROM
    stg_vms.exchange_rates AS rates
WHERE
    rates.rate_date IS NOT NULL
    AND rates.from_currency_code IS NOT NULL
    AND rates.to_currency_code IS NOT NULL
QUALIFY
    ROW_NUMBER() OVER (
        PARTITION BY rates.rate_date, rates.from_currency_code, rates.to_currency_code ORDER BY rates.rate_key DESC
    ) = 1
