-- One exchange rate on a day, as the ledger quotes it and as the VMS has it: so many of to_currency_code for one of
-- from_currency_code, which is the ledger's base currency.
-- Days before the VMS's first rate that is here, and before the days that are transferred, are not compared.
-- Answers: Do both sides use the same exchange rate?
-- Read by: accountants (workbook, breaks) and close.missing_rates.
-- grain: rate_date, from_currency_code, to_currency_code
WITH vms_list AS (
    SELECT
        MAX(rates.fetched_at) AS read_at,
        MIN(rates.rate_date) AS first_date
    FROM
        stg_vms.exchange_rates AS rates
),

ledger_list AS (
    SELECT MAX(rates.fetched_at) AS read_at
    FROM
        stg_ledger.exchange_rates AS rates
),

lists AS (
    SELECT
        vms_list.read_at AS vms_read_at,
        ledger_list.read_at AS ledger_read_at,
        LEAST(COALESCE(vms_list.first_date, settings.today), settings.today - settings.rate_days) AS first_date,
        settings.today
    FROM
        seed.settings AS settings
    CROSS JOIN vms_list
    CROSS JOIN ledger_list
),

vms_currencies AS (
    SELECT DISTINCT UPPER(currencies.currency_code) AS currency_code
    FROM
        stg_vms.currencies AS currencies
),

currency_count AS (
    SELECT COUNT(*) AS known_count
    FROM
        vms_currencies
),

sent AS (
    SELECT
        rates.rate_date,
        rates.from_currency,
        rates.to_currency,
        MAX(CASE WHEN rates.state = 'sent' THEN 1 ELSE 0 END) = 1 AS is_sent,
        MAX(CASE WHEN rates.state IN ('todo', 'sending', 'unknown') THEN 1 ELSE 0 END) = 1 AS is_in_flight,
        MAX(CASE WHEN rates.state = 'failed' THEN 1 ELSE 0 END) = 1 AS is_failed
    FROM
        ctl.rates AS rates
    GROUP BY
        rates.rate_date,
        rates.from_currency,
        rates.to_currency
),

both_sides AS (
    SELECT
        COALESCE(ledger.rate_date, vms.rate_date) AS rate_date,
        COALESCE(ledger.base_currency, vms.base_currency) AS from_currency_code,
        COALESCE(ledger.currency_code, vms.currency_code) AS to_currency_code,
        CAST(ledger.exchange_rate AS DECIMAL(38, 15)) AS rate_ledger,
        vms.exchange_rate AS rate_vms,
        vms.way,
        ledger.rate_db_id,
        vms.fetched_at
    FROM
        map.ledger_rates AS ledger
    FULL OUTER JOIN rec.vms_rates AS vms
        ON
            ledger.rate_date = vms.rate_date
            AND ledger.currency_code = vms.currency_code
),

judged AS (
    SELECT
        both_sides.*,
        lists.vms_read_at,
        lists.ledger_read_at,
        lists.today,
        COALESCE(sent.is_sent, FALSE) AS is_sent,
        COALESCE(sent.is_in_flight, FALSE) AS is_in_flight,
        COALESCE(sent.is_failed, FALSE) AS is_failed,
        currency_count.known_count > 0 AND vms_currencies.currency_code IS NULL AS is_no_currency,
        CASE
            WHEN both_sides.rate_vms IS NULL THEN 'only in ledger'
            WHEN both_sides.rate_ledger IS NULL THEN 'only in VMS'
            WHEN
                ABS(both_sides.rate_ledger - both_sides.rate_vms)
                > both_sides.rate_ledger * CAST(tolerances.tolerance AS DECIMAL(38, 9))
                THEN 'rate differs'
            ELSE 'agreed'
        END AS state,
        -- Beyond a million the product would overflow.
        CASE
            WHEN both_sides.rate_ledger BETWEEN 0.000001 AND 1000000 AND both_sides.rate_vms BETWEEN 0 AND 1000000
                THEN
                    CAST(
                        CAST(
                            ABS(both_sides.rate_ledger - both_sides.rate_vms) * 1000000000000000 AS HUGEINT
                        ) * 1000000000000 // CAST(both_sides.rate_ledger * 1000000000000000 AS HUGEINT) AS DECIMAL(38, 0)
                    ) * 0.000000000001
        END AS relative_difference
    FROM
        both_sides
    CROSS JOIN lists
    CROSS JOIN currency_count
    LEFT JOIN vms_currencies
        ON both_sides.to_currency_code = vms_currencies.currency_code
    INNER JOIN seed.tolerances AS tolerances
        ON tolerances.measure = 'exchange_rate'
    LEFT JOIN sent
        ON
            both_sides.rate_date = sent.rate_date
            AND both_sides.from_currency_code = sent.from_currency
            AND both_sides.to_currency_code = sent.to_currency
    WHERE
        both_sides.rate_date >= lists.first_date
        AND both_sides.rate_date <= lists.today
),

worded AS (
    SELECT
        judged.*,
        CASE
            WHEN judged.state <> 'only in ledger' THEN CAST(NULL AS VARCHAR)
            WHEN judged.is_in_flight THEN 'on its way'
            WHEN judged.is_no_currency THEN 'no such currency'
            WHEN judged.is_failed THEN 'refused'
            WHEN judged.is_sent THEN 'gone'
            ELSE 'never sent'
        END AS sending,
        judged.from_currency_code || ' to ' || judged.to_currency_code || ' of ' || CAST(judged.rate_date AS VARCHAR)
            AS pair
    FROM
        judged
)

SELECT
    worded.rate_date,  -- the day the rate is for
    worded.from_currency_code,  -- the ledger's base currency
    worded.to_currency_code,  -- the currency that is priced
    CAST(worded.rate_ledger AS DECIMAL(38, 18)) AS rate_ledger,  -- of to_currency_code for one of from_currency_code
    CAST(worded.rate_vms AS DECIMAL(38, 18)) AS rate_vms,  -- of to_currency_code for one of from_currency_code; null: the VMS has none
    CAST(worded.relative_difference AS DECIMAL(38, 18)) AS relative_difference,  -- difference as a share of the ledger's rate
    worded.way,  -- how the VMS keeps it: as sent | inverted | re-based
    worded.state,  -- agreed | only in ledger | only in VMS | rate differs
    CASE
        WHEN worded.state = 'rate differs'
            THEN
                'The rate ' || worded.pair || ' is ' || RATE_TEXT(worded.rate_vms) || ' in the VMS'
                || CASE WHEN worded.way = 'as sent' THEN '' ELSE ' (' || worded.way || ')' END
                || ' and ' || RATE_TEXT(worded.rate_ledger) || ' in the ledger.'
        WHEN worded.state = 'only in VMS'
            THEN 'The ledger quotes no rate ' || worded.pair || '; the VMS has ' || RATE_TEXT(worded.rate_vms) || '.'
        WHEN worded.sending = 'on its way' THEN 'The rate ' || worded.pair || ' is on its way to the VMS.'
        WHEN worded.sending = 'no such currency'
            THEN 'The VMS does not have the currency ' || worded.to_currency_code || ', so no rate ' || worded.pair || ' is sent.'
        WHEN worded.sending = 'refused' THEN 'The VMS has refused the rate ' || worded.pair || '.'
        WHEN worded.sending = 'gone'
            THEN 'The rate ' || worded.pair || ' was sent, and the VMS does not have it now.'
        WHEN worded.sending = 'never sent' THEN 'The VMS has no rate ' || worded.pair || ', and none was sent.'
    END AS reason,  -- what is found, in words, with the figures; empty: nothing to say
    CASE
        WHEN worded.state = 'only in ledger' AND ignored.code IS NOT NULL
            THEN 'nothing: ' || ignored.operator || ' said that this currency is not ours (' || ignored.reason || ').'
        WHEN worded.state = 'rate differs'
            THEN 'correct the one that is wrong; where the VMS is always to follow the ledger, set rates.overwrite.'
        WHEN worded.state = 'only in VMS' THEN 'nothing, unless the ledger should quote that day.'
        WHEN worded.sending = 'on its way' THEN 'nothing: the next run looks it up.'
        WHEN worded.sending = 'no such currency'
            THEN
                'nothing, unless it is used: then add the currency in the VMS, and the next `springline run rates` sends it.'
        WHEN worded.sending = 'refused'
            THEN
                '`springline status` has the words of the VMS; the next run sends it again. Where it never takes the '
                || 'currency, `springline breaks ignore-subject currency ' || worded.to_currency_code || ' --reason …` says so once.'
        WHEN worded.sending = 'gone' THEN 'enter it in the VMS again: what was sent is not sent twice.'
        WHEN worded.sending = 'never sent' THEN '`springline run rates`; for a day before rates.days, enter it in the VMS.'
    END AS next_step,  -- what to do about it; empty: nothing
    worded.state = 'rate differs'
    OR (
        worded.state = 'only in ledger'
        AND worded.sending NOT IN ('on its way', 'no such currency')
        AND ignored.code IS NULL
    )
        AS is_break,  -- true: it does not agree, and a person has to act
    COALESCE(worded.fetched_at, worded.vms_read_at) AS as_of_vms,  -- when the VMS was read, UTC
    COALESCE(rows_read.fetched_at, worded.ledger_read_at) AS as_of_ledger,  -- when the ledger was read, UTC
    CAST(DATE_DIFF('day', worded.rate_date, GREATEST(worded.rate_date, worded.today)) AS INTEGER)
        AS age_days  -- days since the day of the rate; 0 when that is later
FROM
    worded
LEFT JOIN stg_ledger.exchange_rates AS rows_read
    ON worded.rate_db_id = rows_read.rate_db_id
LEFT JOIN map.ignored_subjects AS ignored
    ON
        ignored.subject = 'currency'
        AND ignored.is_effective
        AND worded.to_currency_code = ignored.code
