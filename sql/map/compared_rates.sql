-- One rate of the ledger of the last days (rates.days) beside what the VMS has for that day and pair: what was read there,
-- else what we sent.
-- Currencies that the VMS does not have are left out: it would refuse their rates, every day again.
-- The VMS may store a rate re-based, and then it is not found there; what we sent still counts (docs/systems/vms.md#3-7).
-- Answers: Which rates of the last days does the VMS lack or hold otherwise?
-- Read by: the rates job.
-- grain: rate_date, currency_code
WITH sent AS (
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
        COALESCE(in_vms.exchange_rate, CAST(ROUND(sent.exchange_rate, 15) AS DECIMAL(38, 15))) AS vms_rate,
        CAST(tolerances.tolerance AS DECIMAL(38, 9)) AS tolerance
    FROM
        map.ledger_rates AS ledger
    CROSS JOIN seed.settings AS settings
    INNER JOIN seed.tolerances AS tolerances
        ON tolerances.measure = 'exchange_rate'
    LEFT JOIN map.vms_rates AS in_vms
        ON
            ledger.rate_date = in_vms.rate_date
            AND ledger.base_currency = in_vms.from_currency_code
            AND ledger.currency_code = in_vms.to_currency_code
    LEFT JOIN sent
        ON
            ledger.rate_date = sent.rate_date
            AND ledger.base_currency = sent.from_currency
            AND ledger.currency_code = sent.to_currency
    WHERE
        ledger.rate_date >= settings.today - settings.rate_days
        -- As long as the list was not read, nothing is known to be missing there.
        AND (
            ledger.currency_code IN (
                SELECT UPPER(currencies.currency_code)
                FROM
                    stg_vms.currencies AS currencies
            )
            OR NOT EXISTS (
                SELECT 1
                FROM
                    stg_vms.currencies
            )
        )
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
    -- The VMS may round (data/seeds/tolerances.csv).
    vms_rate IS NOT NULL AND ABS(exchange_rate - vms_rate) > ABS(exchange_rate) * tolerance AS is_different
FROM
    compared
