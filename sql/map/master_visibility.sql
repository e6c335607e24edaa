-- One pair of a master-data owner and an entity whose records it sees; an owner without a code sees every entity.
-- Answers: Which entities see what an owner creates?
-- Read by: the master-data job.
-- grain: owner_code, seen_owner_db_id
SELECT
    owners.owner_code,
    visible_owners.seen_owner_db_id
FROM
    map.master_owners AS owners
INNER JOIN map.visible_owners AS visible_owners
    ON owners.owner_code = visible_owners.owner_code
UNION ALL
SELECT
    owners.owner_code,
    entities.entity_db_id
FROM
    map.master_owners AS owners
CROSS JOIN map.entities AS entities
WHERE
    owners.owner_code IS NULL
