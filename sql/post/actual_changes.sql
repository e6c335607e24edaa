-- One document of actuals to be posted in the VMS: the difference of a group to what was sent before (docs/mapping.md#5).
-- Answers: What does the actuals job send now?
-- Read by: the actuals job.
-- grain: natural_key
-- parts: voyage_no
SELECT
    'ACT' || CAST(EXTRACT(YEAR FROM actuals.month_start) * 100 + EXTRACT(MONTH FROM actuals.month_start) AS VARCHAR)
    || '-' || CAST(actuals.owner_code AS VARCHAR) || '-' || actuals.voyage_no || '-' || actuals.account || '-'
    || actuals.currency_code || '-' || CAST(actuals.last_part_no + 1 AS VARCHAR) AS natural_key,
    actuals.owner_code,  -- ledger entity
    companies.company_code,  -- VMS company
    actuals.month_start,
    actuals.voyage_no,
    voyages.voyage_key,
    voyages.is_number_shared,
    actuals.account,
    actuals.currency_code,
    actuals.company_currency_code,
    CAST(actuals.last_part_no + 1 AS INTEGER) AS part_no,
    actuals.booked_document - actuals.sent_document AS document_amount,  -- in currency_code, with the sign of the VMS
    actuals.booked_company - actuals.sent_company AS company_amount
FROM
    map.actual_groups AS actuals
INNER JOIN map.actual_companies AS companies
    ON actuals.owner_code = companies.owner_code
INNER JOIN map.vms_voyages AS voyages
    ON actuals.voyage_no = voyages.voyage_no
LEFT JOIN map.vms_accounts AS accounts
    ON actuals.account = accounts.account
WHERE
    (actuals.booked_document <> actuals.sent_document OR actuals.booked_company <> actuals.sent_company)
    AND (
        accounts.account IS NOT NULL
        OR NOT EXISTS (
            SELECT 1
            FROM
                map.vms_accounts
        )
    )
