-- What people said is not ours, why a break ended, and who saw a changed bank account first.
-- Of changes that an earlier release noted, that is whoever ran the batch that had begun last before it was seen.

ALTER TABLE breaks ADD COLUMN end_reason TEXT;

ALTER TABLE bank_changes ADD COLUMN seen_by TEXT;

UPDATE bank_changes
SET seen_by = (
    SELECT batches.operator
    FROM batches
    WHERE batches.started_at <= bank_changes.seen_at
    ORDER BY batches.started_at DESC
    LIMIT 1
);

CREATE TABLE IF NOT EXISTS ignored_subjects (
    subject_no INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL CHECK (subject IN ('project', 'account', 'partner', 'currency')),
    company TEXT,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    operator TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT,
    ended_by TEXT,
    end_reason TEXT
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS ignored_subjects_once ON ignored_subjects (subject, COALESCE(company, ''), code)
WHERE until IS NULL;

CREATE TRIGGER IF NOT EXISTS ignored_subjects_are_kept BEFORE DELETE ON ignored_subjects
BEGIN SELECT RAISE(ABORT, 'ignored_subjects is never deleted from'); END;
