-- What people are told by itself, by name: the conditions first, then what of them was told.

-- A document that two rules hold is one, with the message of the one that was first.
-- name: held
WITH standing AS (
    SELECT
        document_key,
        document_no,
        company,
        message,
        since,
        ROW_NUMBER() OVER (PARTITION BY document_key, document_no ORDER BY since, hold_id) AS place
    FROM holds
    WHERE until IS NULL AND severity = 'critical' AND rule <> 'bank_change'
)

SELECT
    document_key,
    document_no,
    company,
    message,
    since
FROM standing
WHERE place = 1 AND since <= :before
ORDER BY since, document_key NULLS FIRST;

-- name: undelivered
-- The kinds one by one: so the index by kind and state is used, and nothing of what was sent is looked at.
WITH RECURSIVE kinds (kind) AS (
    SELECT MIN(outbox.kind)
    FROM outbox
    UNION ALL
    SELECT (SELECT MIN(later.kind) FROM outbox AS later WHERE later.kind > kinds.kind)
    FROM kinds
    WHERE kinds.kind IS NOT NULL
)

SELECT
    outbox.kind,
    outbox.natural_key,
    outbox.document_no,
    outbox.state,
    outbox.last_error,
    COALESCE(outbox.attempted_at, outbox.updated_at) AS since
FROM kinds
CROSS JOIN outbox
WHERE
    outbox.kind = kinds.kind
    AND outbox.state IN ('todo', 'sending', 'unknown', 'failed')
    AND (outbox.state = 'failed' OR (outbox.attempts > 0 AND outbox.updated_at <= :before))
ORDER BY since, outbox.kind, outbox.natural_key;

-- name: breaks
SELECT
    break_id,
    kind,
    subject,
    message,
    SUBSTR(COALESCE(period_month, since), 1, 7) AS period
FROM breaks
WHERE until IS NULL AND accepted_hash IS NOT figures_hash
ORDER BY break_id;

-- name: sealed
SELECT period
FROM closes
WHERE state = 'sealed';

-- name: bank_changes
SELECT
    partner_code,
    MIN(seen_at) AS seen_at,
    MIN(seen_by) AS seen_by
FROM bank_changes
WHERE decision IS NULL
GROUP BY partner_code
HAVING MIN(seen_at) <= :before
ORDER BY MIN(seen_at);

-- name: webhooks
SELECT
    side,
    name,
    state,
    checked_at
FROM webhooks
WHERE removed_at IS NULL AND state NOT IN ('active', 'RUNNING', 'RECOVERING')
ORDER BY side, name;

-- name: requests_of_ledger
SELECT COALESCE(SUM(request_count), 0)
FROM requests
WHERE month = :month AND side = 'ledger';

-- name: watch
SELECT
    watch_id,
    started_at,
    seen_at,
    address
FROM watches
WHERE ended_at IS NULL
ORDER BY started_at DESC
LIMIT 1;

-- name: newest_batch
SELECT
    started_at,
    ended_at
FROM batches
WHERE batch_id = (SELECT MAX(newest.batch_id) FROM batches AS newest);

-- name: standing
SELECT
    alert_id,
    kind,
    subject,
    text,
    began_at,
    told_at
FROM alerts
WHERE over_at IS NULL
ORDER BY alert_id;

-- name: begin
INSERT INTO alerts (kind, subject, text, began_at)
VALUES (:kind, :subject, :text, :at)
-- Another process may have found it at the same moment.
ON CONFLICT (kind, subject) WHERE over_at IS NULL DO NOTHING;

-- name: reword
UPDATE alerts
SET text = :text
WHERE alert_id = :alert_id;

-- name: end
UPDATE alerts
SET over_at = :at
WHERE alert_id = :alert_id AND over_at IS NULL;

-- name: to_tell
SELECT
    alert_id,
    kind,
    subject,
    text,
    began_at,
    over_at,
    told_at
FROM alerts
WHERE (told_at IS NULL OR over_at IS NOT NULL) AND over_told_at IS NULL
ORDER BY alert_id;

-- Also of what was over before anybody could be told: then the note that it is over says both.
-- name: told
UPDATE alerts
SET
    told_at = COALESCE(told_at, :at),
    over_told_at = CASE WHEN over_at IS NOT NULL AND :is_over = 1 THEN :at END
WHERE alert_id = :alert_id;

-- name: tell_nobody
UPDATE alerts
SET over_told_at = :at
WHERE over_at IS NOT NULL AND over_told_at IS NULL;
