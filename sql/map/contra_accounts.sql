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

usable AS (
    SELECT
        *,
        -- A line without an account is held for that; it is not known which contra account would be its own.
        CASE WHEN set_account <> COALESCE(gl_account, '') THEN set_account END AS usable_set,
        CASE WHEN balance_account <> COALESCE(gl_account, '') THEN balance_account END AS usable_balance,
        CASE WHEN document_account <> COALESCE(gl_account, '') THEN document_account END AS usable_document
    FROM
        candidates
)

SELECT
    document_key,
    line_key,
    line_no,
    COALESCE(usable_set, usable_balance, usable_document) AS account,  -- null: none, or none but the line's own
    CASE
        WHEN usable_set IS NOT NULL THEN 'posting.accrual_control'
        WHEN usable_balance IS NOT NULL THEN 'account.' || balance_member
        WHEN usable_document IS NOT NULL THEN 'Document.glAccount'
    END AS source,  -- where the account stands
    COALESCE(usable_set, usable_balance, usable_document) IS NULL
    AND COALESCE(set_account, balance_account, document_account) IS NOT NULL AS is_line_account,  -- only the line's own was found
    CASE
        WHEN COALESCE(usable_set, usable_balance, usable_document) IS NULL
            THEN COALESCE(set_account, balance_account, document_account)
    END AS rejected_account  -- the line's own, which was found and cannot be its contra account
FROM
    usable
