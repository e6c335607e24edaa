-- What the report and the workbook both read, by name, so that the two never say different things.

-- name: open_breaks
-- A view, made for one connection and gone with it, after the macro utc_time (publish/facts.py).
-- ctl.breaks keeps since when a break is open and what people decided, rec.breaks the amount as the models see it now.
-- Somebody accepted certain figures: when these move, the break needs a decision again.
CREATE OR REPLACE TEMP VIEW open_breaks AS
SELECT
    b.break_id,
    b.kind,
    b.subject,
    b.company,
    b.document_no,
    b.message,
    b.next_step,
    -- Up to release 0.2 the reason of an acceptance stood here too.
    NULLIF(b.comment, b.accepted_reason) AS comment,
    UTC_TIME(b.since) AS opened_at,
    r.period_month,
    r.amount,
    r.currency_code,
    COALESCE(b.accepted_hash = b.figures_hash, FALSE) AS is_accepted,
    CASE WHEN b.accepted_hash = b.figures_hash THEN b.accepted_by END AS accepted_by,
    CASE WHEN b.accepted_hash = b.figures_hash THEN UTC_TIME(b.accepted_at) END AS accepted_at,
    CASE WHEN b.accepted_hash = b.figures_hash THEN b.accepted_reason END AS accepted_reason
FROM
    ctl.breaks AS b
LEFT JOIN
    rec.breaks AS r
    ON
        b.kind = r.kind
        AND b.subject = r.subject
WHERE
    b.until IS NULL;

-- name: read_at
-- When both sides were last read.
SELECT
    MAX(read_at.as_of_vms),
    MAX(read_at.as_of_ledger)
FROM (
    SELECT
        as_of_vms,
        as_of_ledger
    FROM
        rec.documents
    UNION ALL
    SELECT
        as_of_vms,
        as_of_ledger
    FROM
        rec.payments
    UNION ALL
    SELECT
        as_of_vms,
        as_of_ledger
    FROM
        rec.control_accounts
) AS read_at;
