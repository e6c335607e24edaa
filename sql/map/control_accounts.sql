-- One open document with its control account: the company's APX or ARX account, or the document's own on GL vouchers.
-- A GL document whose account is a line's own takes the tenant's account for that type (posting.accrual_control).
-- Answers: Which account carries the total of a document?
-- Read by: the posting path.
-- grain: document_key
WITH vms_accounts AS (
    SELECT
        documents.document_key,
        accounts.gl_account
    FROM
        map.open_documents AS documents
    INNER JOIN stg_vms.accounts AS accounts
        ON
            documents.control_account_code = accounts.account_code
            AND (accounts.company_code = documents.company_code OR accounts.company_code IS NULL)
    WHERE
        NULLIF(TRIM(accounts.gl_account), '') IS NOT NULL
    QUALIFY
        -- The account of the company itself comes before the one that holds for all companies.
        ROW_NUMBER() OVER (
            PARTITION BY documents.document_key
            ORDER BY CASE WHEN accounts.company_code IS NULL THEN 1 ELSE 0 END, accounts.account_key
        ) = 1
),

line_accounts AS (
    SELECT DISTINCT
        document_key,
        gl_account
    FROM
        map.document_lines
    WHERE
        gl_account IS NOT NULL
),

chosen AS (
    SELECT
        documents.document_key,
        documents.voucher_type,
        CASE
            WHEN documents.voucher_type = 'AP' THEN COALESCE(companies.payables_account, TRIM(vms_accounts.gl_account))
            WHEN documents.voucher_type = 'AR' THEN COALESCE(companies.receivables_account, TRIM(vms_accounts.gl_account))
            WHEN documents.gl_account IS NULL OR line_accounts.document_key IS NOT NULL
                THEN COALESCE(accrual_control.account, documents.gl_account)
            ELSE documents.gl_account
        END AS account
    FROM
        map.open_documents AS documents
    LEFT JOIN map.companies AS companies
        ON documents.company_code = companies.company_code
    LEFT JOIN vms_accounts
        ON documents.document_key = vms_accounts.document_key
    LEFT JOIN line_accounts
        ON
            documents.document_key = line_accounts.document_key
            AND documents.gl_account = line_accounts.gl_account
    LEFT JOIN seed.accrual_control AS accrual_control
        ON
            documents.company_code = accrual_control.company_code
            AND documents.document_type = accrual_control.document_type
)

SELECT
    chosen.document_key,
    chosen.account,  -- control account of the voucher; null: not known
    chosen.voucher_type = 'GL' AND line_accounts.document_key IS NOT NULL
        AS is_line_account  -- the control account would meet itself: the document is held
FROM
    chosen
LEFT JOIN line_accounts
    ON
        chosen.document_key = line_accounts.document_key
        AND chosen.account = line_accounts.gl_account
