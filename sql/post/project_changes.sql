-- One voyage to add to the ledger as a project, or to correct there: only the fields that differ are filled in an update.
-- Dates that are not wanted, as by default, are neither compared nor sent: what the ledger has of them stays.
-- A voyage whose vessel's code is not unique waits: its project would stand on the wrong cost centre, or on none.
-- Answers: Which voyages does the master-data job add or correct now?
-- Read by: the master-data job and the comparison of voyages.
-- grain: owner_code, code
WITH changes AS (
    SELECT
        owners.owner_code,
        wanted.code,
        existing.db_id AS ledger_db_id,
        CASE
            WHEN existing.db_id IS NULL OR COALESCE(wanted.description, '') <> COALESCE(existing.description, '')
                THEN wanted.description
        END AS description,
        CASE
            WHEN existing.db_id IS NULL OR (wanted.from_date IS DISTINCT FROM existing.from_date) THEN wanted.from_date
        END AS from_date,
        CASE
            WHEN existing.db_id IS NULL OR (wanted.to_date IS DISTINCT FROM existing.to_date) THEN wanted.to_date
        END AS to_date,
        CASE
            WHEN existing.db_id IS NULL OR COALESCE(wanted.vessel_code, '') <> COALESCE(existing.vessel_code, '')
                THEN wanted.vessel_code
        END AS vessel_code
    FROM
        map.wanted_projects AS wanted
    CROSS JOIN map.master_owners AS owners
    LEFT JOIN map.ledger_projects AS existing
        ON
            wanted.code = existing.code
            AND owners.owner_code IS NOT DISTINCT FROM existing.owner_code
    LEFT JOIN map.ledger_vessels AS vessels
        ON
            wanted.vessel_code = vessels.code
            AND owners.owner_code IS NOT DISTINCT FROM vessels.owner_code
    WHERE
        wanted.voyage_count = 1
        AND COALESCE(existing.row_count, 1) = 1
        AND COALESCE(vessels.row_count, 1) = 1
)

SELECT
    COALESCE(CAST(owner_code AS VARCHAR), 'token') || ':' || code AS natural_key,  -- owner and code: one outbox intent
    CASE WHEN ledger_db_id IS NULL THEN 'add' ELSE 'update' END AS action,  -- add | update
    ledger_db_id,  -- what to update; null: add
    owner_code,  -- entity it is created in; null: the token's own
    code,
    description,
    from_date,
    to_date,
    vessel_code  -- becomes glObject1
FROM
    changes
WHERE
    ledger_db_id IS NULL
    OR description IS NOT NULL
    OR from_date IS NOT NULL
    OR to_date IS NOT NULL
    OR vessel_code IS NOT NULL
