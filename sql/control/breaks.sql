-- Statements on the breaks, by name.

-- name: open
INSERT INTO breaks (
    kind, subject, company, document_key, document_no, message, next_step, figures_hash, since, batch_id, period_month
)
VALUES (
    :kind, :subject, :company, :document_key, :document_no, :message, :next_step, :figures_hash, :at, :batch_id,
    :period_month
)
ON CONFLICT (kind, subject) WHERE until IS NULL DO UPDATE
SET
    message = excluded.message,
    next_step = excluded.next_step,
    figures_hash = excluded.figures_hash,
    batch_id = excluded.batch_id,
    period_month = excluded.period_month
-- One that stands as it did is left alone: nothing follows from it anew.
WHERE
breaks.message <> excluded.message
OR breaks.next_step <> excluded.next_step
OR breaks.figures_hash <> excluded.figures_hash
OR breaks.period_month IS NOT excluded.period_month;

-- name: accepted
SELECT
    break_id,
    kind,
    subject,
    message,
    accepted_hash
FROM breaks
WHERE until IS NULL AND accepted_hash = figures_hash;

-- name: rebind
UPDATE breaks
SET accepted_hash = :figures_hash
WHERE break_id = :break_id;

-- name: close
UPDATE breaks
SET until = :at, end_reason = :reason
WHERE kind = :kind AND subject = :subject AND until IS NULL;

-- An acceptance whose figures have moved is none, and nobody's.
-- name: list
SELECT
    break_id,
    kind,
    subject,
    company,
    document_key,
    document_no,
    SUBSTR(COALESCE(period_month, since), 1, 7) AS period,
    message,
    next_step,
    since,
    until,
    end_reason,
    figures_hash,
    COALESCE(accepted_hash = figures_hash, FALSE) AS is_accepted,
    CASE WHEN accepted_hash = figures_hash THEN accepted_by END AS accepted_by,
    CASE WHEN accepted_hash = figures_hash THEN accepted_at END AS accepted_at,
    CASE WHEN accepted_hash = figures_hash THEN accepted_reason END AS accepted_reason,
    -- The reason of one that has fallen still helps the next reader, where nobody has said anything since. Up to release
    -- 0.2 the reason stood here too.
    COALESCE(NULLIF(comment, accepted_reason), CASE WHEN accepted_hash <> figures_hash THEN accepted_reason END) AS comment
FROM breaks
WHERE :is_all = 1 OR until IS NULL
ORDER BY since, break_id;

-- name: find
SELECT
    break_id,
    kind,
    subject,
    document_no,
    figures_hash,
    accepted_by,
    accepted_at,
    accepted_hash,
    accepted_reason
FROM breaks
WHERE until IS NULL AND (break_id = :number OR subject = :text OR document_no = :text)
ORDER BY break_id;

-- name: as_they_are
SELECT
    break_id,
    kind,
    subject,
    document_no,
    message,
    until,
    figures_hash,
    accepted_by,
    accepted_at,
    accepted_hash,
    comment
FROM breaks
WHERE break_id IN (SELECT CAST(shown.value AS INTEGER) FROM JSON_EACH(?) AS shown);

-- name: decide
INSERT INTO break_decisions (break_id, action, words, figures_hash, operator, at)
VALUES (:break_id, :action, :words, :figures_hash, :operator, :at);

-- name: accept
UPDATE breaks
SET accepted_by = :operator, accepted_at = :at, accepted_hash = :figures_hash, accepted_reason = :words
WHERE break_id = :break_id;

-- name: reopen
UPDATE breaks
SET accepted_by = NULL, accepted_at = NULL, accepted_hash = NULL, accepted_reason = NULL, comment = :words
WHERE break_id = :break_id;

-- name: comment
UPDATE breaks
SET comment = :words
WHERE break_id = :break_id;
