-- What `springline status` lists from the control store, by the name of the member in its JSON.

-- name: batches
SELECT
    batch_id AS batch,
    started_at,
    ended_at,
    today,
    jobs,
    exit_code
FROM batches
ORDER BY started_at DESC
LIMIT 5;

-- name: held
SELECT
    document_no,
    document_key,
    company,
    rule,
    message,
    since
FROM holds
WHERE until IS NULL AND severity = 'critical'
ORDER BY since, document_key, rule;

-- name: warnings
SELECT
    document_no,
    document_key,
    company,
    rule,
    message,
    since
FROM holds
WHERE until IS NULL AND severity = 'warning'
ORDER BY since, document_key, rule;

-- name: undelivered
SELECT
    outbox.kind,
    outbox.natural_key,
    outbox.document_no,
    outbox.state,
    outbox.attempts,
    -- An intent that was never refused has no error of its own: its last event says why it still waits.
    COALESCE(
        outbox.last_error,
        (
            SELECT events.detail
            FROM outbox_events AS events
            WHERE events.outbox_id = outbox.id AND events.detail IS NOT NULL
            ORDER BY events.event_no DESC
            LIMIT 1
        ),
        'waits to be sent with the next run'
    ) AS message,
    outbox.updated_at AS since
FROM outbox
WHERE outbox.state <> 'sent'
ORDER BY outbox.updated_at, outbox.natural_key;

-- name: ignored
SELECT
    document_no,
    document_key,
    company,
    reason,
    operator,
    since
FROM ignored
WHERE until IS NULL
ORDER BY since;

-- name: not_ours
SELECT
    subject,
    company,
    code,
    reason,
    operator,
    since
FROM ignored_subjects
WHERE until IS NULL
ORDER BY since, subject_no;

-- name: rejected
SELECT
    side,
    entity,
    object_key,
    document_no,
    member,
    message,
    since
FROM rejected
WHERE until IS NULL
ORDER BY since, object_key;

-- name: breaks
-- A break that was accepted comes back once its figures are no longer those that were accepted.
SELECT
    kind,
    subject,
    company,
    document_no,
    message,
    next_step,
    since
FROM breaks
WHERE until IS NULL AND (accepted_hash IS NULL OR accepted_hash <> figures_hash)
ORDER BY since;

-- name: outbox
SELECT
    kind,
    state,
    COUNT(*) AS number
FROM outbox
GROUP BY kind, state
ORDER BY kind, state;

-- name: requests
SELECT
    side,
    job,
    SUM(request_count) AS number
FROM requests
WHERE month = :month
GROUP BY side, job;
