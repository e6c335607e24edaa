-- Statements of the outbox, by name; lists of ids come in as one JSON array, which no variable limit cuts short.

-- name: present
SELECT
    id,
    state,
    payload_hash,
    source_hash
FROM outbox
WHERE id IN (SELECT listed.value FROM JSON_EACH(:ids) AS listed);

-- name: insert
INSERT INTO outbox (
    id, kind, natural_key, target, company_code, owner_code, document_key, document_no, state,
    payload, payload_hash, source_hash, look_up, batch_id, created_at, updated_at
)
VALUES (
    :id, :kind, :natural_key, :target, :company_code, :owner_code, :document_key, :document_no, 'todo',
    :payload, :payload_hash, :source_hash, :look_up, :batch_id, :at, :at
);

-- name: rebuild
UPDATE outbox
SET
    company_code = :company_code,
    owner_code = :owner_code,
    document_no = :document_no,
    state = 'todo',
    payload = :payload,
    payload_hash = :payload_hash,
    source_hash = :source_hash,
    look_up = :look_up,
    batch_id = :batch_id,
    updated_at = :at
WHERE id = :id;

-- name: payload
UPDATE outbox
SET
    payload = :payload,
    payload_hash = :payload_hash,
    updated_at = :at
WHERE id = :id AND state = 'todo';

-- name: move
UPDATE outbox
SET
    state = :to_state,
    attempts = attempts + CASE WHEN :to_state = 'sending' THEN 1 ELSE 0 END,
    attempted_at = CASE WHEN :to_state = 'sending' THEN :at ELSE attempted_at END,
    sent_at = CASE WHEN :to_state = 'sent' THEN :at ELSE sent_at END,
    remote_ids = COALESCE(:remote_ids, remote_ids),
    error_code = CASE WHEN :to_state = 'sent' THEN NULL ELSE COALESCE(:error_code, error_code) END,
    last_error = CASE WHEN :to_state = 'sent' THEN NULL ELSE COALESCE(:last_error, last_error) END,
    updated_at = :at
WHERE id = :id;

-- name: last_event
SELECT
    event_no,
    hash
FROM outbox_events
ORDER BY event_no DESC
LIMIT 1;

-- name: append_event
INSERT INTO outbox_events (
    event_no, outbox_id, at, batch_id, from_state, to_state, payload_hash, detail, previous_hash, hash
)
VALUES (
    :event_no, :outbox_id, :at, :batch_id, :from_state, :to_state, :payload_hash, :detail, :previous_hash, :hash
);

-- name: entries
SELECT
    id,
    kind,
    natural_key,
    state,
    company_code,
    owner_code,
    document_key,
    document_no,
    attempts,
    attempted_at,
    error_code,
    last_error,
    look_up,
    remote_ids
FROM outbox
WHERE kind = :kind AND state IN (SELECT listed.value FROM JSON_EACH(:states) AS listed)
ORDER BY document_key NULLS FIRST, natural_key;

-- name: vouchers
-- By the number, because of the plus.
SELECT
    outbox.id,
    outbox.kind,
    outbox.natural_key,
    outbox.state,
    outbox.company_code,
    outbox.owner_code,
    outbox.document_key,
    outbox.document_no,
    outbox.attempts,
    outbox.attempted_at,
    outbox.error_code,
    outbox.last_error,
    outbox.look_up,
    outbox.remote_ids
FROM JSON_EACH(:numbers) AS listed
CROSS JOIN outbox
WHERE outbox.document_no = listed.value AND +outbox.kind = 'voucher'
ORDER BY outbox.document_key NULLS FIRST, outbox.natural_key;

-- name: versions
SELECT
    stems.value AS stem,
    o.natural_key,
    o.state,
    o.source_hash,
    o.remote_ids,
    o.error_code
FROM JSON_EACH(:stems) AS stems
-- The next character after # is $, so this is the range of all versions of a stem, and the unique index serves it.
INNER JOIN outbox AS o
    ON o.kind = :kind AND o.natural_key >= stems.value || '#' AND o.natural_key < stems.value || '$';

-- name: payloads
SELECT
    id,
    payload
FROM outbox
WHERE id IN (SELECT listed.value FROM JSON_EACH(:ids) AS listed);

-- name: in_flight
SELECT id
FROM outbox
WHERE state = 'sending' AND kind IN (SELECT listed.value FROM JSON_EACH(:kinds) AS listed);

-- name: events_page
SELECT
    event_no,
    outbox_id,
    at,
    batch_id,
    from_state,
    to_state,
    payload_hash,
    detail,
    previous_hash,
    hash
FROM outbox_events
WHERE event_no > :after
ORDER BY event_no
LIMIT :page;

-- name: payload_page
SELECT
    id,
    payload,
    payload_hash
FROM outbox
WHERE id > :after
ORDER BY id
LIMIT :page;

-- name: out_of_step
WITH last_events AS (
    SELECT
        outbox_id,
        MAX(event_no) AS event_no
    FROM outbox_events
    GROUP BY outbox_id
)

SELECT
    o.id,
    o.state,
    e.to_state
FROM outbox AS o
LEFT JOIN last_events AS l ON o.id = l.outbox_id
LEFT JOIN outbox_events AS e ON l.event_no = e.event_no
WHERE e.event_no IS NULL OR e.to_state <> o.state OR e.payload_hash <> o.payload_hash
ORDER BY o.id
LIMIT :page;

-- name: events_issued
SELECT seq
FROM sqlite_sequence
WHERE name = 'outbox_events';

-- name: sent_ids
-- What the other side answered to each outward write of a kind, a version behind the one before it.
SELECT
    natural_key,
    remote_ids
FROM outbox
WHERE kind = :kind AND state = 'sent'
ORDER BY LENGTH(natural_key), natural_key;
