-- One voyage or vessel that the VMS wants in the ledger, or a project or cost centre that is there, with what both have.
-- Answers: What does each side have of a voyage or a vessel?
-- Read by: rec.voyages.
-- grain: kind, owner_code, code
WITH in_vms AS (
    SELECT
        'voyage' AS kind,
        owners.owner_code,
        COALESCE(owners.owner_code, 0) AS owner_no,
        wanted.code,
        wanted.description,
        wanted.from_date,
        wanted.to_date,
        wanted.vessel_code,
        wanted.voyage_count AS code_count,
        voyages.fetched_at,
        CAST(voyages.modified_at AS DATE) AS modified_date
    FROM
        map.wanted_projects AS wanted
    CROSS JOIN map.master_owners AS owners
    LEFT JOIN stg_vms.voyages AS voyages
        ON wanted.voyage_key = voyages.voyage_key
    UNION ALL
    SELECT
        'vessel',
        owners.owner_code,
        COALESCE(owners.owner_code, 0),
        wanted.code,
        wanted.description,
        CAST(NULL AS DATE),
        CAST(NULL AS DATE),
        CAST(NULL AS VARCHAR),
        wanted.vessel_count,
        vessels.fetched_at,
        CAST(vessels.modified_at AS DATE)
    FROM
        map.wanted_vessels AS wanted
    CROSS JOIN map.master_owners AS owners
    LEFT JOIN stg_vms.vessels AS vessels
        ON wanted.vessel_key = vessels.vessel_key
),

in_ledger AS (
    SELECT
        'voyage' AS kind,
        ledger.owner_code,
        COALESCE(ledger.owner_code, 0) AS owner_no,
        ledger.code,
        ledger.description,
        ledger.from_date,
        ledger.to_date,
        ledger.vessel_code,
        ledger.row_count,
        projects.fetched_at,
        CAST(projects.modified_at AS DATE) AS modified_date
    FROM
        map.ledger_projects AS ledger
    LEFT JOIN stg_ledger.projects AS projects
        ON ledger.db_id = projects.project_db_id
    UNION ALL
    SELECT
        'vessel',
        ledger.owner_code,
        COALESCE(ledger.owner_code, 0),
        ledger.code,
        ledger.description,
        object_values.date_from,
        object_values.date_to,
        CAST(NULL AS VARCHAR),
        ledger.row_count,
        object_values.fetched_at,
        CAST(object_values.modified_at AS DATE)
    FROM
        map.ledger_vessels AS ledger
    LEFT JOIN stg_ledger.object_values AS object_values
        ON ledger.db_id = object_values.object_value_db_id
)

SELECT
    COALESCE(in_vms.kind, in_ledger.kind) AS kind,  -- voyage (a project of the ledger) | vessel (a cost centre)
    COALESCE(in_vms.owner_code, in_ledger.owner_code) AS owner_code,  -- ledger entity; null: the entity that the ledger's token belongs to
    COALESCE(in_vms.code, in_ledger.code) AS code,  -- voyage reference number or vessel code
    COALESCE(in_vms.owner_no, in_ledger.owner_no) AS owner_no,  -- database id of the ledger entity; 0 where owner_code is null
    in_vms.code IS NOT NULL AS is_in_vms,  -- true: the VMS has it
    in_ledger.code IS NOT NULL AS is_in_ledger,  -- true: the ledger has it
    in_vms.description AS description_vms,  -- what the VMS calls it
    in_ledger.description AS description_ledger,  -- what the ledger calls it
    in_vms.from_date AS from_date_vms,  -- start in the VMS, UTC
    in_ledger.from_date AS from_date_ledger,  -- start in the ledger
    in_vms.to_date AS to_date_vms,  -- end in the VMS, UTC
    in_ledger.to_date AS to_date_ledger,  -- end in the ledger
    in_vms.vessel_code AS vessel_code_vms,  -- vessel of the voyage in the VMS
    in_ledger.vessel_code AS vessel_code_ledger,  -- cost centre of the project in the ledger
    in_vms.code_count,  -- more than 1: the VMS has the code twice
    in_ledger.row_count,  -- more than 1: the ledger has the code twice
    in_vms.fetched_at AS vms_fetched_at,  -- when the VMS was read, UTC
    in_ledger.fetched_at AS ledger_fetched_at,  -- when the ledger was read, UTC
    COALESCE(in_vms.modified_date, in_ledger.modified_date) AS modified_date  -- when it was last changed there
FROM
    in_vms
FULL OUTER JOIN in_ledger
    ON
        in_vms.kind = in_ledger.kind
        AND in_vms.owner_no = in_ledger.owner_no
        AND in_vms.code = in_ledger.code
