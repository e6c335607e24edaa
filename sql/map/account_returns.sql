-- One GL account of a ledger entity with the VMS's account that the tenant's file posting.gl_accounts makes it of.
-- Of several the one that stands first in the file: an accountant says by the order which of them actuals go to.
-- Answers: On which account of the VMS does a row of the books stand?
-- Read by: map.actual_rows.
-- grain: owner_code, ledger_account
WITH chosen AS (
    SELECT
        companies.owner_code,
        companies.company_code,
        rules.vms_account,
        rules.ledger_account,
        rules.line_no
    FROM
        map.companies AS companies
    INNER JOIN seed.account_mapping AS rules
        ON
            companies.company_code = rules.company_code
            OR rules.company_code IS NULL
    WHERE
        companies.owner_code IS NOT NULL
    QUALIFY
        -- As in map.account_rules: a company's own row goes before one for every company.
        ROW_NUMBER() OVER (
            PARTITION BY companies.owner_code, companies.company_code, rules.vms_account
            ORDER BY CASE WHEN rules.company_code IS NULL THEN 1 ELSE 0 END, rules.line_no
        ) = 1
)

SELECT
    owner_code,  -- ledger entity
    ledger_account,
    vms_account
FROM
    chosen
QUALIFY
    ROW_NUMBER() OVER (PARTITION BY owner_code, ledger_account ORDER BY line_no, company_code) = 1
