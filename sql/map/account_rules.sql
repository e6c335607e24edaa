-- One GL account of the VMS that the tenant's file posting.gl_accounts maps, for one company with open documents.
-- A row of the file for the company itself goes before one for every company (docs/mapping.md#files).
-- Answers: Which account of the ledger stands for an account of the VMS, and which line of the file says so?
-- Read by: the control accounts, the contra accounts and the drafts.
-- grain: company_code, vms_account
WITH present AS (
    SELECT DISTINCT company_code
    FROM
        map.open_documents
)

SELECT
    present.company_code,  -- VMS company
    rules.vms_account,
    rules.ledger_account,
    rules.rule_text  -- file and line
FROM
    present
INNER JOIN seed.account_mapping AS rules
    ON
        present.company_code = rules.company_code
        OR rules.company_code IS NULL
QUALIFY
    ROW_NUMBER() OVER (
        PARTITION BY present.company_code, rules.vms_account
        ORDER BY CASE WHEN rules.company_code IS NULL THEN 1 ELSE 0 END, rules.line_no
    ) = 1
