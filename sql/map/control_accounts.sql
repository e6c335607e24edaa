-- One open document with its control account: the company's APX or ARX account, or the document's own on GL vouchers.
-- A GL document whose account is a line's own takes the tenant's account for that type (posting.accrual_control).
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
        ROW_NUMBER() OVER (
            PARTITION BY documents.document_key
            ORDER BY CASE WHEN accounts.company_code IS NULL THEN 1 ELSE 0 END, accounts.account_key
        ) = 1
),

own_lines AS (
    SELECT DISTINCT documents.document_key
    FROM
        map.open_documents AS documents
    INNER JOIN map.document_lines AS lines
        ON
            documents.document_key = lines.document_key
            AND documents.gl_account = lines.gl_account
)

SELECT
    documents.document_key,
    CASE
        WHEN documents.voucher_type = 'AP' THEN COALESCE(companies.payables_account, TRIM(vms_accounts.gl_account))
        WHEN documents.voucher_type = 'AR' THEN COALESCE(companies.receivables_account, TRIM(vms_accounts.gl_account))
        WHEN documents.gl_account IS NULL OR own_lines.document_key IS NOT NULL
            THEN COALESCE(accrual_control.account, documents.gl_account)
        ELSE documents.gl_account
    END AS account,
    own_lines.document_key IS NOT NULL AND accrual_control.account IS NULL AND documents.voucher_type = 'GL'
        AS is_line_account  -- the control account would meet itself: the document is held
FROM
    map.open_documents AS documents
LEFT JOIN map.companies AS companies
    ON documents.company_code = companies.company_code
LEFT JOIN vms_accounts
    ON documents.document_key = vms_accounts.document_key
LEFT JOIN own_lines
    ON documents.document_key = own_lines.document_key
LEFT JOIN seed.accrual_control AS accrual_control
    ON
        documents.company_code = accrual_control.company_code
        AND documents.document_type = accrual_control.document_type
