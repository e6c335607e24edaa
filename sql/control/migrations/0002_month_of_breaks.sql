-- Version 2: a break carries the month in which it counts at a close.
-- Release 0.1.0 wrote that month only into the subject: `2026-10 …` where a close has found the break, `2026-10-30:…`
-- where it is about a day (exchange rates, control totals). All others take it from their document or the ledger's row.

ALTER TABLE breaks ADD COLUMN period_month TEXT;

UPDATE breaks
SET period_month = SUBSTR(subject, 1, 7) || '-01'
WHERE
    subject GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9] *'
    OR subject GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]:*';
