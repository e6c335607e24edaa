-- The rows of the warehouse that are noted as breaks, by name.

-- What stops the periods that somebody closes. close.breaks shows other finders' breaks too; those are noted where they
-- are found.
-- name: stops
SELECT
    breaks.kind,
    breaks.subject,
    breaks.company_code,
    breaks.document_key,
    breaks.document_no,
    breaks.period_month,
    breaks.reason,
    breaks.next_step,
    breaks.amount,
    breaks.company_amount
FROM
    close.breaks AS breaks
INNER JOIN ctl.closes AS closes ON STRFTIME(breaks.period_month, '%Y-%m') = closes.period
INNER JOIN seed.break_kinds AS kinds ON breaks.kind = kinds.kind AND kinds.found_by = 'close';

-- name: compared
SELECT
    kind,
    subject,
    company_code,
    document_key,
    document_no,
    period_month,
    message,
    next_step,
    figures
FROM
    rec.breaks
ORDER BY kind, subject;
