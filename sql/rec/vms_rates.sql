-- One exchange rate of the VMS turned into the ledger's quotation: so many of a currency for one of the ledger's base.
-- The VMS may keep a rate the other way round, or re-based on its own base currency (docs/systems/vms.md#3-7): what stands there
-- as it was sent counts first, then its inverse, then what the two rates of the VMS's base make.
-- Answers: What rate does the VMS have, written as the ledger writes it?
-- Read by: rec.exchange_rates.
-- grain: rate_date, currency_code
WITH kept AS (
    SELECT
        rates.*,
        base.base_currency,
        base.vms_base_currency,
        -- Beyond a million, and below a millionth, the products behind this would overflow.
        CASE
            WHEN rates.exchange_rate BETWEEN 0.000001 AND 1000000
                THEN CAST(rates.exchange_rate * 1000000000000000 AS HUGEINT)
        END AS rate_units
    FROM
        map.vms_rates AS rates
    CROSS JOIN map.rate_base AS base
),

bases AS (
    SELECT
        rate_date,
        rate_units
    FROM
        kept
    WHERE
        from_currency_code = vms_base_currency
        AND to_currency_code = base_currency
),

ways AS (
    SELECT
        rate_date,
        base_currency,
        to_currency_code AS currency_code,
        'as sent' AS way,
        1 AS preference,
        rate_key,
        exchange_rate,
        fetched_at
    FROM
        kept
    WHERE
        from_currency_code = base_currency
    UNION ALL
    SELECT
        rate_date,
        base_currency,
        from_currency_code,
        'inverted',
        2,
        rate_key,
        CAST(
            (2000000000000000000000000000000 + rate_units) // CAST(2 * rate_units AS HUGEINT) AS DECIMAL(38, 0)
        ) * 0.000000000000001,
        fetched_at
    FROM
        kept
    WHERE
        to_currency_code = base_currency
        AND rate_units IS NOT NULL
    UNION ALL
    SELECT
        kept.rate_date,
        kept.base_currency,
        kept.to_currency_code,
        're-based',
        3,
        kept.rate_key,
        CAST(
            (2 * kept.rate_units * 1000000000000000 + bases.rate_units) // CAST(2 * bases.rate_units AS HUGEINT)
            AS DECIMAL(38, 0)
        ) * 0.000000000000001,
        kept.fetched_at
    FROM
        kept
    INNER JOIN bases
        ON kept.rate_date = bases.rate_date
    WHERE
        kept.from_currency_code = kept.vms_base_currency
        AND kept.to_currency_code <> kept.base_currency
        AND kept.rate_units IS NOT NULL
        AND bases.rate_units IS NOT NULL
)

SELECT
    rate_date,  -- the day the rate is for
    base_currency,  -- the ledger's base currency: every rate is the price of one of it
    currency_code,  -- the currency that is priced
    way,  -- how the VMS keeps the pair: as sent | inverted | re-based (against another currency)
    rate_key,  -- database id of the rate in the VMS
    CAST(exchange_rate AS DECIMAL(38, 15)) AS exchange_rate,  -- of currency_code for one of base_currency
    fetched_at
FROM
    ways
WHERE
    currency_code <> base_currency
QUALIFY
    ROW_NUMBER() OVER (PARTITION BY rate_date, currency_code ORDER BY preference ASC, rate_key DESC) = 1
