-- What the decisions of people are held against, by name.

-- name: of_number
SELECT
    document_no,
    ANY_VALUE(document_key) AS document_key,
    ANY_VALUE(company_code) AS company
FROM stg_vms.documents
WHERE document_no IN (SELECT UNNEST($1))
GROUP BY document_no
HAVING COUNT(*) = 1;
