-- Statements on the closes of periods, by name.

-- name: open
INSERT INTO closes (period, state, version, opened_at, updated_at)
VALUES (:period, 'draft', 0, :at, :at)
ON CONFLICT (period) DO NOTHING;

-- name: find
SELECT
    closes.period,
    closes.state,
    closes.version,
    seals.sealed_at,
    seals.sealed_by,
    seals.pack_hash
FROM closes
LEFT JOIN seals ON closes.period = seals.period AND closes.version = seals.version
WHERE closes.period = :period;

-- name: preparers
SELECT
    operator,
    MAX(at) AS at
FROM close_events
WHERE period = :period AND version = :version AND action = 'drawn up'
GROUP BY operator
ORDER BY MAX(at) DESC;

-- name: reopenings
SELECT
    version,
    operator,
    at,
    reason
FROM close_events
WHERE period = :period AND action = 'reopened'
ORDER BY event_no;

-- name: seal
INSERT INTO seals (period, version, sealed_at, sealed_by, pack_hash, figures, batch_id)
VALUES (:period, :version, :at, :operator, :pack_hash, :figures, :batch_id);

-- name: move
UPDATE closes
SET state = :state, version = :version, updated_at = :at
WHERE period = :period;

-- name: keep_entries
INSERT INTO sealed_packs (period, version, entries, entries_hash, entry_count)
VALUES (:period, :version, :entries, :entries_hash, :entry_count);

-- name: append_event
INSERT INTO close_events (
    period, version, at, batch_id, operator, action, break_count, accepted_count, pack_hash, reason
)
VALUES (
    :period, :version, :at, :batch_id, :operator, :action, :break_count, :accepted_count, :pack_hash, :reason
);
