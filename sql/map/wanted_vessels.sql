-- One vessel code that is a cost centre in the ledger, with its vessel's name; two vessels with one code contradict each
-- other. A vessel has several codes over time and by company, and each of them in use is a cost centre (docs/mapping.md#2).
-- Answers which cost centres the ledger should have; read by post.cost_centre_changes and the comparison of voyages.
-- grain: code
WITH codes AS (
    SELECT DISTINCT
        TRIM(codes.vessel_code) AS code,
        vessels.vessel_key,
        NULLIF(TRIM(vessels.vessel_name), '') AS vessel_name
    FROM
        stg_vms.vessels AS vessels
    INNER JOIN stg_vms.vessel_codes AS codes
        ON
            vessels.vessel_key = codes.vessel_key
            AND vessels.fetch_id = codes.fetch_id
    WHERE
        NULLIF(TRIM(codes.vessel_code), '') IS NOT NULL
)

SELECT
    code,
    vessel_key,
    TRIM(SUBSTRING(COALESCE(vessel_name, code), 1, 100)) AS description,  -- cut as every text is (docs/mapping.md#1-1)
    CAST(COUNT(*) OVER (PARTITION BY code) AS INTEGER) AS vessel_count  -- more than 1: not unique in the VMS
FROM
    codes
QUALIFY
    ROW_NUMBER() OVER (PARTITION BY code ORDER BY vessel_key) = 1
