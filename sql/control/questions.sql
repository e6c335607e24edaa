-- What the questions ask of the control store, by name.

-- name: intents
SELECT
    id,
    kind,
    natural_key,
    target,
    state,
    attempts,
    error_code,
    last_error,
    look_up,
    remote_ids,
    created_at,
    updated_at,
    sent_at
FROM outbox
WHERE document_key = :document_key
ORDER BY created_at, kind;

-- name: events
SELECT
    event_no,
    at,
    batch_id,
    from_state,
    to_state,
    detail,
    hash
FROM outbox_events
WHERE outbox_id = :intent
ORDER BY event_no;

-- name: events_with_the_hash_before
-- Each event of a document, with the hash that its link to the event before it must have.
SELECT
    events.event_no,
    events.outbox_id,
    events.at,
    events.batch_id,
    events.from_state,
    events.to_state,
    events.payload_hash,
    events.detail,
    events.previous_hash,
    events.hash,
    COALESCE(earlier.hash, :genesis) AS expected
FROM outbox_events AS events
LEFT JOIN outbox_events AS earlier ON earlier.event_no = events.event_no - 1
WHERE
    events.outbox_id IN (
        SELECT outbox.id
        FROM outbox
        WHERE outbox.document_key = :document_key
    )
ORDER BY events.event_no;

-- name: called
-- The documents that a sent voucher or payment calls so: all that is known of it when no table can be read.
SELECT
    document_key,
    CASE kind WHEN 'payment' THEN 'payment' ELSE 'invoice number' END AS what
FROM outbox
WHERE
    (kind = 'payment' AND UPPER(natural_key) = :text)
    OR (
        kind = 'voucher'
        AND (
            UPPER(JSON_EXTRACT(look_up, '$.invoice_number')) = :text
            OR UPPER(JSON_EXTRACT(look_up, '$.subledger') || ' ' || JSON_EXTRACT(look_up, '$.invoice_number')) = :text
        )
    );

-- name: break_by_number
SELECT
    break_id,
    kind,
    subject,
    document_key,
    document_no,
    message,
    next_step
FROM breaks
WHERE break_id = :number;

-- name: breaks_about
SELECT
    break_id,
    kind,
    message,
    next_step
FROM breaks
WHERE until IS NULL AND subject = :subject;

-- name: sent_payload
SELECT payload
FROM outbox
WHERE kind = 'voucher' AND document_key = :document_key;

-- name: holds
SELECT
    rule,
    severity,
    message,
    since,
    until
FROM holds
WHERE document_key = :document_key
ORDER BY hold_id;

-- A break names its document by key; one that the ledger alone has, by the number.
-- name: breaks_on
SELECT
    break_id,
    kind,
    message,
    next_step,
    since,
    COALESCE(accepted_hash = figures_hash, FALSE) AS is_accepted,
    CASE WHEN accepted_hash = figures_hash THEN accepted_by END AS accepted_by,
    CASE WHEN accepted_hash = figures_hash THEN accepted_reason END AS accepted_reason,
    comment
FROM breaks
WHERE until IS NULL AND (document_key = :document_key OR (document_key IS NULL AND document_no = :document_no))
ORDER BY break_id;

-- name: set_aside
-- The key is text here, because the ledger's objects stand in this table too; a broken document may have none.
SELECT message
FROM rejected
WHERE
    side = 'vms'
    AND entity = 'Document'
    AND until IS NULL
    AND (object_key = CAST(:document_key AS TEXT) OR document_no = :document_no)
ORDER BY rejected_id DESC;

-- name: waiting_bank_change
-- Holds on a supplier have its code in the place of a document number.
SELECT message
FROM holds
WHERE rule = :rule AND document_no = :partner_code AND until IS NULL;

-- name: all_set_aside
SELECT
    document_no,
    object_key,
    message
FROM rejected
WHERE entity = 'Document' AND until IS NULL
ORDER BY object_key NULLS FIRST;
