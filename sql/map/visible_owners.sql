-- One pair of an entity and an owner whose records it sees: itself and everything above it.
-- The ledger looks a code up in the entity and those above (docs/systems/ledger.md#1-2, #1-7), four levels deep here.
-- Answers: Whose records does an entity of the ledger see?
-- Read by: the check of codes and the master-data job.
-- grain: owner_code, seen_owner_db_id
WITH chain AS (
    SELECT
        entities.owner_code,
        entities.entity_db_id AS level1,
        first_parents.entity_db_id AS level2,
        second_parents.entity_db_id AS level3,
        third_parents.entity_db_id AS level4
    FROM
        map.entities AS entities
    LEFT JOIN map.entities AS first_parents
        ON entities.parent_db_id = first_parents.entity_db_id
    LEFT JOIN map.entities AS second_parents
        ON first_parents.parent_db_id = second_parents.entity_db_id
    LEFT JOIN map.entities AS third_parents
        ON second_parents.parent_db_id = third_parents.entity_db_id
    WHERE
        entities.owner_code IS NOT NULL
),

levels AS (
    SELECT
        owner_code,
        level1 AS seen_owner_db_id
    FROM
        chain
    UNION ALL
    SELECT
        owner_code,
        level2
    FROM
        chain
    UNION ALL
    SELECT
        owner_code,
        level3
    FROM
        chain
    UNION ALL
    SELECT
        owner_code,
        level4
    FROM
        chain
)

SELECT DISTINCT
    owner_code,
    seen_owner_db_id
FROM
    levels
WHERE
    seen_owner_db_id IS NOT NULL
