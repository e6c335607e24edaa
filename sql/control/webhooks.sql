-- Calls of both systems, and the subscriptions there, by name.

-- name: add_event
INSERT INTO webhook_events (side, event_id, received_at, job, subject)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (side, event_id) DO NOTHING;

-- name: waiting
SELECT COUNT(*)
FROM webhook_events
WHERE batch_id IS NULL;

-- name: forget_events
DELETE FROM webhook_events
WHERE received_at < ?;
