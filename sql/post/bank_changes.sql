-- One supplier whose bank account differs between VMS and ledger: it waits for a second person (docs/mapping.md#2).
-- Answers: Which bank account must a second person confirm?
-- Read by: `springline release` and the comparison of partners.
-- grain: code, old_account
SELECT DISTINCT
    wanted.code,
    wanted.description,
    existing.bank_account AS old_account,  -- in the ledger
    wanted.bank_account AS new_account  -- in the VMS
FROM
    map.wanted_partners AS wanted
INNER JOIN map.ledger_partners AS existing
    ON
        existing.side = 'supplier'
        AND wanted.code = existing.code
CROSS JOIN seed.settings AS settings
WHERE
    wanted.is_supplier
    AND wanted.partner_count = 1
    AND existing.row_count = 1
    AND settings.confirm_bank_changes
    AND existing.bank_account IS NOT NULL
    AND wanted.bank_account IS NOT NULL
    AND wanted.bank_account <> existing.bank_account
