-- One company (legal party) to add to the ledger because a customer will hang on it; companies are never corrected here.
-- Answers: Which companies does the master-data job add now?
-- Read by: the master-data job.
-- grain: owner_code, code
SELECT
    COALESCE(CAST(owners.owner_code AS VARCHAR), 'token') || ':' || wanted.code AS natural_key,  -- owner and code: one outbox intent
    'add' AS action,  -- add: only companies of new customers
    CAST(NULL AS BIGINT) AS ledger_db_id,  -- what to update; null: add
    owners.owner_code,  -- entity it is created in; null: the token's own
    wanted.code,
    wanted.description,
    wanted.company_number,
    wanted.tax_number,
    wanted.email,
    wanted.country_code
FROM
    map.wanted_partners AS wanted
CROSS JOIN map.master_owners AS owners
LEFT JOIN map.ledger_companies AS existing
    ON
        wanted.code = existing.code
        AND owners.owner_code IS NOT DISTINCT FROM existing.owner_code
LEFT JOIN map.ledger_partners AS customers
    ON
        customers.side = 'customer'
        AND wanted.code = customers.code
        AND owners.owner_code IS NOT DISTINCT FROM customers.owner_code
WHERE
    wanted.is_customer
    AND wanted.partner_count = 1
    AND existing.company_db_id IS NULL
    AND customers.db_id IS NULL
