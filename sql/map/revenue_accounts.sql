-- One GL account that the VMS says is of revenue or of costs; where several of its accounts share one, the first by key.
-- Answers: Is this a revenue account in the VMS?
-- Read by: the mapping of lines, the accruals of the close and the actuals.
-- grain: gl_account
SELECT
    TRIM(accounts.gl_account) AS gl_account,
    accounts.is_revenue  -- true: revenue; false: costs
FROM
    stg_vms.gl_accounts AS accounts
WHERE
    NULLIF(TRIM(accounts.gl_account), '') IS NOT NULL
    AND accounts.is_revenue IS NOT NULL
QUALIFY
    ROW_NUMBER() OVER (PARTITION BY TRIM(accounts.gl_account) ORDER BY accounts.account_key) = 1
