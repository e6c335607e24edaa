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
    amount,
    currency_code,
    company_amount,
    reason,
    next_step,
    since,
    age_days,
    is_accepted
FROM
    close.breaks
WHERE
    period_month = $1
ORDER BY rank_no;

-- name: breaks
SELECT
    kind,
    company_code,
    COUNT(*) AS row_count,
    COUNT(*) FILTER (is_accepted) AS accepted_count,
    SUM(ABS(company_amount)) AS company_amount
FROM
    close.breaks
WHERE
    period_month = $1
GROUP BY kind, company_code
ORDER BY kind, company_code;

-- name: accrual_rollforward
SELECT
    company_code,
    family,
    MIN(company_currency_code) AS currency_code,
    SUM(opening) AS opening,
    SUM(posted) AS posted,
    SUM(reversed) AS reversed,
    SUM(closing) AS closing,
    SUM(unreversed_amount) AS unreversed_amount
FROM
    close.accrual_rollforward
WHERE
    period_month = $1
GROUP BY company_code, family
ORDER BY company_code, family;

-- name: accruals_vs_actuals
SELECT
    company_code,
    state,
    COUNT(*) AS row_count,
    SUM(difference) AS difference
FROM
    close.accruals_vs_actuals
WHERE
    period_month = $1
GROUP BY company_code, state
ORDER BY company_code, state;

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
