-- One exchange rate that the VMS has with another value than the ledger, and that nobody may overwrite.
-- Answers: Which rate must a person decide on?
-- Read by: the rates job, which notes them as breaks; rec.breaks.
-- grain: rate_date, from_currency, to_currency
SELECT
    rates.rate_date,
    rates.base_currency AS from_currency,
    rates.currency_code AS to_currency,
    rates.exchange_rate AS ledger_rate,  -- of to_currency for one of from_currency
    rates.vms_rate,
    rates.rate_key
FROM
    map.compared_rates AS rates
CROSS JOIN seed.settings AS settings
WHERE
    rates.is_different
    AND NOT COALESCE(settings.rate_overwrite, FALSE)
