-- One break that somebody else has found (the comparison or a job), in the period it belongs to.
-- Its period is the first that is known: the month that the comparison gives it, the month of its document, the months in
-- which its project or account was booked (one row each), the month noted with the break, the month in which its row of
-- the ledger was posted, and last the month it was first seen in.
-- Breaks come from ctl.breaks and not from rec.breaks, because a job notes some that rec.breaks does not have, and because
-- age and acceptance are kept there. What the close has noted itself is left out: it is found anew in each batch.
-- Company, partner, amounts and their currencies come from whoever has them: the comparison, the document, the payment, the
-- row of the ledger.
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

-- Rows of the supplier and the customer ledger, as breaks name them.
ledger_rows AS (
    SELECT
        'AP ' || CAST(payables.row_db_id AS VARCHAR) AS subject,
        payables.owner_db_id,
        payables.posted_date,
        payables.subledger_code,
        payables.currency_code,
        payables.invoice_amount,
        payables.amount
    FROM
        stg_ledger.ap_rows AS payables
    UNION ALL
    SELECT
        'AR ' || CAST(receivables.row_db_id AS VARCHAR),
        receivables.owner_db_id,
        receivables.posted_date,
        receivables.subledger_code,
        receivables.currency_code,
        receivables.invoice_amount,
        receivables.amount
    FROM
        stg_ledger.ar_rows AS receivables
    UNION ALL
    SELECT
        -- A bare number could be that of a document as well.
        'GL ' || CAST(transactions.transaction_db_id AS VARCHAR),
        transactions.owner_db_id,
        transactions.posted_date,
        CAST(NULL AS VARCHAR),
        CAST(NULL AS VARCHAR),
        CAST(NULL AS DECIMAL(38, 18)),
        transactions.amount
    FROM
        stg_ledger.transactions AS transactions
    INNER JOIN ctl.breaks AS breaks
        ON
            breaks.kind = 'accrual booked by hand'
            AND breaks.until IS NULL
            AND breaks.subject = CAST(transactions.transaction_db_id AS VARCHAR)
),

standing AS (
    SELECT
        breaks.kind,
        breaks.subject,
        breaks.document_key,
        breaks.document_no,
        breaks.period_month,
        breaks.message,
        breaks.next_step,
        breaks.since,
        documents.period_month AS document_month,
        ledger_rows.posted_date,
        COALESCE(breaks.company, documents.company_code, payments.company_code, row_companies.company_code) AS company_code,
        COALESCE(documents.partner_code, payments.partner_code, ledger_rows.subledger_code) AS partner_code,
        COALESCE(documents.partner_name, payments.partner_name) AS partner_name,
        -- A row in company currency alone names no other.
        COALESCE(ledger_rows.currency_code, row_entities.currency_code) AS row_currency_code,
        CAST(
            ROUND(
                CASE WHEN ledger_rows.currency_code IS NULL THEN ledger_rows.amount ELSE ledger_rows.invoice_amount END, 4
            ) AS DECIMAL(38, 4)
        ) AS row_amount,
        CAST(ROUND(ledger_rows.amount, 4) AS DECIMAL(38, 4)) AS row_company_amount,
        row_entities.currency_code AS row_company_currency_code,
        documents.currency_code AS document_currency_code,
        documents.amount_vms AS document_amount,
        documents.company_currency_code AS document_company_currency_code,
        -- As rec.breaks has the amount: what the sides are apart, else all of it.
        CASE
            WHEN documents.amount_difference <> 0 OR documents.company_amount_difference <> 0
                THEN documents.company_amount_difference
            ELSE COALESCE(documents.company_amount_vms, documents.company_amount_ledger)
        END AS document_company_amount,
        untransferred.company_amount AS payment_company_amount,
        untransferred.company_currency_code AS payment_company_currency_code
    FROM
        ctl.breaks AS breaks
    LEFT JOIN seed.break_kinds AS kinds
        ON breaks.kind = kinds.kind
    LEFT JOIN rec.documents AS documents
        ON COALESCE(CAST(breaks.document_key AS VARCHAR), breaks.subject) = documents.subject
    LEFT JOIN rec.payments AS payments
        ON breaks.subject = payments.subject
    LEFT JOIN close.untransferred_payments AS untransferred
        ON
            kinds.object = 'payment'
            AND breaks.subject = untransferred.subject
    LEFT JOIN ledger_rows
        ON CASE WHEN breaks.kind = 'accrual booked by hand' THEN 'GL ' || breaks.subject ELSE breaks.subject END = ledger_rows.subject
    LEFT JOIN map.entities AS row_entities
        ON ledger_rows.owner_db_id = row_entities.entity_db_id
    LEFT JOIN map.actual_companies AS row_companies
        ON row_entities.owner_code = row_companies.owner_code
    WHERE
        breaks.until IS NULL
        -- A kind that the seed does not have counts, so that nothing that is open is left out of a close.
        AND COALESCE(kinds.is_in_close AND kinds.found_by <> 'close', TRUE)
    QUALIFY
        ROW_NUMBER() OVER (PARTITION BY breaks.kind, breaks.subject ORDER BY breaks.break_id, documents.subject) = 1
),

valued AS (
    SELECT
        standing.*,
        compared.period_month AS compared_month,
        booked_months.period_month AS booked_month,
        COALESCE(compared.company_code, standing.company_code) AS known_company_code,
        compared.amount AS compared_amount,
        compared.currency_code AS compared_currency_code,
        booked_months.company_amount AS booked_amount,
        booked_months.company_currency_code AS booked_currency_code
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
)

SELECT
    COALESCE(
        valued.compared_month,
        valued.document_month,
        valued.booked_month,
        valued.period_month,
        CAST(DATE_TRUNC('month', valued.posted_date) AS DATE),
        CAST(DATE_TRUNC('month', CAST(SUBSTRING(valued.since, 1, 10) AS DATE)) AS DATE)
    ) AS period_month,  -- first day of the month it counts in, the first month that is known of it
    valued.kind,
    valued.subject,
    valued.known_company_code AS company_code,  -- VMS company; empty: not known
    valued.document_key,
    valued.document_no,
    CAST(NULL AS VARCHAR) AS voyage_no,  -- empty: a break names its voyage in its subject
    CAST(NULL AS VARCHAR) AS account,  -- empty: a break names its account in its subject
    valued.partner_code,  -- supplier or customer, by its code
    valued.partner_name,  -- its name in the VMS
    COALESCE(valued.compared_amount, valued.booked_amount, valued.row_amount, valued.document_amount)
        AS amount,  -- what is at stake; empty: no amount is known
    CASE
        WHEN valued.compared_amount IS NOT NULL THEN valued.compared_currency_code
        WHEN valued.booked_amount IS NOT NULL THEN valued.booked_currency_code
        WHEN valued.row_amount IS NOT NULL THEN valued.row_currency_code
        ELSE COALESCE(valued.document_currency_code, valued.compared_currency_code)
    END AS currency_code,  -- currency of amount; of a rate, the currency it is of
    CASE
        WHEN valued.compared_currency_code = COALESCE(entities.currency_code, valued.document_company_currency_code)
            THEN valued.compared_amount
        WHEN valued.booked_amount IS NOT NULL THEN valued.booked_amount
        WHEN valued.row_company_amount IS NOT NULL THEN valued.row_company_amount
        ELSE COALESCE(valued.payment_company_amount, valued.document_company_amount)
    END AS company_amount,  -- the same in company currency; empty: no amount is known
    CASE
        WHEN valued.compared_currency_code = COALESCE(entities.currency_code, valued.document_company_currency_code)
            THEN valued.compared_currency_code
        WHEN valued.booked_amount IS NOT NULL THEN valued.booked_currency_code
        WHEN valued.row_company_amount IS NOT NULL THEN valued.row_company_currency_code
        WHEN valued.payment_company_amount IS NOT NULL THEN valued.payment_company_currency_code
        ELSE COALESCE(valued.document_company_currency_code, entities.currency_code)
    END AS company_currency_code,  -- currency of company_amount
    valued.message AS reason,
    valued.next_step,
    CAST(SUBSTRING(valued.since, 1, 19) AS TIMESTAMP) AS since,  -- first seen, UTC
    CAST(NULL AS INTEGER) AS age_days  -- empty: close.breaks counts the days from since
FROM
    valued
LEFT JOIN map.companies AS companies
    ON valued.known_company_code = companies.company_code
LEFT JOIN map.entities AS entities
    ON companies.owner_code = entities.owner_code
