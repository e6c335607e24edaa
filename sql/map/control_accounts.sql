-- One open document with its control account: the company's APX or ARX account, or the contra accounts of a GL voucher.
-- Answers what keeps a document from having a control line; read by post.draft_lines and post.document_checks.
-- grain: document_key
WITH vms_accounts AS (
    SELECT
        documents.document_key,
        COALESCE(rules.ledger_account, TRIM(accounts.gl_account)) AS gl_account,
        'VMS account ' || documents.control_account_code
        || COALESCE(' (' || rules.vms_account || '), ' || rules.rule_text, '') AS source
    FROM
        map.open_documents AS documents
    INNER JOIN stg_vms.accounts AS accounts
        ON
            documents.control_account_code = accounts.account_code
            AND (accounts.company_code = documents.company_code OR accounts.company_code IS NULL)
    -- An account that the settings name is the ledger's already; one of the VMS goes through the tenant's file.
    LEFT JOIN map.account_rules AS rules
        ON
            documents.company_code = rules.company_code
            AND TRIM(accounts.gl_account) = rules.vms_account
    WHERE
        NULLIF(TRIM(accounts.gl_account), '') IS NOT NULL
    QUALIFY
        ROW_NUMBER() OVER (
            PARTITION BY documents.document_key
            ORDER BY CASE WHEN accounts.company_code IS NULL THEN 1 ELSE 0 END, accounts.account_key
        ) = 1
),

-- A document that carries both sides itself needs no contra account.
sums AS (
    SELECT
        lines.document_key,
        COALESCE(SUM(lines.gl_direction * lines.net_currency) <> 0, TRUE)
        OR COALESCE(SUM(lines.gl_direction * lines.net_company) <> 0, TRUE) AS is_one_sided
    FROM
        map.document_lines AS lines
    WHERE
        NOT lines.is_vat_line
    GROUP BY
        lines.document_key
),

contra AS (
    SELECT
        accounts.document_key,
        COALESCE(MIN(accounts.account), MIN(accounts.rejected_account)) AS account,
        MAX(CASE WHEN accounts.account IS NULL THEN 1 ELSE 0 END) AS is_missing,
        STRING_AGG(
            CASE WHEN accounts.account IS NULL THEN CAST(accounts.line_no AS VARCHAR) END, ', ' ORDER BY accounts.line_no
        ) AS lines_without,
        MAX(CASE WHEN accounts.is_line_account THEN 1 ELSE 0 END) AS is_line_account,
        MAX(CASE WHEN sums.is_one_sided THEN 1 ELSE 0 END) AS is_one_sided
    FROM
        map.contra_accounts AS accounts
    INNER JOIN sums
        ON accounts.document_key = sums.document_key
    GROUP BY
        accounts.document_key
)

SELECT
    documents.document_key,
    CASE documents.voucher_type
        WHEN 'AP' THEN COALESCE(companies.payables_account, vms_accounts.gl_account)
        WHEN 'AR' THEN COALESCE(companies.receivables_account, vms_accounts.gl_account)
        ELSE contra.account
    END AS account,  -- control account of the voucher, of several the lowest; null: not known, or none needed
    CASE
        WHEN documents.voucher_type = 'AP' AND companies.payables_account IS NOT NULL THEN 'companies.payables_account'
        WHEN documents.voucher_type = 'AR' AND companies.receivables_account IS NOT NULL
            THEN 'companies.receivables_account'
        WHEN vms_accounts.document_key IS NOT NULL THEN vms_accounts.source
    END AS source,  -- where the account of an invoice stands; null on GL
    CASE documents.voucher_type
        WHEN 'AP' THEN COALESCE(companies.payables_account, vms_accounts.gl_account) IS NULL
        WHEN 'AR' THEN COALESCE(companies.receivables_account, vms_accounts.gl_account) IS NULL
        ELSE
            COALESCE(contra.is_one_sided, 1) = 1
            AND COALESCE(contra.is_missing, 1) = 1
            AND COALESCE(contra.is_line_account, 0) = 0
    END AS is_missing,  -- no account is known for a line's other side
    documents.voucher_type = 'GL'
    AND COALESCE(contra.is_one_sided, 0) = 1
    AND COALESCE(contra.is_line_account, 0) = 1 AS is_line_account,  -- the only account known is a line's own, which would meet itself
    contra.lines_without  -- numbers of the lines without a usable contra account: 1, 3
FROM
    map.open_documents AS documents
LEFT JOIN map.companies AS companies
    ON documents.company_code = companies.company_code
LEFT JOIN vms_accounts
    ON documents.document_key = vms_accounts.document_key
LEFT JOIN contra
    ON documents.document_key = contra.document_key
