-- The tables that the suites check, by name. $1 are the keys of documents that are not to be checked (again).

-- Counted where post.document_checks takes its documents from, so that a join that loses or doubles one is noticed.
-- name: open_count
SELECT COUNT(*)
FROM
    map.open_documents;

-- A row without a key is always read: it is a fault of the model, and the suite has to find it.
-- name: documents
SELECT *
FROM
    post.document_checks
WHERE
    document_key IS NULL OR document_key NOT IN (SELECT UNNEST(CAST($1 AS BIGINT[])))
ORDER BY document_key;

-- Each document with a hash of all that its verdicts follow from.
-- name: hashes
WITH line_hashes AS (
    SELECT
        draft_lines.document_key,
        SUM(HASH(draft_lines)) AS line_hash
    FROM
        post.draft_lines AS draft_lines
    GROUP BY
        draft_lines.document_key
)

SELECT
    documents.document_key,
    HASH(documents) || '-' || COALESCE(line_hashes.line_hash, 0) -- noqa: RF02
FROM
    post.document_checks AS documents
LEFT JOIN line_hashes ON documents.document_key = line_hashes.document_key
WHERE
    documents.document_key IS NOT NULL;

-- Each voucher line with what names its document.
-- name: lines
SELECT
    lines.*,
    documents.document_no,
    documents.document_type,
    documents.partner_name
FROM
    post.draft_lines AS lines
INNER JOIN post.document_checks AS documents ON lines.document_key = documents.document_key
WHERE
    lines.document_key NOT IN (SELECT UNNEST(CAST($1 AS BIGINT[])))
ORDER BY lines.document_key, lines.tr_item_number;

-- Without the join of `lines`, so that a line which that join loses or doubles is noticed.
-- name: line_count
SELECT COUNT(*)
FROM
    post.draft_lines
WHERE
    document_key NOT IN (SELECT UNNEST(CAST($1 AS BIGINT[])))
    AND document_key IN (SELECT checks.document_key FROM post.document_checks AS checks);

-- name: totals
SELECT *
FROM
    post.draft_totals
WHERE
    document_key NOT IN (SELECT UNNEST(CAST($1 AS BIGINT[])))
ORDER BY document_key;

-- What names each open document in a message.
-- name: labels
SELECT
    document_key,
    document_no,
    document_type,
    partner_name,
    company_code
FROM
    post.document_checks;

-- name: noted_ready
SELECT document_key
FROM
    ready_documents;
