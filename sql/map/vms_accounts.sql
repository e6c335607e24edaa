-- One GL account that the VMS lists among its accounts, the control accounts left aside.
-- Answers: May an actual on this account go to the VMS?
-- Read by: the actuals job.
-- grain: account
SELECT DISTINCT TRIM(accounts.gl_account) AS account
FROM
    stg_vms.gl_accounts AS accounts
WHERE
    NULLIF(TRIM(accounts.gl_account), '') IS NOT NULL
    AND accounts.account_code NOT IN ('APX', 'ARX')
