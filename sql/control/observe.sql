-- What /metrics reads at a scrape, by name. What grows with every document is read from where the last scrape ended.

-- name: outbox
-- All of it once, when a process begins; with the last event, as one statement, so that nothing comes in between.
SELECT
    kind,
    state,
    COUNT(*) AS number
FROM outbox
GROUP BY kind, state
UNION ALL
SELECT
    'event' AS kind,
    'last' AS state,
    COALESCE(MAX(event_no), 0) AS number
FROM outbox_events;

-- name: last_event
SELECT COALESCE(MAX(event_no), 0)
FROM outbox_events;

-- name: moves
SELECT
    outbox.kind,
    events.from_state,
    events.to_state,
    COUNT(*) AS number
FROM outbox_events AS events
INNER JOIN outbox ON events.outbox_id = outbox.id
WHERE events.event_no > :after AND events.event_no <= :until
GROUP BY outbox.kind, events.from_state, events.to_state;

-- Ready for posting is the moment at which the VMS called about the document before its voucher was stored. It is the
-- start of the batch that stored the voucher where the VMS does not call, or where something has held the document since.
-- name: sent
WITH sent AS MATERIALIZED (
    SELECT
        events.at,
        outbox.kind,
        outbox.document_key
    FROM outbox_events AS events
    -- CROSS keeps this order, and a sign leaves the index of the kind alone, which goes through all that was ever sent.
    CROSS JOIN outbox
    WHERE
        events.event_no > :after AND events.event_no <= :until
        AND events.to_state = 'sent'
        AND events.outbox_id = outbox.id
        AND +outbox.kind IN ('voucher', 'acknowledgement')
),

vouchers AS MATERIALIZED (
    SELECT
        outbox.document_key,
        outbox.created_at,
        (
            SELECT batches.started_at
            FROM outbox_events AS stored
            INNER JOIN batches ON stored.batch_id = batches.batch_id
            WHERE stored.outbox_id = outbox.id
            ORDER BY stored.event_no
            LIMIT 1
        ) AS began_at
    FROM outbox
    WHERE +outbox.kind = 'voucher' AND outbox.document_key IN (SELECT sent.document_key FROM sent)
),

of_vms AS MATERIALIZED (
    SELECT
        CAST(SUBSTR(subject, LENGTH('Document ') + 1) AS INTEGER) AS document_key,
        received_at
    FROM webhook_events
    -- By the key SQLite would take these for few, and make no index for the join.
    WHERE +side = 'vms' AND subject LIKE 'Document %'
),

calls AS (
    SELECT
        vouchers.document_key,
        MAX(of_vms.received_at) AS called_at
    FROM vouchers
    INNER JOIN of_vms
        ON vouchers.document_key = of_vms.document_key AND vouchers.created_at >= of_vms.received_at
    GROUP BY vouchers.document_key
),

held AS (
    SELECT
        holds.document_key,
        MAX(holds.until) AS until
    FROM holds
    WHERE holds.severity = 'critical' AND holds.document_key IN (SELECT calls.document_key FROM calls)
    GROUP BY holds.document_key
)

SELECT
    sent.kind,
    sent.at,
    CASE WHEN calls.called_at > COALESCE(held.until, '') THEN calls.called_at ELSE vouchers.began_at END AS ready_at
FROM sent
INNER JOIN vouchers ON sent.document_key = vouchers.document_key
LEFT JOIN calls ON vouchers.document_key = calls.document_key
LEFT JOIN held ON vouchers.document_key = held.document_key
WHERE vouchers.began_at IS NOT NULL;

-- name: last_batch
SELECT COALESCE(MAX(batch_id), '')
FROM batches;

-- name: batches
SELECT
    batch_id,
    started_at,
    ended_at,
    exit_code
FROM batches
WHERE batch_id > :after
ORDER BY batch_id
LIMIT 1000;

-- name: steps
SELECT
    job,
    step,
    started_at,
    ended_at
FROM steps
WHERE batch_id > :after AND batch_id <= :until AND ended_at IS NOT NULL;

-- name: breaks
SELECT
    kind AS label,
    COUNT(*) AS number
FROM breaks
WHERE until IS NULL AND accepted_hash IS NOT figures_hash
GROUP BY kind
ORDER BY number DESC, kind ASC;

-- name: held
SELECT
    rule AS label,
    COUNT(DISTINCT COALESCE(CAST(document_key AS TEXT), document_no)) AS number
FROM holds
WHERE until IS NULL AND severity = 'critical'
GROUP BY rule
ORDER BY number DESC, rule ASC;

-- name: requests
SELECT
    side,
    SUM(request_count) AS number
FROM requests
WHERE month = :month
GROUP BY side
ORDER BY side;
