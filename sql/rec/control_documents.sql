-- One AP or AR document on its control account, as the VMS and as the ledger have it, both with the ledger's sign.
-- It stands in the month of its voucher, so that a document and its voucher meet; what was ignored is on neither side.
-- Answers: What does each document put on its control account, on either side?
-- Read by: the control accounts.
-- grain: subject
-- parts: subject; rec.sent_vouchers by document_key of rec.documents;
--     map.control_accounts by document_key of rec.documents; map.subledger_rows by header_db_id of rec.documents
WITH signs AS (
    SELECT
        voucher_types.document_type,
        voucher_types.voucher_type AS side,
        voucher_types.control_sign
    FROM
        seed.voucher_types AS voucher_types
    WHERE
        voucher_types.voucher_type IN ('AP', 'AR')
),

-- Where no line of ours says it, as on what was adopted: the account that the voucher stands on.
booked_accounts AS (
    SELECT
        documents.subject,
        MIN(ledger.account_code) AS account_code
    FROM
        map.subledger_rows AS ledger
    INNER JOIN rec.documents AS documents
        ON ledger.header_db_id = documents.header_db_id
    LEFT JOIN rec.sent_vouchers AS sent
        ON documents.document_key = sent.document_key
    WHERE
        sent.control_account IS NULL
        OR sent.header_db_id <> ledger.header_db_id
    GROUP BY
        documents.subject
)

SELECT
    documents.subject,
    documents.document_key,  -- database id of the document in the VMS
    documents.document_no,  -- number of the document in the VMS
    documents.owner_code,  -- ledger entity
    signs.side,  -- AP | AR
    COALESCE(sent.control_account, drafts.account, booked_accounts.account_code, usual_accounts.account, 'none')
        AS control_account,  -- GL account that carries suppliers or customers
    documents.currency_code,  -- currency of the document
    documents.period_month,
    documents.state,
    documents.is_break,  -- true: rec.documents has a break for it
    COALESCE(documents.status_vms NOT IN ('GONE', 'REJECTED'), FALSE) AS is_in_vms,  -- true: the VMS has it
    documents.import_state_ledger = 'booked' AS is_booked,  -- true: its voucher is in the books
    signs.control_sign,  -- 1 or -1: times the VMS's amount it is the ledger's
    CAST(
        CASE
            WHEN documents.status_vms NOT IN ('GONE', 'REJECTED') THEN signs.control_sign * documents.amount_vms ELSE 0
        END AS DECIMAL(38, 4)
    ) AS amount_vms,  -- what the VMS has, in currency_code
    CAST(
        CASE
            WHEN documents.status_vms NOT IN ('GONE', 'REJECTED')
                THEN signs.control_sign * documents.company_amount_vms
            ELSE 0
        END AS DECIMAL(38, 4)
    ) AS company_amount_vms,  -- what the VMS has, in company currency
    CAST(COALESCE(signs.control_sign * documents.amount_ledger, 0) AS DECIMAL(38, 4))
        AS amount_ledger,  -- what the control account has, in currency_code
    CAST(COALESCE(signs.control_sign * documents.company_amount_ledger, 0) AS DECIMAL(38, 4))
        AS company_amount_ledger  -- what the control account has, in company currency
FROM
    rec.documents AS documents
INNER JOIN signs
    ON documents.document_type = signs.document_type
LEFT JOIN rec.sent_vouchers AS sent
    ON documents.document_key = sent.document_key
LEFT JOIN map.control_accounts AS drafts
    ON documents.document_key = drafts.document_key
LEFT JOIN booked_accounts
    ON documents.subject = booked_accounts.subject
LEFT JOIN rec.usual_accounts AS usual_accounts
    ON
        documents.company_code = usual_accounts.company_code
        AND signs.side = usual_accounts.voucher_type
WHERE
    documents.state <> 'ignored'
    AND documents.owner_code IS NOT NULL
