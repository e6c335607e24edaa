-- One vessel code that is a cost centre in the ledger; two vessels with one code contradict each other.
-- Answers: Which vessels should the ledger have as cost centres?
-- Read by: the master-data job and the comparison of vessels.
-- grain: code
SELECT
    TRIM(vessels.vessel_code) AS code,
    vessels.vessel_key,
    COALESCE(NULLIF(TRIM(vessels.vessel_name), ''), TRIM(vessels.vessel_code)) AS description,
    CAST(COUNT(*) OVER (PARTITION BY TRIM(vessels.vessel_code)) AS INTEGER) AS vessel_count  -- more than 1: not unique in the VMS
FROM
    stg_vms.vessels AS vessels
WHERE
    NULLIF(TRIM(vessels.vessel_code), '') IS NOT NULL
QUALIFY
    ROW_NUMBER() OVER (PARTITION BY TRIM(vessels.vessel_code) ORDER BY vessels.vessel_key) = 1
