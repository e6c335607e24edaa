-- What is recorded of a batch, its steps and its requests, by name.

-- name: begin_batch
INSERT INTO batches (batch_id, started_at, today, jobs, operator)
VALUES (:batch_id, :at, :today, :jobs, :operator);

-- name: end_batch
UPDATE batches
SET ended_at = :at, exit_code = :exit_code, summary = :summary
WHERE batch_id = :batch_id;

-- name: begin_step
INSERT INTO steps (batch_id, position, job, step, started_at)
VALUES (:batch_id, :position, :job, :step, :at);

-- name: end_step
UPDATE steps
SET ended_at = :at, outcome = :outcome, row_count = :row_count, detail = :detail
WHERE batch_id = :batch_id AND position = :position;

-- name: is_job_done
SELECT COUNT(*) > 0 AND COUNT(*) = COUNT(CASE WHEN steps.outcome = 'done' THEN 1 END)
FROM steps
WHERE steps.batch_id = :batch_id AND steps.job = :job;

-- name: add_requests
INSERT INTO requests (month, side, job, operation, request_count)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (month, side, job, operation) DO UPDATE
SET request_count = requests.request_count + excluded.request_count;

-- Vouchers that the ledger's import has taken, and whose retry was asked for behind a decision of this number, or whose
-- correction an earlier run left without knowing what became of it.
-- name: asked_again
WITH asked AS (
    SELECT decisions.document_key
    FROM decisions
    WHERE decisions.action = 'retry' AND decisions.decision_no > :done
    UNION
    SELECT corrections.document_key
    FROM outbox AS corrections
    WHERE corrections.kind = 'correction' AND corrections.state NOT IN ('sent', 'failed')
)

SELECT
    outbox.id,
    outbox.document_key,
    outbox.document_no,
    outbox.company_code,
    outbox.owner_code,
    outbox.payload
-- In this order, and by the document: with the plus SQLite does not go through all vouchers for a few of them.
FROM asked
CROSS JOIN outbox
WHERE
    outbox.document_key = asked.document_key
    AND +outbox.kind = 'voucher'
    AND outbox.state = 'sent'
ORDER BY outbox.document_key;

-- What the other side has taken since a batch began, by kind. Only one batch is at work at a time. With the plus it is
-- found by its time, and nothing older is looked at.
-- name: sent
SELECT
    kind,
    COUNT(*) AS number
FROM outbox
WHERE updated_at >= :since AND sent_at >= :since AND state = 'sent'
GROUP BY +kind
ORDER BY kind;

-- What waits for somebody; documents and suppliers are counted once, however many rules hold them. The kinds one by one:
-- so the index by kind and state is used, and nothing of what was sent is looked at.
-- name: standing
WITH RECURSIVE kinds (kind) AS (
    SELECT MIN(outbox.kind)
    FROM outbox
    UNION ALL
    SELECT (SELECT MIN(later.kind) FROM outbox AS later WHERE later.kind > kinds.kind)
    FROM kinds
    WHERE kinds.kind IS NOT NULL
)

SELECT
    (
        SELECT COUNT(DISTINCT holds.document_key)
        FROM holds
        WHERE holds.until IS NULL AND holds.severity = 'critical'
    ) AS held,
    (SELECT COUNT(*) FROM rejected WHERE rejected.until IS NULL) AS set_aside,
    (
        SELECT COUNT(DISTINCT holds.document_no)
        FROM holds
        WHERE holds.until IS NULL AND holds.severity = 'critical' AND holds.document_key IS NULL
    ) AS bank_changes,
    (
        SELECT COUNT(*)
        FROM kinds
        CROSS JOIN outbox
        WHERE outbox.kind = kinds.kind AND outbox.state = 'unknown'
    ) AS unknown,
    (
        SELECT COUNT(*)
        FROM kinds
        CROSS JOIN outbox
        WHERE outbox.kind = kinds.kind AND outbox.state = 'failed'
    ) AS failed,
    (
        SELECT COUNT(*)
        FROM breaks
        WHERE breaks.until IS NULL AND (breaks.accepted_hash IS NULL OR breaks.accepted_hash <> breaks.figures_hash)
    ) AS breaks;
