-- What the report reads of the published tables, by name; facts.sql has what it shares with the workbook.

-- name: by_side
SELECT
    side,
    COALESCE(currency_code, 'none') AS currency,
    COUNT(*) AS documents,
    SUM(amount_vms) AS amount_vms,
    SUM(amount_ledger) AS amount_ledger,
    SUM(amount_difference) AS amount_difference,
    COUNT(*) FILTER (WHERE state NOT IN ('agreed', 'ignored')) AS not_agreed
FROM
    rec.documents
GROUP BY side, currency
ORDER BY side = 'General ledger', side, currency;

-- name: unfinished
-- A document whose text broke its contract stands among what could not be read, with a better reason.
SELECT
    d.document_no,
    d.document_type,
    d.company_code,
    d.partner_name,
    d.state,
    d.amount_vms AS amount,
    d.currency_code AS currency,
    d.reason,
    d.next_step,
    d.age_days
FROM
    rec.documents AS d
WHERE
    d.state IN ('unknown', 'rejected')
    AND NOT EXISTS (
        SELECT r.rejected_id
        FROM
            ctl.rejected AS r
        WHERE
            r.until IS NULL
            AND r.entity = 'Document'
            AND r.object_key = CAST(d.document_key AS VARCHAR)
    )
ORDER BY d.state ASC, ABS(d.company_amount_vms) DESC NULLS LAST, d.subject ASC;

-- name: overdue
-- By the ledger's books, as the sheet Unpaid: there payments are matched.
SELECT COUNT(*) AS n
FROM
    rec.payments
WHERE
    open_ledger <> 0
    AND days_overdue > 0;

-- name: control_accounts
SELECT
    owner_code,
    control_account,
    currency_code AS currency,
    period_month,
    balance_ledger,
    ledger_only,
    in_transit,
    open_vms,
    difference,
    state,
    reason
FROM
    rec.control_accounts
WHERE
    period_month = (SELECT MAX(every.period_month) FROM rec.control_accounts AS every)
ORDER BY state = 'agreed', owner_code, control_account, currency_code;

-- name: hit_rates
SELECT
    company_currency_code AS currency,
    SUM(earlier_accrued) AS earlier,
    SUM(confirmed_amount) AS confirmed
FROM
    close.accruals_vs_actuals
WHERE
    period_month = (SELECT MAX(every.period_month) FROM close.accruals_vs_actuals AS every)
    AND earlier_accrued IS NOT NULL
GROUP BY ALL
ORDER BY currency;

-- name: close
-- Of the newest month that is over ($1 is the first day of the present one); of the present one where nothing before
-- it is open.
SELECT
    period_month,
    kind,
    subject,
    document_no,
    amount,
    currency_code AS currency,
    reason,
    next_step,
    age_days,
    is_accepted
FROM
    close.breaks
WHERE
    period_month = (
        SELECT COALESCE(MAX(every.period_month) FILTER (WHERE every.period_month < $1), MAX(every.period_month))
        FROM close.breaks AS every
    )
ORDER BY is_accepted, rank_no, kind, subject;

-- name: breaks
SELECT
    kind,
    subject,
    company,
    document_no,
    message,
    next_step,
    comment,
    opened_at AS since,
    amount,
    currency_code AS currency,
    accepted_by
FROM
    open_breaks
ORDER BY is_accepted ASC, ABS(amount) DESC NULLS LAST, kind ASC, subject ASC;

-- name: breaks_by_kind
SELECT
    kind,
    COUNT(*) FILTER (WHERE NOT is_accepted) AS open,
    COUNT(*) FILTER (WHERE is_accepted) AS accepted,
    MIN(opened_at) AS oldest
FROM
    open_breaks
GROUP BY kind
ORDER BY open DESC, kind ASC;

-- name: holds
SELECT
    h.rule,
    h.severity,
    h.document_no,
    h.document_key,
    h.company,
    h.message,
    UTC_TIME(h.since) AS since,
    d.amount_vms AS amount,
    d.currency_code AS currency
FROM
    ctl.holds AS h
LEFT JOIN
    rec.documents AS d
    ON h.document_key = d.document_key
WHERE
    h.until IS NULL
ORDER BY h.rule ASC, ABS(d.company_amount_vms) DESC NULLS LAST, h.document_no ASC;

-- name: rejected
SELECT
    message,
    UTC_TIME(since) AS since
FROM
    ctl.rejected
WHERE
    until IS NULL
ORDER BY UTC_TIME(since), entity, object_key, message;

-- name: batches
SELECT
    UTC_TIME(b.started_at) AS started_at,
    b.ended_at IS NOT NULL AS is_over,
    b.today,
    b.jobs,
    b.operator,
    b.exit_code
FROM
    ctl.batches AS b
ORDER BY b.started_at DESC, b.batch_id DESC
LIMIT $1;
