-- One voyage that is a project in the ledger: of every status but EST, never a budget, template or estimate.
-- Its dates are wanted only with voyages.project_dates = voyage, widened: invoices arrive long after a voyage has ended.
-- Answers: Which voyages should the ledger have as projects?
-- Read by: the master-data job and the comparison of voyages.
-- grain: code
WITH codes AS (
    -- The code the vessel had when the voyage began; without a day that fits, the first of all.
    SELECT
        voyages.voyage_key,
        TRIM(codes.vessel_code) AS vessel_code
    FROM
        stg_vms.voyages AS voyages
    INNER JOIN stg_vms.voyage_vessel_codes AS codes
        ON
            voyages.voyage_key = codes.voyage_key
            AND voyages.fetch_id = codes.fetch_id
    WHERE
        NULLIF(TRIM(codes.vessel_code), '') IS NOT NULL
    QUALIFY
        ROW_NUMBER() OVER (
            PARTITION BY voyages.voyage_key
            ORDER BY
                CASE
                    WHEN codes.fleet_entry_date > CAST(voyages.start_at AS DATE) THEN 1
                    WHEN codes.fleet_exit_date < CAST(voyages.start_at AS DATE) THEN 1
                    ELSE 0
                END,
                codes.code_key,
                codes.position
        ) = 1
),

cleaned AS (
    SELECT
        voyages.voyage_key,
        TRIM(voyages.reference_no) AS code,
        NULLIF(TRIM(voyages.vessel_name), '') AS vessel_name,
        codes.vessel_code,
        -- Where a month is shorter, its last day.
        CASE
            WHEN settings.project_dates = 'voyage'
                THEN CAST(CAST(voyages.start_at AS DATE) - INTERVAL 1 MONTH * settings.months_before AS DATE)
        END AS from_date,
        CASE
            WHEN settings.project_dates = 'voyage'
                THEN CAST(CAST(voyages.end_at AS DATE) + INTERVAL 1 MONTH * settings.months_after AS DATE)
        END AS to_date
    FROM
        stg_vms.voyages AS voyages
    CROSS JOIN seed.settings AS settings
    LEFT JOIN codes
        ON voyages.voyage_key = codes.voyage_key
    WHERE
        NULLIF(TRIM(voyages.reference_no), '') IS NOT NULL
        AND COALESCE(voyages.status_code, '') <> 'EST'
        AND NOT COALESCE(voyages.is_budget, FALSE)
        AND NOT COALESCE(voyages.is_template, FALSE)
        AND NOT COALESCE(voyages.is_estimate, FALSE)
)

SELECT
    code,
    voyage_key,  -- of the first voyage with that number
    -- The number is what people look for: of two that are too long together, the name is cut.
    TRIM(
        SUBSTRING(
            CASE
                WHEN vessel_name IS NULL THEN code
                ELSE SUBSTRING(vessel_name, 1, GREATEST(99 - LENGTH(code), 0)) || ' ' || code
            END,
            1,
            100
        )
    ) AS description,
    vessel_code,
    from_date,  -- null: no date is sent
    to_date,  -- null: no date is sent
    CAST(COUNT(*) OVER (PARTITION BY code) AS INTEGER) AS voyage_count  -- more than 1: the VMS has the number more than once
FROM
    cleaned
QUALIFY
    ROW_NUMBER() OVER (PARTITION BY code ORDER BY voyage_key) = 1
