-- One project of the ledger with its cost centre's code, as one owner sees its code.
-- Answers: What does the ledger have of this voyage?
-- Read by: the master-data job and the comparison of voyages.
-- grain: owner_code, code
SELECT
    visibility.owner_code,
    projects.code,
    projects.project_db_id AS db_id,
    projects.description,
    projects.from_date,
    projects.to_date,
    projects.gl_object1_db_id,
    vessels.code AS vessel_code,
    CAST(COUNT(*) OVER (PARTITION BY visibility.owner_code, projects.code) AS INTEGER) AS row_count  -- more than 1: not unique
FROM
    stg_ledger.projects AS projects
INNER JOIN map.master_visibility AS visibility
    ON projects.owner_db_id = visibility.seen_owner_db_id
LEFT JOIN stg_ledger.object_values AS vessels
    ON projects.gl_object1_db_id = vessels.object_value_db_id
WHERE
    projects.code IS NOT NULL
QUALIFY
    ROW_NUMBER() OVER (PARTITION BY visibility.owner_code, projects.code ORDER BY projects.project_db_id) = 1
