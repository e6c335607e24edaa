-- Statements on the holds of documents, by name.

-- name: open
SELECT
    hold_id,
    document_key,
    document_no,
    company,
    rule,
    severity,
    message
FROM holds
WHERE until IS NULL AND document_key IS NOT NULL
ORDER BY document_key, hold_id;

-- The same for people, with since when.
-- name: told
SELECT
    document_key,
    rule,
    severity,
    message,
    since
FROM holds
WHERE until IS NULL AND document_key IS NOT NULL
ORDER BY document_key, hold_id;

-- name: critical
SELECT DISTINCT document_key
FROM holds
WHERE until IS NULL AND severity = 'critical';

-- name: add
INSERT INTO holds (company, document_key, document_no, rule, severity, message, since, batch_id)
VALUES (:company_code, :document_key, :document_no, :rule, :severity, :message, :since, :batch_id);

-- name: reword
UPDATE holds
SET severity = :severity, message = :message
WHERE hold_id = :hold_id;

-- name: end
UPDATE holds
SET until = :at
WHERE hold_id = :hold_id;

-- What people decided on documents, oldest first, so that the last word on each is the one that stands.
-- name: decisions
SELECT
    action,
    company,
    document_key,
    document_no,
    reason,
    operator,
    at
FROM decisions
WHERE subject = 'document' AND action IN ('hold', 'release')
ORDER BY decision_no;
