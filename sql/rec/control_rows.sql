-- One row of the ledger's supplier or customer ledger on its control account, and whose it is: of a document of ours, an
-- exchange difference without any currency amount, typed on the account by hand, or the ledger's own business.
-- A broker's commission on a detail line of ours is the ledger's own: the VMS has no open item for it. What is matched
-- settles something; a row that is neither invoice nor payment and settles nothing was typed by hand.
-- Answers: Whose is this row on a control account?
-- Read by: the control accounts.
-- grain: side, row_db_id
-- parts: header_db_id
WITH ours AS (
    SELECT
        headers.header_db_id,
        headers.document_key
    FROM
        rec.voucher_headers AS headers
    UNION ALL
    SELECT
        orphans.header_db_id,
        orphans.document_key
    FROM
        rec.orphan_vouchers AS orphans
)

SELECT
    ledger.side,  -- AP | AR
    ledger.row_db_id,  -- database id of the row in the subledger
    ledger.owner_code,  -- ledger entity
    ledger.account_code AS control_account,
    ledger.currency_code,  -- currency of the row
    ledger.header_db_id,  -- database id of the voucher in the ledger
    ledger.voucher_no,  -- number of the voucher in the ledger
    ledger.posted_date,  -- posting date of the voucher in the ledger
    CAST(DATE_TRUNC('month', COALESCE(ledger.posted_date, ledger.due_date)) AS DATE) AS period_month,  -- first day of the month
    ledger.subledger_code,  -- supplier or customer of the row
    ours.document_key,  -- database id of the VMS document whose voucher it is
    CASE
        -- The order matters: an exchange difference on a voucher of ours is still ours.
        WHEN ours.header_db_id IS NOT NULL AND commissions.document_key IS NULL THEN 'ours'
        WHEN ledger.amount_units = 0 THEN 'revaluation'
        WHEN ours.header_db_id IS NULL AND ledger.row_role = 'adjustment' AND ledger.match_id = 0 THEN 'by hand'
        ELSE 'other'
    END AS kind,  -- ours | other | by hand | revaluation
    CAST(CASE ledger.side WHEN 'AP' THEN -ledger.amount_units ELSE ledger.amount_units END AS DECIMAL(38, 0))
    * CASE ledger.currency_factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END
        AS amount,  -- in currency_code, debit positive
    CAST(CASE ledger.side WHEN 'AP' THEN -ledger.company_units ELSE ledger.company_units END AS DECIMAL(38, 0))
    * CASE ledger.company_factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END
        AS company_amount  -- in company currency, debit positive
FROM
    map.subledger_rows AS ledger
LEFT JOIN ours
    ON ledger.header_db_id = ours.header_db_id
LEFT JOIN rec.commissions AS commissions
    ON
        ours.document_key = commissions.document_key
        AND ledger.subledger_code = commissions.subledger_no
WHERE
    ledger.account_code IS NOT NULL
