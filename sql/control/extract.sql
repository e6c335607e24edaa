-- What extract asks of the control store and keeps in it, by name.

-- name: acknowledged
-- Which of these document keys, a JSON list, are set to posted in the VMS by Springline itself.
SELECT document_key
FROM outbox
WHERE
    kind = 'acknowledgement'
    AND state = 'sent'
    AND document_key IN (SELECT keys.value FROM JSON_EACH(:keys) AS keys);

-- name: sent_since_import_was_read
SELECT COUNT(*)
FROM outbox
WHERE
    kind IN ('voucher', 'correction')
    AND updated_at > (SELECT cursors.moved_at FROM cursors WHERE cursors.source = 'ledger.import');

-- name: move_cursor
INSERT INTO cursors (source, value, batch_id, moved_at)
VALUES (:source, :value, :batch_id, :at)
ON CONFLICT (source) DO UPDATE
SET value = excluded.value, batch_id = excluded.batch_id, moved_at = excluded.moved_at;

-- name: set_aside
INSERT INTO rejected (
    side, entity, object_key, document_no, member, message, body, body_hash, since, batch_id
)
VALUES (
    :side, :entity, :key, :document_no, :member, :message, :body, :body_hash, :at, :batch_id
);
