-- Statements on the breaks, by name.

-- name: open
INSERT INTO breaks (
    kind, subject, company, document_key, document_no, message, next_step, figures_hash, since, batch_id
)
VALUES (
    :kind, :subject, :company, :document_key, :document_no, :message, :next_step, :figures_hash, :at, :batch_id
)
ON CONFLICT (kind, subject) WHERE until IS NULL DO UPDATE
SET
    message = excluded.message,
    next_step = excluded.next_step,
    figures_hash = excluded.figures_hash,
    batch_id = excluded.batch_id;

-- name: close
UPDATE breaks
SET until = :at
WHERE kind = :kind AND subject = :subject AND until IS NULL;
