-- What moves whenever a table of the control store does, by its name. Rows are never removed from these tables, so the
-- highest number tells what was added, and the latest `until` what has ended.

-- name: outbox_events
SELECT
    event_no,
    hash
FROM outbox_events
ORDER BY event_no DESC
LIMIT 1;

-- name: decisions
SELECT
    COUNT(*),
    MAX(decision_no)
FROM decisions;

-- name: break_decisions
SELECT MAX(decision_no)
FROM break_decisions;

-- name: ignored
SELECT
    COUNT(*),
    MAX(COALESCE(until, since))
FROM ignored;

-- name: bank_changes
SELECT
    COUNT(*),
    MAX(COALESCE(decided_at, seen_at))
FROM bank_changes;

-- name: supplier_accounts
SELECT
    COUNT(*),
    MAX(seen_at)
FROM supplier_accounts;

-- name: rejected
SELECT
    COUNT(*),
    MAX(rejected_id),
    MAX(until)
FROM rejected;

-- name: holds
SELECT
    COUNT(*),
    MAX(hold_id),
    MAX(until)
FROM holds;

-- name: breaks
SELECT
    COUNT(*),
    MAX(break_id),
    MAX(until),
    MAX(accepted_at),
    MAX(comment)
FROM breaks;

-- name: closes
SELECT
    COUNT(*),
    MAX(updated_at)
FROM closes;

-- name: close_events
SELECT MAX(event_no)
FROM close_events;

-- Messages and figures change in place, without a new number.
-- name: open holds
SELECT
    hold_id,
    message
FROM holds
WHERE until IS NULL
ORDER BY hold_id;

-- name: open breaks
SELECT
    break_id,
    message,
    next_step,
    figures_hash,
    accepted_by,
    accepted_at,
    accepted_hash,
    accepted_reason,
    comment,
    period_month
FROM breaks
WHERE until IS NULL
ORDER BY break_id;

-- name: built models
SELECT
    name,
    value
FROM meta
WHERE name LIKE '%built_from'
ORDER BY name;
