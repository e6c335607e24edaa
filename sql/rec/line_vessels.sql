-- One line of a document that was sent, as the VMS has it now, with the vessel code it counts for.
-- A vessel has several codes over time and by company: the line's own comes first, then of the codes of its voyage's
-- vessel the one in the fleet on the document's day, of several that of the document's company (docs/mapping.md#0).
-- The rule of map.line_vessels, which reads open documents alone so that a tick costs the batch and not the history.
-- Answers which cost centre a line would be booked on today; read by rec.document_changes.
-- grain: document_key, line_key
-- parts: document_key
WITH dated AS (
    SELECT
        documents.document_key,
        codes.line_key,
        codes.code_key,
        codes.position,
        TRIM(codes.vessel_code) AS vessel_code,
        -- Open ends hold every day, and both bounds belong to the stretch.
        CASE
            WHEN codes.fleet_entry_date > documents.document_date OR codes.fleet_exit_date < documents.document_date THEN 2
            WHEN TRIM(codes.default_company_code) = documents.company_code THEN 0
            ELSE 1
        END AS distance
    FROM
        rec.vms_documents AS documents
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
        vessel_code
    FROM
        dated
    QUALIFY
        ROW_NUMBER() OVER (PARTITION BY document_key, line_key ORDER BY distance, code_key, position) = 1
),

own AS (
    SELECT
        documents.document_key,
        lines.line_key,
        NULLIF(TRIM(lines.own_vessel_code), '') AS own_vessel_code
    FROM
        rec.vms_documents AS documents
    INNER JOIN stg_vms.document_lines AS lines
        ON
            documents.document_key = lines.document_key
            AND documents.fetch_id = lines.fetch_id
)

SELECT
    own.document_key,
    own.line_key,  -- key of the line in the VMS
    COALESCE(own.own_vessel_code, nearest.vessel_code) AS vessel_code  -- null: neither the line nor its voyage has one
FROM
    own
LEFT JOIN nearest
    ON
        own.document_key = nearest.document_key
        AND own.line_key = nearest.line_key
