-- One code a draft voucher needs in the ledger: supplier, customer, project, vessel, tax rule, account, currency, dimension.
-- Answers: Which codes must the ledger know before a voucher can go?
-- Read by: post.missing_codes.
-- grain: document_key, code_kind, code
WITH needed AS (
    SELECT
        document_key,
        company AS owner_code,
        CASE voucher_type WHEN 'AP' THEN 'supplier' ELSE 'customer' END AS code_kind,
        subledger_no AS code
    FROM
        post.draft_lines
    UNION ALL
    SELECT
        document_key,
        company,
        'project',
        posting2
    FROM
        post.draft_lines
    UNION ALL
    SELECT
        document_key,
        company,
        'vessel',
        posting1
    FROM
        post.draft_lines
    UNION ALL
    SELECT
        document_key,
        company,
        'location',
        posting3
    FROM
        post.draft_lines
    UNION ALL
    SELECT
        document_key,
        company,
        'xgl',
        xgl
    FROM
        post.draft_lines
    UNION ALL
    SELECT
        document_key,
        company,
        'tax_rule',
        tax_rule
    FROM
        post.draft_lines
    UNION ALL
    SELECT
        document_key,
        company,
        'account',
        account
    FROM
        post.draft_lines
    UNION ALL
    SELECT
        document_key,
        company,
        'currency',
        currency
    FROM
        post.draft_lines
)

SELECT DISTINCT
    document_key,
    owner_code,
    code_kind,  -- supplier, customer, project, vessel, location, tax_rule, account, xgl, currency
    code  -- as it goes to the ledger
FROM
    needed
WHERE
    code IS NOT NULL
    AND owner_code IS NOT NULL
