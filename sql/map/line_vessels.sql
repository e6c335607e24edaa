-- One line of an open document with the vessel code and the pool it counts for.
-- A vessel has several codes over time and by company: the line's own comes first, then of the codes of its voyage's
-- vessel the one in the fleet on the document's day, of several that of the document's company (docs/mapping.md#0).
-- Answers which cost centre a line is booked on; read by map.document_lines.
-- grain: document_key, line_key
WITH dated AS (
    SELECT
        documents.document_key,
        codes.line_key,
        codes.code_key,
        codes.position,
        TRIM(codes.vessel_code) AS vessel_code,
        NULLIF(TRIM(codes.pool_code), '') AS pool_code,
        -- Open ends hold every day, and both bounds belong to the stretch.
        CASE
            WHEN codes.fleet_entry_date > documents.document_date OR codes.fleet_exit_date < documents.document_date THEN 2
            WHEN TRIM(codes.default_company_code) = documents.company_code THEN 0
            ELSE 1
        END AS distance
    FROM
        map.open_documents AS documents
    INNER JOIN stg_vms.document_line_vessel_codes AS codes
        ON
            documents.document_key = codes.document_key
            AND documents.fetch_id = codes.fetch_id
    WHERE
        NULLIF(TRIM(codes.vessel_code), '') IS NOT NULL
),

nearest AS (
    SELECT
        document_key,
        line_key,
        vessel_code,
        pool_code
    FROM
        dated
    QUALIFY
        ROW_NUMBER() OVER (PARTITION BY document_key, line_key ORDER BY distance, code_key, position) = 1
),

own AS (
    SELECT
        documents.document_key,
        lines.line_key,
        NULLIF(TRIM(lines.own_vessel_code), '') AS own_vessel_code,
        NULLIF(TRIM(lines.own_pool_code), '') AS own_pool_code,
        NULLIF(TRIM(lines.vessel_pool_code), '') AS vessel_pool_code
    FROM
        map.open_documents AS documents
    INNER JOIN stg_vms.document_lines AS lines
        ON
            documents.document_key = lines.document_key
            AND documents.fetch_id = lines.fetch_id
)

SELECT
    own.document_key,
    own.line_key,
    COALESCE(own.own_vessel_code, nearest.vessel_code) AS vessel_code,  -- null: neither the line nor its voyage has one
    COALESCE(
        CASE WHEN own.own_vessel_code IS NULL THEN nearest.pool_code ELSE own.own_pool_code END,
        own.vessel_pool_code
    ) AS pool_code  -- of that code; of the vessel where an installation has it there
FROM
    own
LEFT JOIN nearest
    ON
        own.document_key = nearest.document_key
        AND own.line_key = nearest.line_key
