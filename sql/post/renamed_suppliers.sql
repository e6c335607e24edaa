-- One supplier of the ledger whose code is another one than its partner's in the VMS by now: renamed on one of both sides.
-- The code of the VMS is added as a supplier of its own, so what is owed to one partner stands under two codes. One that
-- is closed in the ledger, or whose code another partner has, is none.
-- Answers: Which partner stands in the ledger under a code that it no longer has?
-- Read by: the master-data job, which notes them as breaks.
-- grain: owner_code, ledger_db_id
SELECT
    seen.owner_code,  -- entity in the ledger that sees it; 0: the token's own
    seen.ledger_db_id,
    suppliers.code AS ledger_code,
    wanted.code,  -- of the partner in the VMS, or where the tenant's file leads it
    wanted.description
FROM
    ctl.supplier_accounts AS seen
INNER JOIN map.wanted_partners AS wanted
    ON
        seen.partner_key = wanted.partner_key
        AND wanted.is_supplier
        AND wanted.partner_count = 1
INNER JOIN stg_ledger.suppliers AS suppliers
    ON
        seen.ledger_db_id = suppliers.supplier_db_id
        AND wanted.code <> suppliers.code
CROSS JOIN seed.settings AS settings
LEFT JOIN map.wanted_partners AS others
    ON suppliers.code = others.code
WHERE
    others.code IS NULL
    AND (suppliers.to_date IS NULL OR suppliers.to_date >= settings.today)
