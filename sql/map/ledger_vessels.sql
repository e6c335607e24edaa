-- One cost centre of the ledger (a value of the kind behind glObject1) as one owner sees its code.
-- Answers: What does the ledger have of this vessel?
-- Read by: the master-data job and the comparison of voyages.
-- grain: owner_code, code
WITH vessel_kinds AS (
    SELECT DISTINCT vessel_kind_db_id
    FROM
        map.entities
)

SELECT
    visibility.owner_code,
    object_values.code,
    object_values.object_value_db_id AS db_id,
    object_values.description,
    CAST(COUNT(*) OVER (PARTITION BY visibility.owner_code, object_values.code) AS INTEGER) AS row_count  -- more than 1: not unique
FROM
    stg_ledger.object_values AS object_values
INNER JOIN vessel_kinds
    ON object_values.object_kind_db_id = vessel_kinds.vessel_kind_db_id
INNER JOIN map.master_visibility AS visibility
    ON object_values.owner_db_id = visibility.seen_owner_db_id
WHERE
    object_values.code IS NOT NULL
QUALIFY
    ROW_NUMBER() OVER (
        PARTITION BY visibility.owner_code, object_values.code ORDER BY object_values.object_value_db_id
    ) = 1
