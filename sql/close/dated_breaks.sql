-- One break that somebody else has found (the comparison or a job), in the period it belongs to.
-- Its period is the first that is known: the month that the comparison gives it, the month of its document, the months in
-- which its project or account was booked (one row each), the month noted with the break, the month in which its row of
-- the ledger was posted, and last the month it was first seen in.
-- Breaks come from ctl.breaks and not from rec.breaks, because a job notes some that rec.breaks does not have, and because
-- age and acceptance are kept there. What the close has noted itself is left out: it is found anew in each batch.
-- Answers: To which period does a break belong that the comparison or a job has found?
-- Read by: close.breaks alone.
-- grain: period_month, kind, subject
WITH booked_months AS (
    SELECT
        CAST(actuals.owner_code AS VARCHAR) || ':' || actuals.voyage_no AS subject,
        'voyage unknown in VMS' AS kind,
        actuals.month_start AS period_month,
        SUM(actuals.direction * (actuals.booked_company - actuals.sent_company)) AS company_amount,
        MIN(actuals.company_currency_code) AS company_currency_code
    FROM
        map.actual_groups AS actuals
    GROUP BY
        actuals.owner_code,
        actuals.voyage_no,
        actuals.month_start
    HAVING
        SUM(ABS(actuals.booked_company - actuals.sent_company)) > 0
    UNION ALL
    SELECT
        CAST(actuals.owner_code AS VARCHAR) || ':' || actuals.account,
        'account unknown in VMS',
        actuals.month_start,
        SUM(actuals.direction * (actuals.booked_company - actuals.sent_company)),
        MIN(actuals.company_currency_code)
    FROM
        map.actual_groups AS actuals
    GROUP BY
        actuals.owner_code,
        actuals.account,
        actuals.month_start
    HAVING
        SUM(ABS(actuals.booked_company - actuals.sent_company)) > 0
),

standing AS (
    SELECT
        breaks.kind,
        breaks.subject,
        breaks.company,
        breaks.document_key,
        breaks.document_no,
        breaks.period_month,
        breaks.message,
        breaks.next_step,
        breaks.since,
        documents.period_month AS document_month,
        documents.company_amount_vms,
        documents.company_currency_code,
        COALESCE(transactions.posted_date, payables.posted_date, receivables.posted_date) AS posted_date,
        COALESCE(transactions.amount, payables.amount, receivables.amount) AS row_amount
    FROM
        ctl.breaks AS breaks
    LEFT JOIN seed.break_kinds AS kinds
        ON breaks.kind = kinds.kind
    LEFT JOIN rec.documents AS documents
        ON breaks.document_key = documents.document_key
    LEFT JOIN stg_ledger.transactions AS transactions
        ON
            breaks.kind = 'accrual booked by hand'
            AND breaks.subject = CAST(transactions.transaction_db_id AS VARCHAR)
    LEFT JOIN stg_ledger.ap_rows AS payables
        ON breaks.subject = 'AP ' || CAST(payables.row_db_id AS VARCHAR)
    LEFT JOIN stg_ledger.ar_rows AS receivables
        ON breaks.subject = 'AR ' || CAST(receivables.row_db_id AS VARCHAR)
    WHERE
        breaks.until IS NULL
        -- A kind that the seed does not have counts, so that nothing that is open is left out of a close.
        AND COALESCE(kinds.is_in_close AND kinds.found_by <> 'close', TRUE)
    QUALIFY
        ROW_NUMBER() OVER (PARTITION BY breaks.kind, breaks.subject ORDER BY breaks.break_id, documents.subject) = 1
)

SELECT
    COALESCE(
        compared.period_month,
        standing.document_month,
        booked_months.period_month,
        standing.period_month,
        CAST(DATE_TRUNC('month', standing.posted_date) AS DATE),
        CAST(DATE_TRUNC('month', CAST(SUBSTRING(standing.since, 1, 10) AS DATE)) AS DATE)
    ) AS period_month,  -- first day of the month it counts in, the first month that is known of it
    standing.kind,
    standing.subject,
    COALESCE(compared.company_code, standing.company) AS company_code,  -- VMS company; empty: not known
    standing.document_key,
    standing.document_no,
    CAST(NULL AS VARCHAR) AS voyage_no,  -- empty: a break names its voyage in its subject
    CAST(NULL AS VARCHAR) AS account,  -- empty: a break names its account in its subject
    compared.amount,
    compared.currency_code,  -- currency of amount; empty: the comparison has no such break
    CASE
        WHEN compared.currency_code = standing.company_currency_code THEN compared.amount
        WHEN booked_months.company_amount IS NOT NULL THEN booked_months.company_amount
        WHEN standing.row_amount IS NOT NULL THEN CAST(ROUND(standing.row_amount, 4) AS DECIMAL(38, 4))
        ELSE standing.company_amount_vms
    END AS company_amount,  -- what is at stake in company currency; empty: no amount is known
    standing.message AS reason,
    standing.next_step,
    CAST(SUBSTRING(standing.since, 1, 19) AS TIMESTAMP) AS since,  -- first seen, UTC
    CAST(NULL AS INTEGER) AS age_days  -- empty: close.breaks counts the days from since
FROM
    standing
LEFT JOIN rec.breaks AS compared
    ON
        standing.kind = compared.kind
        AND standing.subject = compared.subject
LEFT JOIN booked_months
    ON
        standing.kind = booked_months.kind
        AND standing.subject = booked_months.subject
