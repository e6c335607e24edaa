-- Statements on the closes of periods, by name.

-- name: open
INSERT INTO closes (period, state, opened_at, updated_at)
VALUES (:period, 'draft', :at, :at)
ON CONFLICT (period) DO NOTHING;

-- name: seal
UPDATE closes
SET
    state = 'sealed',
    sealed_at = :at,
    sealed_by = :operator,
    pack_hash = :pack_hash,
    figures = :figures,
    batch_id = :batch_id,
    updated_at = :at
WHERE period = :period;

-- name: keep_entries
INSERT INTO sealed_packs (period, entries, entries_hash, entry_count)
VALUES (:period, :entries, :entries_hash, :entry_count);

-- name: append_event
INSERT INTO close_events (
    period, at, batch_id, operator, action, break_count, accepted_count, pack_hash
)
VALUES (
    :period, :at, :batch_id, :operator, :action, :break_count, :accepted_count, :pack_hash
);
