-- One thing about actuals that a person must decide: a project or an account of the ledger that the VMS does not know,
-- or a row typed by hand against a document of ours.
-- Answers: Which actuals need a person before they can go to the VMS?
-- Read by: the actuals job, which notes them as breaks for accountants, but those whose project or account is not ours
-- (map.ignored_subjects): these are counted by `springline breaks ignored`.
-- grain: kind, subject
WITH groups AS (
    SELECT
        actuals.owner_code,
        actuals.voyage_no,
        actuals.account,
        actuals.direction * (actuals.booked_company - actuals.sent_company) AS amount,
        companies.company_code,
        actuals.company_currency_code,
        voyages.voyage_no IS NULL AS is_voyage_unknown,
        accounts.account IS NULL AS is_account_unlisted,
        projects.code IS NOT NULL AS is_project_ignored,
        unlisted.code IS NOT NULL AS is_account_ignored
    FROM
        map.actual_groups AS actuals
    INNER JOIN map.actual_companies AS companies
        ON actuals.owner_code = companies.owner_code
    LEFT JOIN map.vms_voyages AS voyages
        ON actuals.voyage_no = voyages.voyage_no
    LEFT JOIN map.vms_accounts AS accounts
        ON actuals.account = accounts.account
    LEFT JOIN map.ignored_subjects AS projects
        ON
            projects.subject = 'project'
            AND projects.is_effective
            AND companies.company_code = projects.company_code
            AND actuals.voyage_no = projects.code
    LEFT JOIN map.ignored_subjects AS unlisted
        ON
            unlisted.subject = 'account'
            AND unlisted.is_effective
            AND companies.company_code = unlisted.company_code
            AND actuals.account = unlisted.code
    WHERE
        actuals.booked_document <> actuals.sent_document
        OR actuals.booked_company <> actuals.sent_company
)

SELECT
    'voyage unknown in VMS' AS kind,  -- voyage unknown in VMS, account unknown in VMS or accrual booked by hand
    CAST(groups.owner_code AS VARCHAR) || ':' || groups.voyage_no AS subject,
    groups.owner_code,
    groups.company_code,
    groups.voyage_no,
    CAST(NULL AS VARCHAR) AS account,
    CAST(NULL AS VARCHAR) AS document_no,  -- of ours, that a row by hand is against
    CAST(NULL AS BIGINT) AS voucher_no,
    groups.company_currency_code,  -- currency of the company
    CAST(SUM(groups.amount) AS DECIMAL(38, 4)) AS company_amount,  -- debit positive
    groups.is_project_ignored AS is_ignored  -- true: its project or account is not ours, and it is no break
FROM
    groups
WHERE
    groups.is_voyage_unknown
GROUP BY
    groups.owner_code,
    groups.company_code,
    groups.voyage_no,
    groups.company_currency_code,
    groups.is_project_ignored
UNION ALL
SELECT
    'account unknown in VMS',
    CAST(groups.owner_code AS VARCHAR) || ':' || groups.account,
    groups.owner_code,
    groups.company_code,
    CAST(NULL AS VARCHAR),
    groups.account,
    CAST(NULL AS VARCHAR),
    CAST(NULL AS BIGINT),
    groups.company_currency_code,
    CAST(SUM(groups.amount) AS DECIMAL(38, 4)),
    groups.is_account_ignored
FROM
    groups
WHERE
    groups.is_account_unlisted
    AND NOT groups.is_voyage_unknown
    AND EXISTS (
        SELECT 1
        FROM
            map.vms_accounts
    )
GROUP BY
    groups.owner_code,
    groups.company_code,
    groups.account,
    groups.company_currency_code,
    groups.is_account_ignored
UNION ALL
SELECT
    'accrual booked by hand',
    CAST(ledger.transaction_db_id AS VARCHAR),
    ledger.owner_code,
    companies.company_code,
    ledger.project_code,
    ledger.account_code,
    ledger.against_document_no,
    ledger.voucher_no,
    ledger.company_currency_code,
    ledger.company_amount,
    -- It is typed against a document of ours, whatever project it stands on.
    FALSE
FROM
    map.actual_rows AS ledger
INNER JOIN map.actual_companies AS companies
    ON ledger.owner_code = companies.owner_code
WHERE
    ledger.against_document_no IS NOT NULL
