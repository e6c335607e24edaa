-- One supplier or customer of the ledger with what only its own row says: until when it is open, and when it was read.
-- Answers: Until when is a partner of the ledger open, and when was it read?
-- Read by: rec.partners.
-- grain: side, db_id
SELECT
    'supplier' AS side,  -- supplier or customer
    suppliers.supplier_db_id AS db_id,  -- database id of the partner's row in the ledger
    suppliers.to_date,  -- the last day it may be posted on; null: open
    CAST(suppliers.modified_at AS DATE) AS modified_date,  -- when it was last changed there
    suppliers.fetched_at  -- when it was read, UTC
FROM
    stg_ledger.suppliers AS suppliers
UNION ALL
SELECT
    'customer',
    customers.customer_db_id,
    customers.to_date,
    CAST(customers.modified_at AS DATE),
    customers.fetched_at
FROM
    stg_ledger.customers AS customers
