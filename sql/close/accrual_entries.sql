-- One accrual, capitalisation, bunker adjustment or reversal on a voyage and account: what the document puts there, and whether it is
-- posted. Lines of one document on the same voyage and account are one entry. Amounts are debit positive.
-- Answers: Which accruals and reversals are there, and are they posted?
-- Read by: the models of the close.
-- grain: document_key, voyage_no, account
-- parts: document_key
WITH sent AS (
    SELECT DISTINCT vouchers.document_key
    FROM
        ctl.sent_vouchers AS vouchers
    WHERE
        vouchers.voucher_type = 'GL'
        AND vouchers.state = 'sent'
),

documents AS (
    SELECT
        documents.document_key,
        documents.document_no,
        documents.document_type,
        documents.status_code,
        documents.company_code,
        documents.document_date,
        -- In a closed period a reversal may have been booked in the next open one.
        COALESCE(compared.period_month, CAST(DATE_TRUNC('month', documents.document_date) AS DATE)) AS period_month,
        documents.fetch_id,
        documents.fetched_at,
        types.family,
        types.reverses_type,
        companies.owner_code,
        UPPER(TRIM(documents.currency_code)) AS currency_code,
        COALESCE(UPPER(TRIM(documents.company_currency_code)), entities.currency_code) AS company_currency_code,
        sent.document_key IS NOT NULL OR documents.status_code = 'POS' AS is_posted,
        gl_sign.gl_sign,
        documents.estimate_amount_ytd,
        documents.account_amount_ytd
    FROM
        stg_vms.documents AS documents
    INNER JOIN seed.accrual_types AS types
        ON documents.document_type = types.document_type
    LEFT JOIN sent
        ON documents.document_key = sent.document_key
    LEFT JOIN rec.documents AS compared
        ON documents.document_key = compared.document_key
    LEFT JOIN map.companies AS companies
        ON documents.company_code = companies.company_code
    LEFT JOIN map.entities AS entities
        ON companies.owner_code = entities.owner_code
    LEFT JOIN seed.gl_sign AS gl_sign
        ON documents.company_code = gl_sign.company_code
    QUALIFY
        ROW_NUMBER() OVER (
            PARTITION BY documents.document_key
            ORDER BY companies.owner_code, entities.entity_db_id, compared.subject
        ) = 1
),

-- An amount of 10^12 or more is none: such a document is held, and sums over it would overflow.
lines AS (
    SELECT
        documents.document_key,
        COALESCE(TRIM(lines.voyage_reference_no), '') AS voyage_no,
        COALESCE(TRIM(lines.gl_account), '') AS account,
        lines.ref_document_key,
        lines.ref_document_no,
        -- GL documents are debit-positive unless the tenant says otherwise (docs/mapping.md#1); an account of the line's
        -- speaks for itself, a line without one is known by its GL account.
        CASE
            WHEN documents.gl_sign = '-1' THEN -1
            WHEN
                documents.gl_sign = 'revenue'
                AND COALESCE(
                    lines.is_revenue,
                    CASE WHEN NULLIF(TRIM(lines.account_code), '') IS NULL THEN accounts.is_revenue END,
                    FALSE
                )
                THEN -1
            ELSE 1
        END AS direction,
        CASE WHEN ABS(lines.document_amount) < 1000000000000 THEN lines.document_amount ELSE 0 END AS document_amount,
        CASE
            WHEN ABS(lines.company_currency_amount) < 1000000000000 THEN lines.company_currency_amount ELSE 0
        END AS company_amount
    FROM
        documents
    INNER JOIN stg_vms.document_lines AS lines
        ON
            documents.document_key = lines.document_key
            AND documents.fetch_id = lines.fetch_id
    LEFT JOIN map.revenue_accounts AS accounts
        ON TRIM(lines.gl_account) = accounts.gl_account
),

rounded AS (
    SELECT
        documents.document_key,
        lines.voyage_no,
        lines.account,
        lines.ref_document_key,
        lines.ref_document_no,
        lines.direction,
        CASE COALESCE(units.minor_units, 2)
            WHEN 0 THEN CAST(ROUND(lines.document_amount, 0) AS DECIMAL(38, 4))
            WHEN 2 THEN CAST(ROUND(lines.document_amount, 2) AS DECIMAL(38, 4))
            WHEN 3 THEN CAST(ROUND(lines.document_amount, 3) AS DECIMAL(38, 4))
            ELSE CAST(ROUND(lines.document_amount, 4) AS DECIMAL(38, 4))
        END AS document_amount,
        CASE COALESCE(company_units.minor_units, 2)
            WHEN 0 THEN CAST(ROUND(lines.company_amount, 0) AS DECIMAL(38, 4))
            WHEN 2 THEN CAST(ROUND(lines.company_amount, 2) AS DECIMAL(38, 4))
            WHEN 3 THEN CAST(ROUND(lines.company_amount, 3) AS DECIMAL(38, 4))
            ELSE CAST(ROUND(lines.company_amount, 4) AS DECIMAL(38, 4))
        END AS company_amount
    FROM
        documents
    INNER JOIN lines
        ON documents.document_key = lines.document_key
    LEFT JOIN seed.currencies AS units
        ON documents.currency_code = units.currency_code
    LEFT JOIN seed.currencies AS company_units
        ON documents.company_currency_code = company_units.currency_code
),

entries AS (
    SELECT
        document_key,
        voyage_no,
        account,
        MAX(ref_document_key) AS ref_document_key,
        MAX(ref_document_no) AS ref_document_no,
        MIN(direction) AS direction,
        SUM(direction * document_amount) AS document_amount,
        SUM(direction * company_amount) AS company_amount,
        -- What a document states of estimate and actual is of one voyage and account, or it is not known of which.
        COUNT(*) OVER (PARTITION BY document_key) = 1 AS is_alone
    FROM
        rounded
    GROUP BY
        document_key,
        voyage_no,
        account
)

SELECT
    documents.document_key,
    documents.document_no,  -- number of the document in the VMS
    documents.document_type,  -- ACP, ACR, CAP, CAR, BAP, BAR
    documents.family,  -- accrual | capitalisation | bunker adjustment
    documents.reverses_type,  -- type of what it takes back; null: it is no reversal
    documents.company_code,  -- VMS company
    documents.owner_code,  -- ledger entity; null: no entity is known for the company
    entries.voyage_no,  -- reference number of the voyage; empty: none
    entries.account,  -- GL account of the line; empty: none
    documents.period_month,  -- that the voucher is posted in, else of the document's date
    documents.document_date,  -- date of the document in the VMS
    documents.status_code,  -- state in the VMS; GONE: deleted; REJECTED: its text breaks the contract
    documents.is_posted,  -- true: sent by Springline, or posted in the VMS
    documents.currency_code,  -- voyage currency
    documents.company_currency_code,  -- currency of the company amounts
    CAST(entries.document_amount AS DECIMAL(38, 4)) AS document_amount,  -- in currency_code
    CAST(entries.company_amount AS DECIMAL(38, 4)) AS company_amount,  -- in company currency, debit positive
    entries.ref_document_key,  -- database id of the document it names as taken back
    entries.ref_document_no,  -- number of the document it names as taken back
    CASE
        WHEN entries.is_alone AND ABS(documents.estimate_amount_ytd) < 1000000000000
            THEN CAST(ROUND(entries.direction * documents.estimate_amount_ytd, 4) AS DECIMAL(38, 4))
    END AS estimate_ytd,  -- year to date as the document states it, in currency_code; null: it states none
    CASE
        WHEN entries.is_alone AND ABS(documents.account_amount_ytd) < 1000000000000
            THEN CAST(ROUND(entries.direction * documents.account_amount_ytd, 4) AS DECIMAL(38, 4))
    END AS actual_ytd,  -- year to date as the VMS knew it then, in currency_code; null: it states none
    documents.fetched_at AS as_of_vms  -- when the document was last read
FROM
    documents
INNER JOIN entries
    ON documents.document_key = entries.document_key
