-- One supplier that the ledger has with an account otherwise than it was last seen there.
-- One whose change waits keeps what was known of it under another code: else a rename onto a code that the ledger has
-- would be forgotten by the next run.
-- Answers: Which supplier's account must be remembered?
-- Read by: the step that notes changed bank accounts.
-- grain: partner_key, owner_code
WITH known AS (
    SELECT DISTINCT
        partner_key,
        owner_code
    FROM
        ctl.supplier_accounts
)

SELECT
    banks.partner_key,
    COALESCE(banks.owner_code, 0) AS owner_code,  -- entity in the ledger that sees it; 0: the token's own
    banks.ledger_db_id,
    banks.code,
    banks.bank_account
FROM
    map.supplier_banks AS banks
LEFT JOIN known
    ON
        banks.partner_key = known.partner_key
        AND COALESCE(banks.owner_code, 0) = known.owner_code
LEFT JOIN ctl.supplier_accounts AS seen
    ON
        banks.partner_key = seen.partner_key
        AND COALESCE(banks.owner_code, 0) = seen.owner_code
        AND banks.ledger_db_id = seen.ledger_db_id
WHERE
    banks.bank_account IS NOT NULL
    AND banks.partner_key IS NOT NULL
    AND (seen.partner_key IS NULL OR seen.code <> banks.code OR seen.bank_account <> banks.bank_account)
    AND (known.partner_key IS NULL OR seen.partner_key IS NOT NULL OR NOT banks.is_waiting)
