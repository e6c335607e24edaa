-- What the general ledger books on one control account in one currency and month, in company currency.
-- Answers: Does the general ledger have what the subledger has?
-- Read by: rec.control_balances.
-- grain: owner_code, control_account, currency_code, period_month
WITH accounts AS (
    SELECT DISTINCT
        movements.owner_code,
        movements.control_account
    FROM
        rec.control_movements AS movements
)

SELECT
    entities.owner_code,  -- ledger entity
    transactions.account_code AS control_account,  -- GL account that carries suppliers or customers
    COALESCE(transactions.currency_code, entities.currency_code) AS currency_code,  -- currency of the amounts
    CAST(DATE_TRUNC('month', transactions.posted_date) AS DATE) AS period_month,  -- first day of the month
    CAST(SUM(transactions.amount) AS DECIMAL(38, 4)) AS amount  -- sum in company currency, debit positive
FROM
    stg_ledger.transactions AS transactions
INNER JOIN map.entities AS entities
    ON transactions.owner_db_id = entities.entity_db_id
INNER JOIN accounts
    ON
        entities.owner_code = accounts.owner_code
        AND transactions.account_code = accounts.control_account
WHERE
    -- A row without a date stands in no month.
    transactions.posted_date IS NOT NULL
GROUP BY
    entities.owner_code,
    transactions.account_code,
    COALESCE(transactions.currency_code, entities.currency_code),
    CAST(DATE_TRUNC('month', transactions.posted_date) AS DATE)
