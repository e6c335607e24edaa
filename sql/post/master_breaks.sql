-- One piece of master data that cannot be written because its code is not unique on one of the two sides.
-- Answers: Which code must be made unique before it can be written?
-- Read by: the comparison, which notes them as breaks for accountants.
-- grain: side, owner_code, code
SELECT
    existing.side,
    existing.owner_code,
    existing.code,
    'ledger' AS found_in,  -- ledger or VMS
    existing.row_count  -- how often the code stands there
FROM
    map.ledger_partners AS existing
INNER JOIN map.wanted_partners AS wanted
    ON existing.code = wanted.code
WHERE
    existing.row_count > 1
    AND (
        (existing.side = 'supplier' AND wanted.is_supplier)
        OR (existing.side = 'customer' AND wanted.is_customer)
    )
UNION ALL
SELECT
    'company',
    existing.owner_code,
    existing.code,
    'ledger',
    existing.row_count
FROM
    map.ledger_companies AS existing
INNER JOIN map.wanted_partners AS wanted
    ON existing.code = wanted.code
LEFT JOIN map.ledger_partners AS customers
    ON
        customers.side = 'customer'
        AND existing.code = customers.code
        AND existing.owner_code IS NOT DISTINCT FROM customers.owner_code
WHERE
    existing.row_count > 1
    AND wanted.is_customer
    AND customers.db_id IS NULL
UNION ALL
SELECT
    'vessel',
    existing.owner_code,
    existing.code,
    'ledger',
    existing.row_count
FROM
    map.ledger_vessels AS existing
INNER JOIN map.wanted_vessels AS wanted
    ON existing.code = wanted.code
WHERE
    existing.row_count > 1
UNION ALL
SELECT
    'project',
    existing.owner_code,
    existing.code,
    'ledger',
    existing.row_count
FROM
    map.ledger_projects AS existing
INNER JOIN map.wanted_projects AS wanted
    ON existing.code = wanted.code
WHERE
    existing.row_count > 1
UNION ALL
SELECT
    'partner',
    CAST(NULL AS INTEGER),
    wanted.code,
    'VMS',
    wanted.partner_count
FROM
    map.wanted_partners AS wanted
WHERE
    wanted.partner_count > 1
UNION ALL
SELECT
    'vessel',
    CAST(NULL AS INTEGER),
    wanted.code,
    'VMS',
    wanted.vessel_count
FROM
    map.wanted_vessels AS wanted
WHERE
    wanted.vessel_count > 1
UNION ALL
SELECT
    'project',
    CAST(NULL AS INTEGER),
    wanted.code,
    'VMS',
    wanted.voyage_count
FROM
    map.wanted_projects AS wanted
WHERE
    wanted.voyage_count > 1
