-- What a watch keeps of itself, of the runs that commands ask it for, and of what makes a job due; by name.

-- name: begin_watch
INSERT INTO watches (watch_id, started_at, seen_at, host, pid, operator)
VALUES (:watch_id, :at, :at, :host, :pid, :operator);

-- name: answer_at
UPDATE watches
SET address = :address
WHERE watch_id = :watch_id;

-- name: beat
UPDATE watches
SET seen_at = :at
WHERE watch_id = :watch_id;

-- name: end_watch
UPDATE watches
SET ended_at = :at
WHERE watch_id = :watch_id AND ended_at IS NULL;

-- name: open_watches
SELECT
    watch_id,
    started_at,
    seen_at,
    host,
    pid,
    address,
    operator
FROM watches
WHERE ended_at IS NULL
ORDER BY started_at DESC;

-- name: place_order
INSERT INTO orders (ordered_at, operator, jobs, today)
VALUES (:at, :operator, :jobs, :today)
RETURNING order_id;

-- name: waiting_order
SELECT MIN(order_id)
FROM orders
WHERE watch_id IS NULL AND ended_at IS NULL;

-- name: take_order
UPDATE orders
SET watch_id = :watch_id
WHERE order_id = :order_id AND watch_id IS NULL AND ended_at IS NULL
RETURNING order_id, operator, jobs, today;

-- name: begin_order
UPDATE orders
SET batch_id = :batch_id
WHERE order_id = :order_id;

-- name: end_order
UPDATE orders
SET ended_at = :at, problem = :problem
WHERE order_id = :order_id;

-- name: withdraw_order
UPDATE orders
SET ended_at = :at, problem = :problem
WHERE order_id = :order_id AND watch_id IS NULL;

-- What a watch that was killed had taken; whoever ordered it sees that the watch has gone.
-- name: give_up_orders
UPDATE orders
SET ended_at = :at, problem = :problem
WHERE watch_id IS NOT NULL AND watch_id <> :watch_id AND ended_at IS NULL;

-- name: order
SELECT
    orders.watch_id,
    orders.batch_id,
    orders.ended_at,
    orders.problem,
    batches.exit_code,
    batches.summary
FROM orders
LEFT JOIN batches ON orders.batch_id = batches.batch_id
WHERE orders.order_id = :order_id;

-- name: steps_since
SELECT
    position,
    job,
    step
FROM steps
WHERE batch_id = :batch_id AND position > :position
ORDER BY position;

-- The latest batch: while it has no end it holds the warehouse, or was killed.
-- name: latest_batch
SELECT
    batch_id,
    started_at,
    ended_at,
    jobs
FROM batches
ORDER BY started_at DESC
LIMIT 1;

-- name: events_waiting
SELECT DISTINCT
    side,
    job
FROM webhook_events
WHERE batch_id IS NULL;

-- By the order of writing and not by the clock, which may be set back between a call and its batch.
-- name: events_taken
UPDATE webhook_events
SET batch_id = :batch_id
WHERE batch_id IS NULL AND job IN (SELECT listed.value FROM JSON_EACH(:jobs) AS listed);

-- One that Springline wrote itself, when it made a subscription, is no call.
-- name: last_event
SELECT MAX(received_at)
FROM webhook_events
WHERE side = 'vms' AND event_id NOT LIKE 'made %';

-- Jobs of batches that came to their end, with how many of their steps were done: a dry run leaves some out.
-- name: jobs_done
SELECT
    steps.job,
    batches.started_at,
    batches.ended_at,
    COUNT(*) AS done
FROM batches
INNER JOIN steps ON batches.batch_id = steps.batch_id
WHERE batches.ended_at IS NOT NULL AND batches.started_at >= :since AND steps.outcome = 'done'
GROUP BY batches.batch_id, steps.job
ORDER BY batches.started_at;

-- When anything was last sent, begun or refused: what was sent since the last comparison is still to be compared.
-- name: last_move
SELECT MAX(updated_at)
FROM outbox;

-- name: failed_jobs
SELECT DISTINCT job
FROM steps
WHERE batch_id = :batch_id AND outcome = 'failed';

-- name: acknowledged
SELECT document_key
FROM outbox
WHERE
    kind = 'acknowledgement' AND state = 'sent'
    AND document_key IN (SELECT CAST(listed.value AS INTEGER) FROM JSON_EACH(:keys) AS listed);

-- Which kinds have sends that are not settled: the next run looks them up. By kind, so that it stays a look at an index.
-- name: unsettled
SELECT DISTINCT kinds.value AS kind
FROM JSON_EACH(:kinds) AS kinds
INNER JOIN outbox ON kinds.value = outbox.kind AND outbox.state IN ('todo', 'sending', 'unknown');

-- name: decided
SELECT
    (SELECT MAX(decision_no) FROM decisions) AS documents,
    (SELECT MAX(decision_no) FROM break_decisions) AS breaks,
    (SELECT COUNT(*) || COALESCE(MAX(COALESCE(until, since)), '') FROM ignored_subjects) AS subjects;

-- name: ledger_requests
SELECT COALESCE(SUM(request_count), 0)
FROM requests
WHERE side = 'ledger' AND month = :month;
