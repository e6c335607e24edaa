-- One code the ledger has, with the owner it belongs to and how many rows carry it there.
-- A list of which nothing at all can be read is not judged: the token may not see it, and the import checks it anyway.
-- Answers: Does the ledger know a code, and does it know it once?
-- Read by: post.missing_codes.
-- grain: code_kind, owner_db_id, code
WITH vessel_kinds AS (
    SELECT DISTINCT vessel_kind_db_id
    FROM
        map.entities
),

location_kinds AS (
    SELECT DISTINCT location_kind_db_id
    FROM
        map.entities
),

codes AS (
    SELECT
        'supplier' AS code_kind,
        suppliers.owner_db_id,
        suppliers.code
    FROM
        stg_ledger.suppliers AS suppliers
    UNION ALL
    SELECT
        'customer',
        customers.owner_db_id,
        customers.code
    FROM
        stg_ledger.customers AS customers
    UNION ALL
    SELECT
        'project',
        projects.owner_db_id,
        projects.code
    FROM
        stg_ledger.projects AS projects
    UNION ALL
    SELECT
        'vessel',
        object_values.owner_db_id,
        object_values.code
    FROM
        stg_ledger.object_values AS object_values
    INNER JOIN vessel_kinds
        ON object_values.object_kind_db_id = vessel_kinds.vessel_kind_db_id
    UNION ALL
    SELECT
        'location',
        object_values.owner_db_id,
        object_values.code
    FROM
        stg_ledger.object_values AS object_values
    INNER JOIN location_kinds
        ON object_values.object_kind_db_id = location_kinds.location_kind_db_id
    UNION ALL
    SELECT
        'tax_rule',
        object_values.owner_db_id,
        object_values.code
    FROM
        stg_ledger.object_values AS object_values
    INNER JOIN stg_ledger.object_kinds AS object_kinds
        ON object_values.object_kind_db_id = object_kinds.object_kind_db_id
    WHERE
        UPPER(object_kinds.name) = 'TAX_RULE'
    UNION ALL
    SELECT
        'account',
        accounts.owner_db_id,
        accounts.code
    FROM
        stg_ledger.accounts AS accounts
    UNION ALL
    SELECT
        'xgl',
        xgl_dimensions.owner_db_id,
        xgl_dimensions.code
    FROM
        stg_ledger.xgl_dimensions AS xgl_dimensions
    UNION ALL
    SELECT
        'currency',
        CAST(NULL AS BIGINT),
        currencies.code
    FROM
        stg_ledger.currencies AS currencies
)

SELECT
    codes.code_kind,  -- supplier, customer, project, vessel, location, tax_rule, account, xgl, currency
    codes.owner_db_id,  -- entity it belongs to; null: everybody's
    codes.code,
    CAST(COUNT(*) AS INTEGER) AS row_count  -- more than 1: not unique
FROM
    codes
WHERE
    codes.code IS NOT NULL
GROUP BY
    codes.code_kind, codes.owner_db_id, codes.code
