-- What the report reads of the published tables, by name; facts.sql has what it shares with the workbook.

-- name: by_side
SELECT
    side,
    COALESCE(currency_code, 'none') AS currency,
    COUNT(*) AS documents,
    -- Of documents without a currency there is no sum: they may be of several.
    SUM(amount_vms) FILTER (currency_code IS NOT NULL) AS amount_vms,
    SUM(amount_ledger) FILTER (currency_code IS NOT NULL) AS amount_ledger,
    -- What one side alone has differs by all of it, so that the table foots.
    SUM(COALESCE(amount_difference, amount_ledger, -amount_vms)) FILTER (currency_code IS NOT NULL)
        AS amount_difference,
    COUNT(*) FILTER (WHERE state NOT IN ('agreed', 'ignored')) AS not_agreed
FROM
    rec.documents
GROUP BY side, currency
ORDER BY side = 'General ledger', side, currency;

-- name: unfinished
-- A document whose text broke its contract stands among what could not be read, with a better reason.
SELECT
    CASE d.state WHEN 'unknown' THEN 'sent, and no answer came' ELSE 'refused' END AS kind,
    d.subject,
    CONCAT_WS(' ', d.document_type, COALESCE(d.document_no, d.subject)) AS document_no,
    d.amount_vms AS amount,
    d.currency_code AS currency,
    d.reason AS message,
    d.next_step
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

-- name: close_month
-- The month that is closed: the newest that is over ($1 is the first day of the present one); where none is, the newest.
SELECT COALESCE(MAX(months.period_month) FILTER (months.period_month < $1), MAX(months.period_month)) AS close_month
FROM (
    SELECT period_month
    FROM rec.control_accounts
    UNION ALL
    SELECT period_month
    FROM close.accruals_vs_actuals
    UNION ALL
    SELECT period_month
    FROM close.breaks
) AS months;

-- name: control_accounts
SELECT
    d.owner_code,
    companies.company_name,
    d.control_account,
    accounts.account_name,
    d.currency_code AS currency,
    d.balance_ledger,
    d.ledger_only,
    d.in_transit,
    d.open_vms,
    d.difference,
    d.state,
    d.reason
FROM
    rec.control_accounts AS d
LEFT JOIN rec.company_names AS companies
    ON d.owner_code = companies.owner_code
LEFT JOIN rec.account_names AS accounts
    ON
        d.owner_code = accounts.owner_code
        AND d.control_account = accounts.account
WHERE
    d.period_month = $1
ORDER BY d.state = 'agreed', d.owner_code, d.control_account, d.currency_code;

-- name: voyages
SELECT
    voyage_no,
    vessel_name,
    company_name,
    company_currency_code AS currency,
    revenue_booked,
    cost_booked,
    result_booked,
    result_accrued,
    result_with_not_booked
FROM
    analysis.voyage_results
ORDER BY currency ASC, ABS(result_with_not_booked) DESC, owner_code ASC, voyage_no ASC;

-- name: hit_rates
SELECT
    company_currency_code AS currency,
    SUM(earlier_accrued) AS earlier,
    SUM(confirmed_amount) AS confirmed
FROM
    close.accruals_vs_actuals
WHERE
    period_month = $1
    AND earlier_accrued IS NOT NULL
GROUP BY ALL
ORDER BY currency;

-- name: close_by_kind
-- How much of each kind is left, and who has accepted the rest.
SELECT
    kind,
    COALESCE(company_currency_code, 'none') AS currency,
    COUNT(*) FILTER (NOT is_accepted) AS open,
    SUM(company_amount) FILTER (NOT is_accepted AND company_currency_code IS NOT NULL) AS amount,
    COUNT(*) FILTER (is_accepted) AS accepted,
    STRING_AGG(DISTINCT accepted_by, ', ' ORDER BY accepted_by) FILTER (is_accepted) AS accepted_by
FROM
    close.breaks
WHERE
    period_month = $1
GROUP BY ALL
ORDER BY open DESC, kind ASC, currency ASC;

-- name: close_alone
-- What stops the close and is told nowhere else on the page: a break with a number, and a document that has not gone
-- through, stand there with their reason.
SELECT
    c.kind,
    c.subject,
    c.document_no,
    c.amount,
    c.currency_code AS currency,
    c.reason AS message,
    c.next_step
FROM
    close.breaks AS c
WHERE
    c.period_month = $1
    AND NOT c.is_accepted
    AND c.break_id IS NULL
    AND c.kind NOT IN ('document held', 'document rejected', 'document unknown')
ORDER BY c.rank_no, c.kind, c.subject;

-- name: close_standing
-- How a month stands ($1 as 2026-10): the version that is sealed, else the one that is drawn up.
SELECT
    closes.version + CASE closes.state WHEN 'sealed' THEN 0 ELSE 1 END AS version,
    CASE closes.state WHEN 'sealed' THEN seals.sealed_by END AS sealed_by,
    CASE closes.state WHEN 'sealed' THEN seals.sealed_at END AS sealed_at
FROM
    ctl.closes AS closes
LEFT JOIN
    ctl.seals AS seals
    ON
        closes.period = seals.period
        AND closes.version = seals.version
WHERE
    closes.period = $1;

-- name: close_deeds
-- Who drew a version of a month's pack up, or reopened the month for it, the last first; $1 as 2026-10, $2 the version.
SELECT
    events.action,
    events.operator,
    MAX(events.at) AS done_at,
    MAX(events.reason) AS reason
FROM
    ctl.close_events AS events
WHERE
    events.period = $1
    AND events.version = $2
    AND events.action IN ('drawn up', 'reopened')
GROUP BY events.action, events.operator
ORDER BY done_at DESC, events.operator ASC;

-- name: breaks
SELECT
    break_id,
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
    accepted_by,
    accepted_reason
FROM
    open_breaks
ORDER BY is_accepted ASC, ABS(amount) DESC NULLS LAST, kind ASC, subject ASC;

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
    CAST(NULL AS DECIMAL(38, 4)) AS amount,
    CAST(NULL AS VARCHAR) AS currency
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
