-- One type that any partner of the VMS has, as its own member or a document's, in either spelling (docs/mapping.md#0).
-- Without any, the types cannot be read: then nobody can say whether a partner is a charterer. Documents that are no
-- longer open do not count: what they show was read before, and the VMS may call it otherwise since.
-- Answers: Which partner types has the VMS shown so far?
-- Read by: the posting requirements.
-- grain: partner_type_code
WITH spelled AS (
    SELECT COALESCE(NULLIF(TRIM(partner_type), ''), NULLIF(TRIM(partner_type_code), '')) AS partner_type_code
    FROM
        stg_vms.partners
    UNION ALL
    SELECT COALESCE(NULLIF(TRIM(partner_type), ''), NULLIF(TRIM(partner_type_code), ''))
    FROM
        stg_vms.documents
    WHERE
        status_code = 'RFP'
    UNION ALL
    SELECT COALESCE(NULLIF(TRIM(partner_type), ''), NULLIF(TRIM(partner_type_code), ''))
    FROM
        stg_vms.document_lines
    WHERE
        document_key IN (
            SELECT documents.document_key
            FROM
                stg_vms.documents AS documents
            WHERE
                documents.status_code = 'RFP'
        )
)

SELECT
    partner_type_code,  -- as the VMS has it
    COUNT(*) AS object_count  -- partners, documents and lines with it
FROM
    spelled
WHERE
    partner_type_code IS NOT NULL
GROUP BY
    partner_type_code
