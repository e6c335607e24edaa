-- One thing that stops a clean close of a period: accruals that do not meet their reversals or the books, documents and
-- payments that are not through, rates that are missing, late postings after the seal, and every other open break of the
-- period, control accounts that do not tie among them. The largest amount in company currency comes first.
-- A break that names no document and no month counts in the month it was first seen in.
-- grain: period_month, kind, subject
WITH accruals AS (
    SELECT
        months.month_start AS period_month,
        CASE WHEN accruals.state = 'not reversed' THEN 'accrual not reversed' ELSE 'reversal without accrual' END AS kind,
        SUBSTRING(CAST(months.month_start AS VARCHAR), 1, 7) || ' ' || CAST(accruals.document_key AS VARCHAR) || ' '
        || accruals.voyage_no || ' ' || accruals.account AS subject,
        accruals.company_code,
        accruals.document_key,
        accruals.document_no,
        accruals.voyage_no,
        accruals.account,
        accruals.unreversed_amount,
        accruals.company_currency_code,
        accruals.reason,
        accruals.next_step,
        accruals.age_days
    FROM
        close.unreversed_accruals AS accruals
    CROSS JOIN seed.settings AS settings
    INNER JOIN seed.months AS months
        ON
            accruals.period_month <= months.month_start
            AND (months.month_start <= settings.today OR accruals.period_month = months.month_start)
),

positions AS (
    SELECT
        positions.period_month,
        CASE
            WHEN positions.family = 'accrual' THEN positions.state
            WHEN positions.state = 'over-accrued' THEN 'bunker adjustment too much'
            ELSE 'bunker adjustment too little'
        END AS kind,
        SUBSTRING(CAST(positions.period_month AS VARCHAR), 1, 7) || ' ' || positions.company_code || ' '
        || positions.voyage_no || ' ' || positions.account AS subject,
        positions.company_code,
        positions.voyage_no,
        positions.account,
        positions.difference,
        positions.difference AS company_difference,
        positions.company_currency_code,
        positions.reason,
        positions.next_step,
        CAST(DATE_DIFF('day', LAST_DAY(positions.period_month), settings.today) AS INTEGER) AS age_days
    FROM
        close.accrual_positions AS positions
    CROSS JOIN seed.settings AS settings
    WHERE
        positions.state IN ('over-accrued', 'under-accrued')
),

-- What the reconciliation calls a break itself is told once, under its own kind.
told_documents AS (
    SELECT DISTINCT told.document_key
    FROM
        rec.breaks AS told
    WHERE
        told.document_key IS NOT NULL
),

documents AS (
    SELECT
        documents.period_month,
        'document ' || documents.state AS kind,
        SUBSTRING(CAST(documents.period_month AS VARCHAR), 1, 7) || ' ' || documents.subject AS subject,
        documents.company_code,
        documents.document_key,
        documents.document_no,
        documents.amount,
        documents.currency_code,
        documents.company_amount,
        documents.reason,
        documents.next_step,
        documents.held_since,
        documents.age_days
    FROM
        close.open_documents AS documents
    LEFT JOIN told_documents
        ON documents.document_key = told_documents.document_key
    WHERE
        told_documents.document_key IS NULL
),

payments AS (
    SELECT
        payments.period_month,
        'payment not transferred' AS kind,
        SUBSTRING(CAST(payments.period_month AS VARCHAR), 1, 7) || ' ' || payments.subject AS subject,
        payments.company_code,
        payments.document_key,
        payments.document_no,
        payments.paid_difference,
        payments.currency_code,
        payments.company_amount,
        payments.reason,
        payments.next_step,
        payments.age_days
    FROM
        close.untransferred_payments AS payments
    WHERE
        NOT COALESCE(payments.is_break, FALSE)
),

rates AS (
    SELECT
        rates.period_month,
        'rate missing' AS kind,
        SUBSTRING(CAST(rates.period_month AS VARCHAR), 1, 7) || ' ' || rates.from_currency_code || ' '
        || rates.currency_code AS subject,
        rates.currency_code,
        STRING_AGG(rates.reason, ' ' ORDER BY rates.rate_date) AS reason,
        MIN(rates.next_step) AS next_step,
        MAX(rates.age_days) AS age_days
    FROM
        close.missing_rates AS rates
    GROUP BY
        rates.period_month,
        rates.from_currency_code,
        rates.currency_code
),

-- The reconciliation calls an account's last month a break; a close asks for its own.
controls AS (
    SELECT
        accounts.period_month,
        'control account does not tie' AS kind,
        SUBSTRING(CAST(accounts.period_month AS VARCHAR), 1, 7) || ' ' || CAST(accounts.owner_code AS VARCHAR) || ' '
        || accounts.control_account || ' ' || accounts.currency_code AS subject,
        accounts.company_code,
        accounts.control_account,
        accounts.unexplained,
        accounts.currency_code,
        accounts.unexplained_company,
        accounts.reason,
        accounts.next_step,
        accounts.age_days
    FROM
        rec.control_accounts AS accounts
    WHERE
        accounts.is_break
),

late AS (
    SELECT
        postings.period_month,
        'late posting' AS kind,
        SUBSTRING(CAST(postings.period_month AS VARCHAR), 1, 7) || ' ' || postings.subject AS subject,
        postings.company_code,
        postings.document_key,
        postings.document_no,
        postings.company_amount,
        postings.company_amount AS moved_amount,
        postings.company_currency_code,
        postings.reason,
        postings.next_step,
        CAST(DATE_DIFF('day', CAST(postings.sealed_at AS DATE), settings.today) AS INTEGER) AS age_days
    FROM
        close.late_postings AS postings
    CROSS JOIN seed.settings AS settings
),

booked_months AS (
    SELECT
        CAST(actuals.owner_code AS VARCHAR) || ':' || actuals.voyage_no AS subject,
        'voyage unknown in VMS' AS kind,
        actuals.month_start AS period_month,
        SUM(actuals.booked_company - actuals.sent_company) AS company_amount,
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
        SUM(actuals.booked_company - actuals.sent_company),
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

-- Where a break of one of the jobs belongs: its document's month, else that of the rows it is about.
standing AS (
    SELECT
        standing.kind,
        standing.subject,
        standing.company,
        standing.document_key,
        standing.document_no,
        standing.message,
        standing.next_step,
        standing.since,
        documents.period_month AS document_month,
        documents.company_amount_vms,
        documents.company_currency_code,
        CASE
            WHEN standing.kind = 'accrual booked by hand'
                THEN CAST(DATE_TRUNC('month', transactions.posted_date) AS DATE)
            WHEN STARTS_WITH(standing.subject, 'AP ') THEN CAST(DATE_TRUNC('month', payables.posted_date) AS DATE)
            WHEN STARTS_WITH(standing.subject, 'AR ') THEN CAST(DATE_TRUNC('month', receivables.posted_date) AS DATE)
            WHEN standing.kind = 'exchange rate differs'
                THEN CAST(DATE_TRUNC('month', CAST(SUBSTRING(standing.subject, 1, 10) AS DATE)) AS DATE)
        END AS row_month,
        COALESCE(transactions.amount, payables.amount, receivables.amount) AS row_amount
    FROM
        ctl.breaks AS standing
    LEFT JOIN rec.documents AS documents
        ON standing.document_key = documents.document_key
    LEFT JOIN stg_ledger.transactions AS transactions
        ON
            standing.kind = 'accrual booked by hand'
            AND standing.subject = CAST(transactions.transaction_db_id AS VARCHAR)
    LEFT JOIN stg_ledger.ap_rows AS payables
        ON standing.subject = 'AP ' || CAST(payables.row_db_id AS VARCHAR)
    LEFT JOIN stg_ledger.ar_rows AS receivables
        ON standing.subject = 'AR ' || CAST(receivables.row_db_id AS VARCHAR)
    WHERE
        standing.until IS NULL
        AND standing.kind <> 'control account differs'
        -- What close has noted itself begins with its period.
        AND NOT standing.subject LIKE '____-__ %'
    QUALIFY
        ROW_NUMBER() OVER (PARTITION BY standing.kind, standing.subject ORDER BY standing.break_id, documents.subject) = 1
),

others AS (
    SELECT
        COALESCE(
            told.period_month,
            standing.document_month,
            booked_months.period_month,
            standing.row_month,
            CAST(DATE_TRUNC('month', CAST(SUBSTRING(standing.since, 1, 10) AS DATE)) AS DATE)
        ) AS period_month,
        standing.kind,
        standing.subject,
        COALESCE(told.company_code, standing.company) AS company_code,
        standing.document_key,
        standing.document_no,
        told.amount,
        told.currency_code,
        CASE
            WHEN told.currency_code = standing.company_currency_code THEN told.amount
            WHEN booked_months.company_amount IS NOT NULL THEN booked_months.company_amount
            WHEN standing.row_amount IS NOT NULL THEN CAST(ROUND(standing.row_amount, 4) AS DECIMAL(38, 4))
            ELSE standing.company_amount_vms
        END AS company_amount,
        standing.message,
        standing.next_step,
        standing.since
    FROM
        standing
    LEFT JOIN rec.breaks AS told
        ON
            standing.kind = told.kind
            AND standing.subject = told.subject
    LEFT JOIN booked_months
        ON
            standing.kind = booked_months.kind
            AND standing.subject = booked_months.subject
),

found AS (
    SELECT
        period_month,
        kind,
        subject,
        company_code,
        document_key,
        document_no,
        voyage_no,
        account,
        unreversed_amount AS amount,
        company_currency_code AS currency_code,
        unreversed_amount AS company_amount,
        reason,
        next_step,
        CAST(NULL AS TIMESTAMP) AS since,
        age_days
    FROM
        accruals
    UNION ALL
    SELECT
        period_month,
        kind,
        subject,
        company_code,
        CAST(NULL AS BIGINT),
        CAST(NULL AS VARCHAR),
        voyage_no,
        account,
        difference,
        company_currency_code,
        company_difference,
        reason,
        next_step,
        CAST(NULL AS TIMESTAMP),
        age_days
    FROM
        positions
    UNION ALL
    SELECT
        period_month,
        kind,
        subject,
        company_code,
        document_key,
        document_no,
        CAST(NULL AS VARCHAR),
        CAST(NULL AS VARCHAR),
        amount,
        currency_code,
        company_amount,
        reason,
        next_step,
        held_since,
        age_days
    FROM
        documents
    UNION ALL
    SELECT
        period_month,
        kind,
        subject,
        company_code,
        document_key,
        document_no,
        CAST(NULL AS VARCHAR),
        CAST(NULL AS VARCHAR),
        paid_difference,
        currency_code,
        company_amount,
        reason,
        next_step,
        CAST(NULL AS TIMESTAMP),
        age_days
    FROM
        payments
    UNION ALL
    SELECT
        period_month,
        kind,
        subject,
        CAST(NULL AS VARCHAR),
        CAST(NULL AS BIGINT),
        CAST(NULL AS VARCHAR),
        CAST(NULL AS VARCHAR),
        CAST(NULL AS VARCHAR),
        CAST(NULL AS DECIMAL(38, 4)),
        currency_code,
        CAST(NULL AS DECIMAL(38, 4)),
        reason,
        next_step,
        CAST(NULL AS TIMESTAMP),
        age_days
    FROM
        rates
    UNION ALL
    SELECT
        period_month,
        kind,
        subject,
        company_code,
        CAST(NULL AS BIGINT),
        CAST(NULL AS VARCHAR),
        CAST(NULL AS VARCHAR),
        control_account,
        unexplained,
        currency_code,
        unexplained_company,
        reason,
        next_step,
        CAST(NULL AS TIMESTAMP),
        age_days
    FROM
        controls
    UNION ALL
    SELECT
        period_month,
        kind,
        subject,
        company_code,
        document_key,
        document_no,
        CAST(NULL AS VARCHAR),
        CAST(NULL AS VARCHAR),
        moved_amount,
        company_currency_code,
        company_amount,
        reason,
        next_step,
        CAST(NULL AS TIMESTAMP),
        age_days
    FROM
        late
    UNION ALL
    SELECT
        period_month,
        kind,
        subject,
        company_code,
        document_key,
        document_no,
        CAST(NULL AS VARCHAR),
        CAST(NULL AS VARCHAR),
        amount,
        currency_code,
        company_amount,
        message,
        next_step,
        CAST(SUBSTRING(since, 1, 19) AS TIMESTAMP),
        CAST(NULL AS INTEGER)
    FROM
        others
),

dated AS (
    SELECT
        found.period_month,
        found.kind,
        found.subject,
        found.company_code,
        found.document_key,
        found.document_no,
        found.voyage_no,
        found.account,
        found.amount,
        found.currency_code,
        found.company_amount,
        COALESCE(ABS(found.company_amount), 0) AS size,
        found.reason,
        found.next_step,
        COALESCE(CAST(SUBSTRING(noted.since, 1, 19) AS TIMESTAMP), found.since) AS since,
        found.age_days,
        COALESCE(noted.accepted_hash = noted.figures_hash, FALSE) AS is_accepted
    FROM
        found
    LEFT JOIN ctl.breaks AS noted
        ON
            found.kind = noted.kind
            AND found.subject = noted.subject
            AND noted.until IS NULL
)

SELECT
    dated.period_month,
    dated.kind,
    dated.subject,  -- natural key of what stops it; unique by kind
    dated.company_code,  -- VMS company
    dated.document_key,
    dated.document_no,
    dated.voyage_no,
    dated.account,
    CAST(dated.amount AS DECIMAL(38, 4)) AS amount,  -- in currency_code
    dated.currency_code,
    CAST(dated.company_amount AS DECIMAL(38, 4)) AS company_amount,  -- null: nothing that has an amount
    dated.reason,
    dated.next_step,
    dated.since,  -- first seen, UTC; null: not noted yet
    COALESCE(dated.age_days, CAST(DATE_DIFF('day', CAST(dated.since AS DATE), settings.today) AS INTEGER)) AS age_days,
    dated.is_accepted,  -- by a person, for these figures
    CAST(
        ROW_NUMBER() OVER (PARTITION BY dated.period_month ORDER BY dated.size DESC, dated.kind ASC, dated.subject ASC)
        AS INTEGER
    ) AS rank_no  -- 1: the largest of its period
FROM
    dated
CROSS JOIN seed.settings AS settings
