-- One open document with its invoice number and KID, the two parts of the external document number around the pipe.
-- A reversal, and a document without an external number, carries the VMS's own number (docs/mapping.md#1-1).
-- Answers: Under which invoice number and KID does a document go out?
-- Read by: the drafts and the posting requirements.
-- grain: document_key
WITH parts AS (
    SELECT
        documents.document_key,
        documents.document_no,
        facts.is_reversal,
        CASE
            WHEN POSITION('|' IN documents.external_document_no) > 0
                THEN SUBSTRING(documents.external_document_no, 1, POSITION('|' IN documents.external_document_no) - 1)
            ELSE documents.external_document_no
        END AS number_part,
        CASE
            WHEN POSITION('|' IN documents.external_document_no) > 0
                THEN SUBSTRING(documents.external_document_no, POSITION('|' IN documents.external_document_no) + 1)
        END AS kid_part
    FROM
        map.open_documents AS documents
    INNER JOIN map.document_facts AS facts
        ON documents.document_key = facts.document_key
)

SELECT
    document_key,
    NULLIF(TRIM(number_part), '') AS external_no,  -- the supplier's own number, null when there is none
    CASE
        WHEN is_reversal THEN document_no
        ELSE COALESCE(NULLIF(TRIM(number_part), ''), document_no)
    END AS invoice_no,  -- what the ledger finds it by
    NULLIF(TRIM(kid_part), '') AS x_identifier  -- KID: what stands behind the first pipe
FROM
    parts
