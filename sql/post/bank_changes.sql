-- One supplier whose bank account, SWIFT code or routing number changes from one value to another:
-- it waits for a second person (docs/mapping.md#2).
-- Answers: Which bank account must a second person confirm?
-- Read by: `springline release` and the comparison of partners.
-- grain: code, old_account
SELECT DISTINCT
    code,
    description,
    old_account,  -- in the ledger, with the SWIFT code or routing number last sent where that changes too
    new_account  -- in the VMS, with the SWIFT code or routing number where that changes too
FROM
    map.supplier_banks
WHERE
    is_change
