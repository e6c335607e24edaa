-- One rate of the ledger beside what the VMS has for that day and pair: what was read there, else what we sent.
-- The VMS may store a rate re-based, and then it is not found there; what we sent still counts (dataloy.md 3.7).
-- grain: rate_date, currency_code
WITH in_vms AS (
    SELECT
        vms_rates.rate_date,
        vms_rates.from_currency_code,
        vms_rates.to_currency_code,
        vms_rates.rate_key,
        vms_rates.exchange_rate
    FROM
        stg_vms.exchange_rates AS vms_rates
    QUALIFY
        ROW_NUMBER() OVER (
            PARTITION BY vms_rates.rate_date, vms_rates.from_currency_code, vms_rates.to_currency_code
            ORDER BY vms_rates.rate_key DESC
        ) = 1
),

sent AS (
    SELECT
        rates.rate_date,
        rates.from_currency,
        rates.to_currency,
        rates.part_no,
        rates.exchange_rate
    FROM
        ctl.rates AS rates
    WHERE
        rates.state IN ('sending', 'sent', 'unknown')
    QUALIFY
        ROW_NUMBER() OVER (PARTITION BY rates.rate_date, rates.from_currency, rates.to_currency ORDER BY rates.part_no DESC)
        = 1
),

compared AS (
    SELECT
        ledger.rate_date,
        ledger.currency_code,
        ledger.base_currency,
        ledger.is_between_bases,
        CAST(ledger.exchange_rate AS DECIMAL(38, 15)) AS exchange_rate,
        in_vms.rate_key,
        COALESCE(sent.part_no, 0) AS last_part_no,
        CAST(ROUND(COALESCE(in_vms.exchange_rate, sent.exchange_rate), 15) AS DECIMAL(38, 15)) AS vms_rate
    FROM
        map.ledger_rates AS ledger
    LEFT JOIN in_vms
        ON
            ledger.rate_date = in_vms.rate_date
            AND ledger.base_currency = in_vms.from_currency_code
            AND ledger.currency_code = in_vms.to_currency_code
    LEFT JOIN sent
        ON
            ledger.rate_date = sent.rate_date
            AND ledger.base_currency = sent.from_currency
            AND ledger.currency_code = sent.to_currency
)

SELECT
    rate_date,
    currency_code,
    base_currency,
    is_between_bases,  -- the VMS's base against the ledger's: it must be there first
    exchange_rate,  -- by the ledger
    rate_key,  -- of the VMS's rate, where it was read
    last_part_no,  -- how often we have sent one
    vms_rate,  -- null: the VMS has none
    -- The VMS may round: a relative difference of one in a million is none.
    vms_rate IS NOT NULL AND ABS(exchange_rate - vms_rate) > ABS(exchange_rate) * 0.000001 AS is_different
FROM
    compared
