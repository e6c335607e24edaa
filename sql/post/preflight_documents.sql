-- One open document as `springline preflight` shows it, with the voyages of its lines.
-- Voyages are those of the lines that came with the document's present state: a line that was removed in the VMS is not shown.
-- grain: document_key
WITH voyages AS (
    SELECT
        lines.document_key,
        STRING_AGG(DISTINCT lines.voyage_reference_no, ', ' ORDER BY lines.voyage_reference_no) AS voyages
    FROM
        post.document_checks AS checks
    INNER JOIN stg_vms.documents AS documents
        ON checks.document_key = documents.document_key
    INNER JOIN stg_vms.document_lines AS lines
        ON documents.document_key = lines.document_key AND documents.fetch_id = lines.fetch_id
    GROUP BY
        lines.document_key
)

SELECT
    documents.document_key,
    documents.document_no,
    documents.document_type,
    documents.company_code,
    documents.document_date,
    documents.partner_name,
    documents.currency_code,
    documents.document_amount,
    documents.created_by_key,
    voyages.voyages -- reference numbers of its voyages, separated by commas
FROM
    stg_vms.documents AS documents
INNER JOIN post.document_checks AS checks ON documents.document_key = checks.document_key
LEFT JOIN voyages ON documents.document_key = voyages.document_key
