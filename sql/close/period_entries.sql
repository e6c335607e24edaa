-- What a period consists of, while somebody closes it or after: the ledger's rows on voyages and control accounts added up
-- by voucher, account and voyage; the VMS's documents; what is accrued. At the seal these rows are kept as they are.
-- Answers: What did the period consist of when it was sealed?
-- Read by: the seal, and auditors who verify it.
-- grain: period_month, side, subject, account, voyage_no
WITH periods AS (
    SELECT CAST(closes.period || '-01' AS DATE) AS period_month
    FROM
        ctl.closes AS closes
),

controls AS (
    SELECT DISTINCT
        accounts.owner_code,
        accounts.control_account
    FROM
        rec.control_accounts AS accounts
),

ledger AS (
    SELECT
        periods.period_month,
        entities.owner_code,
        entities.currency_code,
        transactions.header_db_id,
        transactions.voucher_no,
        COALESCE(TRIM(transactions.account_code), '') AS account,
        COALESCE(TRIM(transactions.project_code), '') AS voyage_no,
        CAST(ROUND(COALESCE(transactions.amount, 0), 4) AS DECIMAL(38, 4)) AS company_amount
    FROM
        periods
    INNER JOIN stg_ledger.transactions AS transactions
        ON
            EXTRACT(YEAR FROM periods.period_month) = transactions.period_year
            AND EXTRACT(MONTH FROM periods.period_month) = transactions.period_month
    INNER JOIN map.entities AS entities
        ON transactions.owner_db_id = entities.entity_db_id
    LEFT JOIN controls
        ON
            entities.owner_code = controls.owner_code
            AND transactions.account_code = controls.control_account
    WHERE
        transactions.header_db_id IS NOT NULL
        AND (COALESCE(TRIM(transactions.project_code), '') <> '' OR controls.control_account IS NOT NULL)
)

SELECT
    ledger.period_month,  -- first day of the month
    'ledger' AS side,  -- ledger | vms | accrual
    'ledger:' || CAST(ledger.header_db_id AS VARCHAR) AS subject,  -- ledger: voucher; vms: document; accrual: family and company
    ledger.account,  -- empty: none
    ledger.voyage_no,  -- empty: none
    CAST(NULL AS VARCHAR) AS company_code,  -- VMS company
    MIN(ledger.owner_code) AS owner_code,  -- ledger entity
    CAST(NULL AS BIGINT) AS document_key,  -- database id of the document in the VMS
    CAST(NULL AS VARCHAR) AS document_no,  -- number of the document in the VMS
    ledger.header_db_id,  -- database id of the voucher in the ledger
    MIN(ledger.voucher_no) AS voucher_no,  -- number of the voucher in the ledger
    'booked' AS status,  -- booked; posted, open, gone; accrued, capitalised, adjusted
    MIN(ledger.currency_code) AS company_currency_code,  -- currency of the company amounts
    CAST(SUM(ledger.company_amount) AS DECIMAL(38, 4))
        AS company_amount,  -- in company currency; of the ledger and of accruals, debit positive
    CAST(COUNT(*) AS INTEGER) AS row_count  -- rows of the ledger added up
FROM
    ledger
GROUP BY
    ledger.period_month,
    ledger.header_db_id,
    ledger.account,
    ledger.voyage_no
UNION ALL
SELECT
    periods.period_month,
    'vms',
    documents.subject,
    '',
    '',
    documents.company_code,
    documents.owner_code,
    documents.document_key,
    documents.document_no,
    documents.header_db_id,
    documents.voucher_no_ledger,
    CASE
        WHEN documents.status_vms = 'GONE' THEN 'gone'
        WHEN documents.outbox_state = 'sent' OR documents.status_vms = 'POS' THEN 'posted'
        ELSE 'open'
    END,
    documents.company_currency_code,
    COALESCE(documents.company_amount_vms, 0),
    1
FROM
    periods
INNER JOIN rec.documents AS documents
    ON periods.period_month = documents.period_month
WHERE
    documents.document_key IS NOT NULL
UNION ALL
SELECT
    periods.period_month,
    'accrual',
    -- An accrual's subject is the company alone, as it was before families were told apart: seals are compared by it.
    CASE accruals.family
        WHEN 'accrual' THEN accruals.company_code
        ELSE accruals.family || ' ' || accruals.company_code
    END AS subject,
    accruals.account,
    accruals.voyage_no,
    accruals.company_code,
    CAST(NULL AS INTEGER),
    CAST(NULL AS BIGINT),
    CAST(NULL AS VARCHAR),
    CAST(NULL AS BIGINT),
    CAST(NULL AS BIGINT),
    CASE accruals.family
        WHEN 'accrual' THEN 'accrued'
        WHEN 'capitalisation' THEN 'capitalised'
        ELSE 'adjusted'
    END,
    accruals.company_currency_code,
    accruals.closing,
    1
FROM
    periods
INNER JOIN close.accrual_months AS accruals
    ON periods.period_month = accruals.period_month
