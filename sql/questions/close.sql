-- What `springline close` reads of one period, by name; $1 is the first day of its month. Those behind the first are
-- the figures of the summary of a pack: added up by company where a period has many rows.

-- name: stops
SELECT
    rank_no,
    break_id,
    kind,
    subject,
    company_code,
    document_no,
    voyage_no,
    account,
    partner_code,
    partner_name,
    amount,
    currency_code,
    company_amount,
    company_currency_code,
    reason,
    next_step,
    since,
    age_days,
    is_accepted,
    accepted_by,
    accepted_at,
    accepted_reason
FROM
    close.breaks
WHERE
    period_month = $1
ORDER BY rank_no;

-- name: breaks
SELECT
    kind,
    company_code,
    company_currency_code,
    COUNT(*) AS row_count,
    COUNT(*) FILTER (is_accepted) AS accepted_count,
    SUM(ABS(company_amount)) AS company_amount
FROM
    close.breaks
WHERE
    period_month = $1
GROUP BY kind, company_code, company_currency_code
ORDER BY kind, company_code, company_currency_code;

-- name: accepted
SELECT
    break_id,
    kind,
    subject,
    company_code,
    document_no,
    amount,
    currency_code,
    reason,
    accepted_by,
    accepted_at,
    accepted_reason
FROM
    close.breaks
WHERE
    period_month = $1
    AND is_accepted
ORDER BY rank_no;

-- name: accrual_rollforward
SELECT
    company_code,
    family,
    company_currency_code AS currency_code,
    SUM(opening) AS opening,
    SUM(posted) AS posted,
    SUM(reversed) AS reversed,
    SUM(closing) AS closing,
    SUM(unreversed_amount) AS unreversed_amount
FROM
    close.accrual_rollforward
WHERE
    period_month = $1
GROUP BY company_code, family, company_currency_code
ORDER BY company_code, family, company_currency_code;

-- name: accruals_vs_actuals
SELECT
    company_code,
    company_currency_code AS currency_code,
    state,
    COUNT(*) AS row_count,
    SUM(difference) AS difference
FROM
    close.accruals_vs_actuals
WHERE
    period_month = $1
GROUP BY company_code, company_currency_code, state
ORDER BY company_code, company_currency_code, state;

-- name: control_accounts
SELECT
    owner_code,
    control_account,
    currency_code,
    open_vms,
    balance_ledger,
    difference,
    state
FROM
    rec.control_accounts
WHERE
    period_month = $1
ORDER BY owner_code, control_account, currency_code;
