-- One thing on which both sides differ and that needs a person, with the figures that an acceptance is bound to.
-- What a job notes itself is left out: matches that were undone, payments that find no place, invoices and codes that are
-- not unique, exchange rates that differ.
-- grain: kind, subject
WITH noted AS (
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
)

SELECT
    CASE documents.state
        WHEN 'rejected' THEN 'voucher refused by ledger'
        ELSE 'document ' || documents.state
    END AS kind,  -- what differs, and how
    documents.subject,  -- natural key of what differs, unique by kind
    documents.company_code,  -- VMS company
    documents.document_key,
    documents.document_no,
    documents.period_month,
    documents.currency_code,
    CASE
        WHEN documents.amount_difference <> 0 THEN documents.amount_difference
        ELSE COALESCE(documents.amount_vms, documents.amount_ledger)
    END AS amount,  -- in currency_code: what is at stake
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
    ) AS figures  -- an acceptance falls when they move
FROM
    rec.documents AS documents
WHERE
    documents.is_break
UNION ALL
SELECT
    'payment ' || payments.state,
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
    CASE rates.state WHEN 'rate differs' THEN 'exchange rate kept otherwise' ELSE 'exchange rate ' || rates.state END,
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
LEFT JOIN post.rate_breaks AS told
    ON
        rates.rate_date = told.rate_date
        AND rates.from_currency_code = told.from_currency
        AND rates.to_currency_code = told.to_currency
WHERE
    rates.is_break
    AND (rates.state <> 'rate differs' OR told.rate_date IS NULL)
UNION ALL
SELECT
    partners.side || ' ' || partners.state,
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
    voyages.kind || ' ' || voyages.state,
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
    'control total differs',
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
-- An account that does not tie goes on not tying: its last month is told, and the next one is no other break.
SELECT
    'control account differs',
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
