-- One rate of the ledger as the VMS writes it: so many of a currency for one of the ledger's base currency on a day.
-- A row quoted in the base currency (unit x currency = rate x base) is inverted; the newest of several rows counts.
-- Answers: What rate does the ledger have, written as the VMS writes it?
-- Read by: the rates job and the comparison of rates.
-- grain: rate_date, currency_code
WITH quoted AS (
    SELECT
        rates.rate_db_id,
        rates.from_date AS rate_date,
        base.base_currency,
        base.vms_base_currency,
        CASE WHEN rates.to_currency_code = base.base_currency THEN rates.from_currency_code ELSE rates.to_currency_code END
            AS currency_code,
        rates.to_currency_code = base.base_currency AS is_inverted,
        CAST(COALESCE(rates.currency_unit, 1) AS HUGEINT) AS unit,
        -- Twelve decimals, which keeps 9 significant digits of the smallest rate there is.
        CAST(CAST(ROUND(rates.exchange_rate, 12) AS DECIMAL(38, 12)) * 1000000000000 AS HUGEINT) AS rate_units
    FROM
        stg_ledger.exchange_rates AS rates
    CROSS JOIN seed.settings AS settings
    INNER JOIN map.rate_base AS base
        ON
            (rates.owner_db_id = base.owner_db_id OR rates.owner_db_id IS NULL)
            AND (rates.to_currency_code = base.base_currency OR rates.from_currency_code = base.base_currency)
            AND rates.to_currency_code <> rates.from_currency_code
    WHERE
        rates.from_date <= settings.today
        AND rates.exchange_rate > 0
        AND rates.exchange_rate < 1000000000000
        AND COALESCE(rates.currency_unit, 1) BETWEEN 1 AND 1000000
        AND (settings.rate_type IS NULL OR CAST(rates.rate_type_db_id AS VARCHAR) = settings.rate_type)
),

newest AS (
    SELECT *
    FROM
        quoted
    WHERE
        rate_units > 0
    QUALIFY
        ROW_NUMBER() OVER (PARTITION BY rate_date, currency_code ORDER BY rate_db_id DESC) = 1
)

SELECT
    rate_date,
    currency_code,
    base_currency,
    COALESCE(currency_code = vms_base_currency, FALSE) AS is_between_bases,
    rate_db_id,
    CAST(
        CASE
            WHEN is_inverted
                THEN (2 * unit * 1000000000000000000000000000 + rate_units) // CAST(2 * rate_units AS HUGEINT)
            ELSE (2 * rate_units * 1000 + unit) // CAST(2 * unit AS HUGEINT)
        END AS DECIMAL(38, 0)
    ) * 0.000000000000001 AS exchange_rate  -- of the currency for one of the base currency
FROM
    newest
