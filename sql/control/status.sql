-- What `springline status` lists from the control store, by the name of the member in its JSON.

-- name: batches
SELECT
    batch_id AS batch,
    started_at,
    ended_at,
    today,
    jobs,
    operator,
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
    since,
    -- Who put it on hold, where a person did.
    (
        SELECT decisions.operator
        FROM decisions
        WHERE
            holds.rule = 'held_by_person' AND decisions.action = 'hold'
            AND (
                decisions.document_key = holds.document_key
                OR (decisions.document_key IS NULL AND decisions.document_no = holds.document_no)
            )
        ORDER BY decisions.decision_no DESC
        LIMIT 1
    ) AS holder
FROM holds
WHERE until IS NULL AND severity = 'critical'
ORDER BY since, document_key NULLS FIRST, rule;

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
ORDER BY since, document_key NULLS FIRST, rule;

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
ORDER BY since, object_key NULLS FIRST;

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
GROUP BY side, job
ORDER BY side, job;
