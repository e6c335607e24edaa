-- What people decided on documents, by name.

-- name: append
INSERT INTO decisions (action, subject, company, document_key, document_no, reason, operator, at)
VALUES (:action, :subject, :company, :document_key, :document_no, :reason, :operator, :at);

-- name: on_document
SELECT
    decision_no,
    action,
    company,
    document_key,
    document_no,
    reason,
    operator,
    at
FROM decisions
WHERE
    subject = 'document'
    AND (
        document_key = :key
        OR (document_no = :number AND document_key IS NULL AND (company IS NULL OR company = :company OR :company IS NULL))
    )
ORDER BY decision_no;

-- By number alone an entry counts for a document that had not been read when the person decided.
-- name: ignored
SELECT
    rowid AS row_no,
    reason,
    operator,
    since
FROM ignored
WHERE until IS NULL AND (document_key = :key OR (document_key IS NULL AND document_no = :number));

-- name: ignore
INSERT INTO ignored (company, document_key, document_no, reason, operator, since)
VALUES (:company, :document_key, :document_no, :reason, :operator, :at);

-- Numbers that were decided on before any document with them was read.
-- name: by_number_alone
SELECT document_no
FROM decisions
WHERE subject = 'document' AND document_key IS NULL
UNION
SELECT document_no
FROM ignored
WHERE until IS NULL AND document_key IS NULL;

-- name: name_document
UPDATE decisions
SET document_key = :document_key, company = :company
WHERE
    subject = 'document' AND document_key IS NULL AND document_no = :document_no AND COALESCE(company, :company) = :company;

-- name: name_ignored
UPDATE ignored
SET document_key = :document_key, company = :company
WHERE
    until IS NULL AND document_key IS NULL AND document_no = :document_no AND COALESCE(company, :company) = :company;

-- What people have put on hold since the last batch began. A batch that was at work while somebody decided may have made
-- its hold already: that one is not told twice. By its key a document is the same in whatever company, under whatever number.
-- name: holds_to_come
SELECT
    held.document_no,
    held.document_key,
    held.company,
    'held_by_person' AS rule,
    'from the next run on: put on hold by ' || held.operator || ' (' || held.reason
    || '). `springline release ' || held.document_no || ' --reason …` lifts it.' AS message,
    held.at AS since,
    held.operator AS holder
FROM decisions AS held
WHERE
    held.action = 'hold' AND held.subject = 'document'
    AND held.at >= COALESCE((SELECT MAX(batches.started_at) FROM batches), '')
    AND NOT EXISTS (
        SELECT 1
        FROM decisions AS later
        WHERE
            later.decision_no > held.decision_no AND later.subject = 'document' AND later.action IN ('hold', 'release')
            AND COALESCE(
                later.document_key = held.document_key,
                later.document_no = held.document_no AND COALESCE(later.company = held.company, TRUE)
            )
    )
    AND NOT EXISTS (
        SELECT 1
        FROM holds
        WHERE
            holds.until IS NULL AND holds.rule = 'held_by_person'
            AND COALESCE(
                holds.document_key = held.document_key,
                holds.document_no = held.document_no AND COALESCE(holds.company = held.company, TRUE)
            )
    )
ORDER BY held.at, held.document_no NULLS FIRST;

-- Every place of the control store that names documents; a rejected one may have neither company nor readable key.
-- name: documents_named
SELECT
    document_no,
    document_key,
    company_code AS company
FROM outbox
-- By number or key, because of the plus.
WHERE +kind = 'voucher' AND (document_no = :text OR document_key = :key)
UNION
SELECT
    document_no,
    document_key,
    company
FROM holds
WHERE document_key IS NOT NULL AND (document_no = :text OR document_key = :key)
UNION
SELECT
    document_no,
    document_key,
    company
FROM decisions
WHERE subject = 'document' AND (document_no = :text OR document_key = :key)
UNION
SELECT
    document_no,
    document_key,
    company
FROM ignored
WHERE document_no = :text OR document_key = :key
UNION
SELECT
    document_no,
    CASE
        WHEN object_key = '' OR LTRIM(object_key, '0123456789') <> '' OR LENGTH(object_key) > 18 THEN 0
        ELSE CAST(object_key AS INTEGER)
    END AS document_key,
    NULL AS company
FROM rejected
WHERE
    side = 'vms' AND entity = 'Document' AND (document_no = :text OR object_key = CAST(:key AS TEXT))
ORDER BY document_no NULLS FIRST, document_key NULLS FIRST, company NULLS FIRST;

-- What the rules (not the people) that hold a document say.
-- name: rules_holding
SELECT message
FROM holds
WHERE document_key = :key AND until IS NULL AND severity = 'critical' AND rule <> 'held_by_person'
ORDER BY hold_id;

-- The holds that a rebuilt or restored store has put on, and on which nobody has said a word since.
-- name: recovered
WITH last_words AS (
    SELECT
        document_key,
        MAX(decision_no) AS decision_no
    FROM decisions
    WHERE subject = 'document' AND document_key IS NOT NULL AND action IN ('hold', 'release')
    GROUP BY document_key
)

SELECT
    d.company,
    d.document_key,
    d.document_no
FROM decisions AS d
INNER JOIN last_words AS l ON d.decision_no = l.decision_no
WHERE d.action = 'hold' AND d.reason = :reason
ORDER BY d.decision_no;
