-- One detail line of an open GL document with the account that the other side of its amount is booked on.
-- The first that there is and that is not the line's own: the tenant's for company and type, on accruals and
-- capitalisations the line's account's balance account, the document's own (docs/mapping.md#1).
-- Answers which control lines a GL voucher has; read by post.contra_amounts and map.control_accounts.
-- grain: document_key, line_key
WITH candidates AS (
    SELECT
        lines.document_key,
        lines.line_key,
        lines.line_no,
        documents.company_code,
        lines.gl_account,
        NULLIF(TRIM(accrual_control.account), '') AS set_account,
        CASE
            WHEN documents.document_type NOT IN ('ACP', 'ACR', 'CAP', 'CAR') THEN NULL
            WHEN lines.is_revenue THEN lines.accrual_asset_account
            ELSE lines.accrual_balance_account
        END AS balance_account,
        CASE WHEN lines.is_revenue THEN 'balanceAccountAccrualAsset' ELSE 'balanceAccountAccrual' END AS balance_member,
        documents.gl_account AS document_account
    FROM
        map.open_documents AS documents
    INNER JOIN map.document_lines AS lines
        ON documents.document_key = lines.document_key
    LEFT JOIN seed.accrual_control AS accrual_control
        ON
            documents.company_code = accrual_control.company_code
            AND documents.document_type = accrual_control.document_type
    WHERE
        documents.voucher_type = 'GL'
        AND NOT lines.is_vat_line
),

-- In the ledger's terms (posting.gl_accounts): an account and its contra account must not meet there. What the settings
-- name is the ledger's already.
translated AS (
    SELECT
        candidates.document_key,
        candidates.line_key,
        candidates.line_no,
        candidates.balance_member,
        candidates.set_account,
        COALESCE(line_rules.ledger_account, candidates.gl_account) AS gl_account,
        COALESCE(balance_rules.ledger_account, candidates.balance_account) AS balance_account,
        COALESCE(' (' || balance_rules.vms_account || '), ' || balance_rules.rule_text, '') AS balance_rule,
        COALESCE(document_rules.ledger_account, candidates.document_account) AS document_account,
        COALESCE(' (' || document_rules.vms_account || '), ' || document_rules.rule_text, '') AS document_rule
    FROM
        candidates
    LEFT JOIN map.account_rules AS line_rules
        ON
            candidates.company_code = line_rules.company_code
            AND candidates.gl_account = line_rules.vms_account
    LEFT JOIN map.account_rules AS balance_rules
        ON
            candidates.company_code = balance_rules.company_code
            AND candidates.balance_account = balance_rules.vms_account
    LEFT JOIN map.account_rules AS document_rules
        ON
            candidates.company_code = document_rules.company_code
            AND candidates.document_account = document_rules.vms_account
),

usable AS (
    SELECT
        *,
        -- A line without an account is held for that; it is not known which contra account would be its own.
        CASE WHEN set_account <> COALESCE(gl_account, '') THEN set_account END AS usable_set,
        CASE WHEN balance_account <> COALESCE(gl_account, '') THEN balance_account END AS usable_balance,
        CASE WHEN document_account <> COALESCE(gl_account, '') THEN document_account END AS usable_document
    FROM
        translated
)

SELECT
    document_key,
    line_key,
    line_no,
    COALESCE(usable_set, usable_balance, usable_document) AS account,  -- null: none, or none but the line's own
    CASE
        WHEN usable_set IS NOT NULL THEN 'posting.accrual_control'
        WHEN usable_balance IS NOT NULL THEN 'account.' || balance_member || balance_rule
        WHEN usable_document IS NOT NULL THEN 'Document.glAccount' || document_rule
    END AS source,  -- where the account stands, and which line of the tenant's file maps it
    COALESCE(usable_set, usable_balance, usable_document) IS NULL
    AND COALESCE(set_account, balance_account, document_account) IS NOT NULL AS is_line_account,  -- only the line's own was found
    CASE
        WHEN COALESCE(usable_set, usable_balance, usable_document) IS NULL
            THEN COALESCE(set_account, balance_account, document_account)
    END AS rejected_account  -- the line's own, which was found and cannot be its contra account
FROM
    usable
