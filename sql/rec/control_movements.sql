-- What one control account moves by in one currency and month, each side by itself, with the ledger's sign.
-- Answers: By how much did a control account move in a month, on each side?
-- Read by: rec.control_balances.
-- grain: owner_code, control_account, currency_code, period_month
WITH movements AS (
    SELECT
        documents.owner_code,
        documents.control_account,
        documents.currency_code,
        documents.period_month,
        documents.amount_vms AS open_vms,
        documents.company_amount_vms AS open_company_vms,
        CAST(0 AS DECIMAL(38, 4)) AS balance,
        CAST(0 AS DECIMAL(38, 4)) AS balance_company,
        CAST(0 AS DECIMAL(38, 4)) AS ledger_only,
        CAST(0 AS DECIMAL(38, 4)) AS ledger_only_company,
        CAST(0 AS DECIMAL(38, 4)) AS in_transit,
        CAST(0 AS DECIMAL(38, 4)) AS in_transit_company,
        CAST(0 AS DECIMAL(38, 4)) AS told_elsewhere,
        CAST(0 AS DECIMAL(38, 4)) AS told_elsewhere_company,
        CAST(0 AS DECIMAL(38, 4)) AS revaluation_company
    FROM
        rec.control_documents AS documents
    UNION ALL
    SELECT
        payments.owner_code,
        payments.control_account,
        payments.currency_code,
        payments.vms_month,
        payments.vms_amount,
        payments.vms_company_amount,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0
    FROM
        rec.control_payments AS payments
    UNION ALL
    -- What a payment does for the VMS's invoices is not the ledger's own business.
    SELECT
        payments.owner_code,
        payments.control_account,
        payments.currency_code,
        payments.ledger_month,
        0,
        0,
        0,
        0,
        -payments.sent_amount,
        -payments.sent_company_amount,
        0,
        0,
        0,
        0,
        0
    FROM
        rec.control_payments AS payments
    WHERE
        payments.is_in_ledger
    UNION ALL
    SELECT
        ledger.owner_code,
        ledger.control_account,
        ledger.currency_code,
        ledger.period_month,
        0,
        0,
        ledger.amount,
        ledger.company_amount,
        CASE WHEN ledger.kind = 'other' THEN ledger.amount ELSE 0 END,
        CASE WHEN ledger.kind = 'other' THEN ledger.company_amount ELSE 0 END,
        0,
        0,
        0,
        0,
        CASE WHEN ledger.kind = 'revaluation' THEN ledger.company_amount ELSE 0 END
    FROM
        rec.control_rows AS ledger
    UNION ALL
    SELECT
        items.owner_code,
        items.control_account,
        items.currency_code,
        items.period_month,
        0,
        0,
        0,
        0,
        CASE WHEN items.is_payment_rest THEN -items.amount ELSE 0 END,
        CASE WHEN items.is_payment_rest THEN -items.company_amount ELSE 0 END,
        CASE WHEN items.kind = 'in transit' THEN items.amount ELSE 0 END,
        CASE WHEN items.kind = 'in transit' THEN items.company_amount ELSE 0 END,
        CASE WHEN items.has_own_break THEN items.amount ELSE 0 END,
        CASE WHEN items.has_own_break THEN items.company_amount ELSE 0 END,
        0
    FROM
        rec.control_items AS items
)

SELECT
    owner_code,  -- ledger entity
    control_account,  -- GL account that carries suppliers or customers
    currency_code,  -- currency of the amounts
    period_month,  -- first day of the month
    CAST(SUM(open_vms) AS DECIMAL(38, 4)) AS open_vms,  -- documents less payments of the VMS, in currency_code
    CAST(SUM(open_company_vms) AS DECIMAL(38, 4)) AS open_company_vms,  -- documents less payments of the VMS, in company currency
    CAST(SUM(balance) AS DECIMAL(38, 4)) AS balance,  -- sum of the subledger's rows, in currency_code
    CAST(SUM(balance_company) AS DECIMAL(38, 4)) AS balance_company,  -- balance in company currency
    CAST(SUM(ledger_only) AS DECIMAL(38, 4)) AS ledger_only,  -- part of the balance that never came from the VMS
    CAST(SUM(ledger_only_company) AS DECIMAL(38, 4)) AS ledger_only_company,  -- ledger_only in company currency
    CAST(SUM(in_transit) AS DECIMAL(38, 4)) AS in_transit,  -- what one side has and the other will get, or is held
    CAST(SUM(in_transit_company) AS DECIMAL(38, 4)) AS in_transit_company,  -- in_transit in company currency
    CAST(SUM(told_elsewhere) AS DECIMAL(38, 4)) AS told_elsewhere,  -- differences that are breaks of documents and payments
    CAST(SUM(told_elsewhere_company) AS DECIMAL(38, 4)) AS told_elsewhere_company,  -- told_elsewhere in company currency
    CAST(SUM(revaluation_company) AS DECIMAL(38, 4)) AS revaluation_company  -- exchange differences: rows without currency amount
FROM
    movements
WHERE
    period_month IS NOT NULL
GROUP BY
    owner_code,
    control_account,
    currency_code,
    period_month
