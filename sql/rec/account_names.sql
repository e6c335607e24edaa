-- One account of the ledger as an entity sees it: its name, and whether it belongs to the balance sheet.
-- An account of the entity itself goes before one of an entity above.
-- Answers: What is this account called?
-- Read by: the views of schema analysis.
-- grain: owner_code, account
SELECT
    visibility.owner_code,  -- ledger entity that sees the account
    accounts.code AS account,  -- GL account
    NULLIF(TRIM(accounts.description), '') AS account_name,  -- its name in the ledger
    COALESCE(accounts.is_balance_sheet, FALSE) AS is_balance_sheet  -- true: of the balance sheet; false: of profit and loss
FROM
    stg_ledger.accounts AS accounts
INNER JOIN map.visible_owners AS visibility
    ON accounts.owner_db_id = visibility.seen_owner_db_id
LEFT JOIN map.entities AS entities
    ON
        accounts.owner_db_id = entities.entity_db_id
        AND visibility.owner_code = entities.owner_code
WHERE
    accounts.code IS NOT NULL
    AND visibility.owner_code IS NOT NULL
QUALIFY
    ROW_NUMBER() OVER (
        PARTITION BY visibility.owner_code, accounts.code
        ORDER BY CASE WHEN entities.entity_db_id IS NOT NULL THEN 0 ELSE 1 END, accounts.account_db_id
    ) = 1
