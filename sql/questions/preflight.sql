-- What `springline preflight` reads of its scratch warehouse, by name.

-- name: documents
-- With the status that each has in the VMS: in the scratch warehouse all of them are made ready for posting.
SELECT
    documents.*,
    statuses.status_code
FROM
    post.preflight_documents AS documents
INNER JOIN
    statuses
    ON documents.document_key = statuses.document_key
ORDER BY documents.document_key;
