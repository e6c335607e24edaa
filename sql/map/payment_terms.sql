-- One payment term of an open document, in the order of due date, then key.
-- Answers: When is which share of an invoice due?
-- Read by: post.control_amounts.
-- grain: document_key, term_key
SELECT
    documents.document_key,
    terms.term_key,
    CAST(
        ROW_NUMBER() OVER (
            PARTITION BY documents.document_key
            ORDER BY COALESCE(terms.due_date, CAST('9999-12-31' AS DATE)), terms.term_key
        ) AS INTEGER
    ) AS term_no,
    CAST(COUNT(*) OVER (PARTITION BY documents.document_key) AS INTEGER) AS term_count,  -- terms of the document
    terms.due_date,
    CAST(CASE WHEN ABS(terms.percentage) < 1000000 THEN ROUND(terms.percentage, 9) END AS DECIMAL(38, 9))
        AS percentage
FROM
    map.open_documents AS documents
INNER JOIN stg_vms.document_payment_terms AS terms
    ON
        documents.document_key = terms.document_key
        AND documents.fetch_id = terms.fetch_id
