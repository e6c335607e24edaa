-- One thing on which both sides differ and that needs a person, with the figures that an acceptance is bound to.
-- Left out is what a job notes by itself: matches that were undone, payments that find no place, invoices and codes that
-- are not unique, exchange rates that differ.
-- A state that data/seeds/break_kinds.csv does not have is a break all the same, under a name made of object and state.
-- Answers: What did the comparison find?
-- Read by: step `note breaks`, which opens these as breaks in the control store (`springline breaks list` shows them), and
-- close.dated_breaks and close.document_breaks, which take month and amount from here and count no document twice.
-- grain: kind, subject
WITH noted AS (
    -- Rows of the ledger that the payments job notes by itself.
    SELECT DISTINCT matches.side || ' ' || CAST(matches.row_db_id AS VARCHAR) AS subject
    FROM
        post.unplaced_matches AS matches
    WHERE
        matches.is_break
    UNION
    SELECT payment_breaks.subject
    FROM
        post.payment_breaks AS payment_breaks
    WHERE
        payment_breaks.kind = 'invoice not unique'
),

-- Of each control account its last month.
last_accounts AS (
    SELECT
        CAST(accounts.owner_code AS VARCHAR) || ':' || accounts.control_account || ':' || accounts.currency_code AS subject,
        accounts.company_code,
        accounts.period_month,
        accounts.currency_code,
        CASE WHEN accounts.unexplained <> 0 THEN accounts.unexplained ELSE accounts.unexplained_company END AS amount,
        'Entity ' || CAST(accounts.owner_code AS VARCHAR) || ': ' || accounts.reason AS message,
        accounts.next_step,
        CONCAT_WS(
            '|',
            CAST(accounts.unexplained AS VARCHAR),
            CAST(accounts.unexplained_company AS VARCHAR),
            CAST(accounts.gl_balance_company - accounts.balance_company_ledger AS VARCHAR)
        ) AS figures,
        accounts.is_break
    FROM
        rec.control_accounts AS accounts
    QUALIFY
        ROW_NUMBER() OVER (
            PARTITION BY accounts.owner_code, accounts.control_account, accounts.currency_code
            ORDER BY accounts.period_month DESC
        ) = 1
),

differences AS (
    SELECT
        'document' AS object,
        documents.state,
        documents.subject,
        documents.company_code,
        documents.document_key,
        documents.document_no,
        documents.period_month,
        documents.currency_code,
        CASE
            WHEN documents.amount_difference <> 0 THEN documents.amount_difference
            ELSE COALESCE(documents.amount_vms, documents.amount_ledger)
        END AS amount,
        COALESCE(documents.document_type || ' ', 'Document ') || documents.document_no || ': ' || documents.reason AS message,
        documents.next_step,
        CONCAT_WS(
            '|',
            documents.drift,
            COALESCE(CAST(documents.amount_vms AS VARCHAR), '-'),
            COALESCE(CAST(documents.amount_ledger AS VARCHAR), '-'),
            COALESCE(CAST(documents.company_amount_vms AS VARCHAR), '-'),
            COALESCE(CAST(documents.company_amount_ledger AS VARCHAR), '-'),
            documents.reason
        ) AS figures
    FROM
        rec.documents AS documents
    WHERE
        documents.is_break
    UNION ALL
    SELECT
        'payment',
        payments.state,
        payments.subject,
        payments.company_code,
        payments.document_key,
        payments.document_no,
        CAST(DATE_TRUNC('month', COALESCE(payments.last_payment_date, payments.document_date)) AS DATE),
        payments.currency_code,
        CASE WHEN payments.paid_difference <> 0 THEN payments.paid_difference ELSE payments.paid_vms END,
        payments.reason,
        payments.next_step,
        CONCAT_WS(
            '|',
            COALESCE(CAST(payments.paid_vms AS VARCHAR), '-'),
            COALESCE(CAST(payments.paid_ledger AS VARCHAR), '-'),
            COALESCE(CAST(payments.amount_vms AS VARCHAR), '-')
        )
    FROM
        rec.payments AS payments
    LEFT JOIN noted
        ON payments.subject = noted.subject
    WHERE
        payments.is_break
        AND payments.state <> 'match undone'
        AND noted.subject IS NULL
    UNION ALL
    SELECT
        'exchange rate',
        rates.state,
        CAST(rates.rate_date AS VARCHAR) || ':' || rates.from_currency_code || ':' || rates.to_currency_code,
        CAST(NULL AS VARCHAR),
        CAST(NULL AS BIGINT),
        CAST(NULL AS VARCHAR),
        CAST(DATE_TRUNC('month', rates.rate_date) AS DATE),
        rates.to_currency_code,
        CAST(NULL AS DECIMAL(38, 4)),
        rates.reason,
        rates.next_step,
        COALESCE(CAST(rates.rate_ledger AS VARCHAR), '-') || '|' || COALESCE(CAST(rates.rate_vms AS VARCHAR), '-')
    FROM
        rec.exchange_rates AS rates
    -- The rates job notes those that it compares itself.
    LEFT JOIN post.rate_breaks AS noted_rates
        ON
            rates.rate_date = noted_rates.rate_date
            AND rates.from_currency_code = noted_rates.from_currency
            AND rates.to_currency_code = noted_rates.to_currency
    WHERE
        rates.is_break
        AND (rates.state <> 'rate differs' OR noted_rates.rate_date IS NULL)
    UNION ALL
    SELECT
        partners.side,
        partners.state,
        COALESCE(CAST(partners.owner_code AS VARCHAR), 'token') || ':' || partners.partner_code,
        CAST(NULL AS VARCHAR),
        CAST(NULL AS BIGINT),
        CAST(NULL AS VARCHAR),
        CAST(NULL AS DATE),
        CAST(NULL AS VARCHAR),
        CAST(NULL AS DECIMAL(38, 4)),
        partners.reason,
        partners.next_step,
        CONCAT_WS('|', partners.reason, partners.bank_account_tail_vms, partners.bank_account_tail_ledger)
    FROM
        rec.partners AS partners
    WHERE
        partners.is_break
        AND partners.state <> 'code not unique'
    UNION ALL
    SELECT
        voyages.kind,
        voyages.state,
        COALESCE(CAST(voyages.owner_code AS VARCHAR), 'token') || ':' || voyages.code,
        CAST(NULL AS VARCHAR),
        CAST(NULL AS BIGINT),
        CAST(NULL AS VARCHAR),
        CAST(NULL AS DATE),
        CAST(NULL AS VARCHAR),
        CAST(NULL AS DECIMAL(38, 4)),
        voyages.reason,
        voyages.next_step,
        COALESCE(voyages.differing_fields, '') || '|' || voyages.reason
    FROM
        rec.voyages AS voyages
    WHERE
        voyages.is_break
        AND voyages.state <> 'code not unique'
    UNION ALL
    SELECT
        'control total',
        'differs',
        CAST(totals.document_date AS VARCHAR) || ':' || totals.company_code || ':' || totals.document_type,
        totals.company_code,
        CAST(NULL AS BIGINT),
        CAST(NULL AS VARCHAR),
        CAST(DATE_TRUNC('month', totals.document_date) AS DATE),
        totals.company_currency_code,
        totals.company_amount_difference,
        totals.document_type || ' of company ' || totals.company_code || ' on ' || CAST(totals.document_date AS VARCHAR) || ': '
        || totals.reason,
        totals.next_step,
        CONCAT_WS(
            '|',
            CAST(totals.count_vms AS VARCHAR),
            CAST(totals.count_ledger AS VARCHAR),
            CAST(totals.company_amount_vms AS VARCHAR),
            CAST(totals.company_amount_ledger AS VARCHAR)
        )
    FROM
        rec.control_totals AS totals
    WHERE
        totals.is_break
    UNION ALL
    -- An account that does not tie in one month does not tie in the next either: only its last month is a break, so that
    -- one cause is one break.
    SELECT
        'control account',
        'differs',
        accounts.subject,
        accounts.company_code,
        CAST(NULL AS BIGINT),
        CAST(NULL AS VARCHAR),
        accounts.period_month,
        accounts.currency_code,
        accounts.amount,
        accounts.message,
        accounts.next_step,
        accounts.figures
    FROM
        last_accounts AS accounts
    WHERE
        accounts.is_break
)

SELECT
    COALESCE(kinds.kind, differences.object || ' ' || differences.state) AS kind,  -- what differs, and how
    differences.subject,  -- natural key of what differs, unique by kind
    differences.company_code,  -- VMS company
    differences.document_key,  -- VMS documentKey of the document; empty: no single document
    differences.document_no,  -- number of the document; empty: no single document
    differences.period_month,  -- first day of the month it belongs to; empty: master data has no month
    differences.currency_code,  -- currency of amount
    differences.amount,  -- in currency_code: what is at stake
    differences.message,  -- what differs, with both sides' figures
    differences.next_step,  -- what to do about it, and where
    differences.figures  -- an acceptance falls when they move
FROM
    differences
LEFT JOIN seed.break_kinds AS kinds
    ON
        kinds.found_by = 'comparison'
        AND differences.object = kinds.object
        AND differences.state = kinds.state
