-- One voucher or document that came late: into a month after it was sealed, or booked after the month of its document was
-- over. What did both is told once, as a posting into a sealed month.
-- Answers: What was booked after its month?
-- Read by: analysts (published).
-- grain: side, subject, period_month
WITH sealed AS (
    SELECT
        late.side,
        late.subject,
        late.period_month,
        late.change,
        late.owner_code,
        late.company_code,
        late.document_key,
        late.document_no,
        late.voucher_no,
        late.company_currency_code,
        late.company_amount,
        late.reason
    FROM
        close.late_postings AS late
),

documents AS (
    SELECT
        documents.subject,
        documents.document_key,
        documents.document_no,
        documents.document_type,
        documents.owner_code,
        documents.company_code,
        documents.partner_code,
        documents.partner_name,
        documents.document_date,
        documents.voucher_no_ledger,
        documents.posted_date_ledger,
        documents.booked_at_ledger,
        documents.company_currency_code,
        documents.company_amount_ledger,
        CAST(DATE_TRUNC('month', documents.document_date) AS DATE) AS document_month,
        DATE_DIFF(
            'day',
            LAST_DAY(documents.document_date),
            COALESCE(CAST(documents.booked_at_ledger AS DATE), documents.posted_date_ledger)
        ) AS days_late
    FROM
        rec.documents AS documents
    WHERE
        documents.voucher_no_ledger IS NOT NULL
        AND documents.document_date IS NOT NULL
    QUALIFY
        ROW_NUMBER() OVER (PARTITION BY documents.document_key ORDER BY documents.subject) = 1
)

SELECT
    'sealed month' AS kind,  -- sealed month: it came after the seal; month over: it was booked after its month
    sealed.side,  -- ledger | vms: the side that has moved
    sealed.subject,  -- `ledger:` and the voucher's id, or the document key
    sealed.period_month,  -- first day of the month it belongs to
    COALESCE(sealed.owner_code, documents.owner_code) AS owner_code,  -- ledger entity
    sealed.company_code,  -- VMS company
    companies.company_name,  -- name of the entity in the ledger
    sealed.document_no,  -- number of the document in the VMS; empty: the ledger's own voucher
    documents.document_type,  -- kind of document in the VMS, as INI or CRO
    documents.partner_code,  -- supplier or customer, by its code
    documents.partner_name,  -- name of the supplier or customer in the VMS
    sealed.voucher_no,  -- number of the voucher in the ledger
    documents.posted_date_ledger,  -- posting date of the voucher in the ledger
    documents.booked_at_ledger,  -- when the ledger booked it, UTC; empty: typed by hand, or not known
    CAST(CASE WHEN sealed.change = 'added' THEN documents.days_late END AS INTEGER)
        AS days_late,  -- days from the end of its month until it was booked; empty: not known
    sealed.company_currency_code,  -- currency of company_amount
    sealed.company_amount,  -- what was moved in a sealed month, without sign; else what the ledger has, with the sign of the VMS
    sealed.reason  -- what happened, in words
FROM
    sealed
LEFT JOIN documents
    ON sealed.document_key = documents.document_key
LEFT JOIN rec.company_names AS companies
    ON COALESCE(sealed.owner_code, documents.owner_code) = companies.owner_code
UNION ALL
SELECT
    'month over',
    'ledger',
    documents.subject,
    documents.document_month,
    documents.owner_code,
    documents.company_code,
    companies.company_name,
    documents.document_no,
    documents.document_type,
    documents.partner_code,
    documents.partner_name,
    documents.voucher_no_ledger,
    documents.posted_date_ledger,
    documents.booked_at_ledger,
    CAST(documents.days_late AS INTEGER),
    documents.company_currency_code,
    documents.company_amount_ledger,
    CASE
        WHEN CAST(DATE_TRUNC('month', documents.posted_date_ledger) AS DATE) > documents.document_month
            THEN
                'Document ' || documents.document_no || ' is dated ' || CAST(documents.document_date AS VARCHAR)
                || ' and was posted in a later month, on ' || CAST(documents.posted_date_ledger AS VARCHAR) || '.'
        ELSE
            'Document ' || documents.document_no || ' is dated ' || CAST(documents.document_date AS VARCHAR)
            || ' and was booked ' || CAST(documents.days_late AS VARCHAR) || ' days after the end of its month.'
    END
FROM
    documents
LEFT JOIN rec.company_names AS companies
    ON documents.owner_code = companies.owner_code
WHERE
    documents.days_late > 0
    AND NOT EXISTS (
        SELECT sealed.subject
        FROM
            sealed
        WHERE
            sealed.document_key = documents.document_key
    )
