-- One vessel to add to the ledger as a cost centre, or whose name to correct there.
-- Answers: Which vessels does the master-data job add or correct now?
-- Read by: the master-data job and the comparison of voyages.
-- grain: owner_code, code
WITH kinds AS (
    SELECT
        owners.owner_code,
        MAX(entities.vessel_kind_db_id) AS kind_db_id
    FROM
        map.master_owners AS owners
    LEFT JOIN map.entities AS entities
        ON owners.owner_code IS NULL OR owners.owner_code = entities.owner_code
    GROUP BY
        owners.owner_code
),

any_kind AS (
    SELECT MAX(entities.vessel_kind_db_id) AS kind_db_id
    FROM
        map.entities AS entities
)

SELECT
    COALESCE(CAST(kinds.owner_code AS VARCHAR), 'token') || ':' || wanted.code AS natural_key,  -- owner and code: one outbox intent
    CASE WHEN existing.db_id IS NULL THEN 'add' ELSE 'update' END AS action,  -- add | update
    existing.db_id AS ledger_db_id,  -- what to update; null: add
    kinds.owner_code,  -- entity it is created in; null: the token's own
    wanted.code,
    wanted.description,
    COALESCE(kinds.kind_db_id, any_kind.kind_db_id) AS definition_db_id  -- the object kind behind glObject1
FROM
    map.wanted_vessels AS wanted
CROSS JOIN kinds
CROSS JOIN any_kind
LEFT JOIN map.ledger_vessels AS existing
    ON
        wanted.code = existing.code
        AND kinds.owner_code IS NOT DISTINCT FROM existing.owner_code
WHERE
    wanted.vessel_count = 1
    AND COALESCE(existing.row_count, 1) = 1
    AND COALESCE(kinds.kind_db_id, any_kind.kind_db_id) IS NOT NULL
    AND (existing.db_id IS NULL OR wanted.description IS DISTINCT FROM existing.description)
