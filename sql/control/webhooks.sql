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
WHERE side IN ('vms', 'ledger') AND received_at < ?;

-- name: subscriptions
SELECT
    side,
    name,
    subscription,
    registered_at,
    state,
    checked_at,
    removed_at
FROM webhooks
WHERE side = ? AND removed_at IS NULL
ORDER BY name, registered_at;

-- name: replaced_since
SELECT COUNT(*)
FROM webhooks
WHERE side = ? AND name = ? AND state IN (?, ?) AND removed_at >= ?;

-- name: all_subscriptions
SELECT
    side,
    name,
    subscription,
    registered_at,
    state,
    checked_at,
    removed_at
FROM webhooks
WHERE removed_at IS NULL
ORDER BY side DESC, name ASC;

-- name: note_subscription
INSERT INTO webhooks (side, name, subscription, registered_at, state, checked_at)
VALUES (:side, :name, :subscription, :at, :state, :at)
ON CONFLICT (side, subscription) DO UPDATE
SET name = excluded.name, state = excluded.state, checked_at = excluded.checked_at, removed_at = NULL;

-- name: note_state
UPDATE webhooks
SET state = :state, checked_at = :at
WHERE side = :side AND subscription = :subscription;

-- The other side may have given it a key that it gave once before.
-- name: forget_before_made
DELETE FROM webhooks
WHERE side = :side AND subscription = :made AND :made <> :subscription;

-- name: note_made
UPDATE webhooks
SET subscription = :made, state = :state, checked_at = :at
WHERE side = :side AND subscription = :subscription;

-- name: end_subscription
UPDATE webhooks
SET removed_at = :at, state = :state
WHERE side = :side AND subscription = :subscription;

-- name: forget_subscription
DELETE FROM webhooks
WHERE side = ? AND subscription = ?;
