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
    'exchange rate ' || rates.state,
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
WHERE
    rates.is_break
    AND rates.state <> 'rate differs'
UNION ALL
SELECT
    partners.side || ' ' || partners.state,
    CAST(partners.owner_code AS VARCHAR) || ':' || partners.partner_code,
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
    CAST(voyages.owner_code AS VARCHAR) || ':' || voyages.code,
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
