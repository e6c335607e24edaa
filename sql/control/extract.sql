-- What extract asks of the control store and keeps in it, by name.

-- name: acknowledged
-- Which of these document keys, a JSON list, are set to posted in the VMS by Springline itself. With the plus each is
-- found by itself; all that was ever acknowledged is not looked at.
SELECT outbox.document_key
FROM JSON_EACH(:keys) AS keys
CROSS JOIN outbox
WHERE
    outbox.document_key = CAST(keys.value AS INTEGER)
    AND +outbox.kind = 'acknowledgement'
    AND outbox.state = 'sent';

-- name: sent_since_import_was_read
-- Found by its time, because of the plus.
SELECT COUNT(*)
FROM outbox
WHERE
    +kind IN ('voucher', 'correction')
    AND updated_at > (SELECT cursors.moved_at FROM cursors WHERE cursors.source = 'ledger.import');

-- name: last_written
-- When anything but a voucher was written to the ledger last.
SELECT MAX(updated_at)
FROM outbox
WHERE
    kind IN ('company', 'correction', 'cost_centre', 'customer', 'project', 'supplier')
    AND target = 'ledger';

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
