-- One stretch of days that is closed for an entity: the ledger lists a status item for owner and period.
-- An owner and period without such an item are open (docs/mapping.md#1-6-5).
-- Answers: Into which days may nothing be posted?
-- Read by: map.posting_periods.
-- grain: owner_code, from_date, to_date
SELECT DISTINCT
    entities.owner_code,
    COALESCE(period_status.from_date, months.month_start) AS from_date,
    COALESCE(period_status.to_date, months.month_end) AS to_date
FROM
    stg_ledger.period_status AS period_status
INNER JOIN map.entities AS entities
    ON
        period_status.owner_db_id = entities.entity_db_id
        OR period_status.owner_code = entities.owner_code
LEFT JOIN seed.months AS months
    ON
        period_status.period_year = months.calendar_year
        AND period_status.period_month = months.calendar_month
WHERE
    entities.owner_code IS NOT NULL
    AND COALESCE(period_status.from_date, months.month_start) IS NOT NULL
    AND COALESCE(period_status.to_date, months.month_end) IS NOT NULL
