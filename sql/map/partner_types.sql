-- One type that any partner of the VMS has, as its own member or a document's, in either spelling (docs/mapping.md#0).
-- Without any, the types cannot be read: then nobody can say whether a partner is a charterer.
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
    UNION ALL
    SELECT COALESCE(NULLIF(TRIM(partner_type), ''), NULLIF(TRIM(partner_type_code), ''))
    FROM
        stg_vms.document_lines
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
