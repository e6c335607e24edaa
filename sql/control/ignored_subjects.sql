-- What people said is not ours, by name.

-- name: list
SELECT
    subject_no,
    subject,
    company,
    code,
    reason,
    operator,
    since,
    until,
    ended_by,
    end_reason
FROM ignored_subjects
WHERE :is_all = 1 OR until IS NULL
ORDER BY since, subject_no;

-- name: standing
SELECT
    subject_no,
    reason,
    operator,
    since
FROM ignored_subjects
WHERE until IS NULL AND subject = :subject AND company IS :company AND code = :code;

-- name: add
INSERT INTO ignored_subjects (subject, company, code, reason, operator, since)
VALUES (:subject, :company, :code, :reason, :operator, :at);

-- name: end
UPDATE ignored_subjects
SET until = :at, ended_by = :operator, end_reason = :reason
WHERE subject_no = :subject_no;

-- Breaks that are open of the kinds that are listed.
-- name: open_breaks
SELECT
    break_id,
    kind,
    subject,
    company
FROM breaks
WHERE until IS NULL AND kind IN (SELECT listed.value FROM JSON_EACH(?) AS listed);
