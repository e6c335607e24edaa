-- One VMS company that the settings leave alone (companies_others), with how many of its documents are ready for posting.
-- Answers: Of which companies is nothing posted, and how many documents does that concern?
-- Read by: the checks, which tell it, and the comparison of documents, which leaves them out.
-- grain: company_code
SELECT
    documents.company_code,  -- VMS company
    CAST(COUNT(CASE WHEN documents.status_code = 'RFP' THEN 1 END) AS INTEGER) AS ready_count  -- ready for posting
FROM
    stg_vms.documents AS documents
INNER JOIN seed.voucher_types AS voucher_types
    ON documents.document_type = voucher_types.document_type
CROSS JOIN seed.settings AS settings
LEFT JOIN seed.companies AS configured
    ON documents.company_code = configured.company_code
WHERE
    settings.companies_others = 'leave'
    AND configured.company_code IS NULL
    AND EXISTS (
        SELECT 1
        FROM
            seed.companies
    )
GROUP BY
    documents.company_code
