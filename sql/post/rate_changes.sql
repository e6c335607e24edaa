-- One exchange rate to be posted in the VMS, or to be put in place of another where the settings say so (docs/mapping.md#4).
-- Answers: What does the rates job send now?
-- Read by: the rates job.
-- grain: natural_key
SELECT
    CAST(rates.rate_date AS VARCHAR) || ':' || rates.base_currency || ':' || rates.currency_code
    || CASE WHEN rates.last_part_no > 0 THEN ':' || CAST(rates.last_part_no + 1 AS VARCHAR) ELSE '' END AS natural_key,
    rates.rate_date,
    rates.base_currency AS from_currency,
    rates.currency_code AS to_currency,
    rates.exchange_rate,  -- of to_currency for one of from_currency
    rates.is_between_bases,  -- goes first
    CAST(rates.last_part_no + 1 AS INTEGER) AS part_no,
    CASE WHEN rates.is_different THEN rates.rate_key END AS rate_key  -- of the VMS's rate that is overwritten
FROM
    map.compared_rates AS rates
CROSS JOIN seed.settings AS settings
WHERE
    rates.vms_rate IS NULL
    OR (rates.is_different AND settings.rate_overwrite)
