-- One thing that stands on one side of a control account alone, by name: on its way to the other side or held, or a
-- difference. Amounts are what the ledger has less what the VMS has, with the ledger's sign.
-- Answers: Which items make the difference on a control account?
-- Read by: the control accounts.
-- grain: owner_code, control_account, currency_code, period_month, kind, item
WITH moved_payments AS (
    SELECT
        payments.owner_code,
        payments.control_account,
        payments.currency_code,
        payments.ledger_month,
        payments.vms_month,
        'payment ' || payments.payment_document_no || ' of document ' || payments.document_no AS item,
        CASE WHEN payments.is_in_ledger THEN payments.sent_amount ELSE 0 END AS sent_amount,
        CASE WHEN payments.is_in_ledger THEN payments.sent_company_amount ELSE 0 END AS sent_company_amount,
        payments.vms_amount,
        payments.vms_company_amount,
        -- A payment dated into another month in the VMS is nobody else's to tell.
        payments.sent_amount <> payments.vms_amount
        OR payments.sent_company_amount <> payments.vms_company_amount
        OR NOT payments.is_in_ledger AS has_own_break
    FROM
        rec.control_payments AS payments
    WHERE
        payments.status NOT IN ('to be sent', 'on its way')
        AND (
            NOT payments.is_in_ledger
            OR payments.sent_amount <> payments.vms_amount
            OR payments.sent_company_amount <> payments.vms_company_amount
            OR payments.ledger_month <> payments.vms_month
        )
),

-- Of a payment that is not matched, what has gone to the VMS already is on both sides.
unmatched AS (
    SELECT
        ledger.owner_code,
        ledger.control_account,
        ledger.currency_code,
        ledger.period_month,
        strays.subject,
        ledger.voucher_no,
        ledger.side,
        CASE ledger.side WHEN 'AP' THEN 1 ELSE -1 END
        * (strays.paid_ledger - CASE WHEN strays.is_rest THEN 0 ELSE strays.transferred END) AS amount,
        CASE ledger.side WHEN 'AP' THEN 1 ELSE -1 END * strays.transferred_company AS transferred_company,
        strays.is_rest,
        ledger.amount AS row_amount,
        ledger.company_amount AS row_company_amount
    FROM
        rec.stray_payments AS strays
    INNER JOIN rec.control_rows AS ledger
        ON
            strays.side = ledger.side
            AND strays.row_db_id = ledger.row_db_id
    WHERE
        strays.is_payment
        AND strays.is_break
        AND ledger.kind = 'other'
),

items AS (
    SELECT
        documents.owner_code,
        documents.control_account,
        documents.currency_code,
        documents.period_month,
        'in transit' AS kind,
        documents.state || ' ' || documents.document_no AS item,
        -documents.amount_vms AS amount,
        -documents.company_amount_vms AS company_amount,
        FALSE AS is_payment_rest,
        FALSE AS has_own_break
    FROM
        rec.control_documents AS documents
    WHERE
        documents.state IN ('waiting', 'held', 'unknown', 'rejected')
        AND NOT documents.is_booked
    UNION ALL
    SELECT
        documents.owner_code,
        documents.control_account,
        documents.currency_code,
        documents.period_month,
        'difference',
        'document ' || documents.document_no || ' (' || documents.state || ')',
        documents.amount_ledger - documents.amount_vms,
        documents.company_amount_ledger - documents.company_amount_vms,
        FALSE,
        documents.is_break
    FROM
        rec.control_documents AS documents
    WHERE
        (documents.is_booked OR documents.state NOT IN ('waiting', 'held', 'unknown', 'rejected'))
        AND (
            documents.amount_ledger <> documents.amount_vms
            OR documents.company_amount_ledger <> documents.company_amount_vms
        )
    UNION ALL
    SELECT
        payments.owner_code,
        payments.control_account,
        payments.currency_code,
        payments.ledger_month,
        'in transit',
        'payment ' || payments.payment_document_no || ' of document ' || payments.document_no,
        payments.sent_amount,
        payments.sent_company_amount,
        FALSE,
        FALSE
    FROM
        rec.control_payments AS payments
    WHERE
        payments.is_in_ledger
        AND payments.status IN ('to be sent', 'on its way')
    UNION ALL
    SELECT
        payments.owner_code,
        payments.control_account,
        payments.currency_code,
        payments.ledger_month,
        'difference',
        payments.item,
        payments.sent_amount,
        payments.sent_company_amount,
        FALSE,
        payments.has_own_break
    FROM
        moved_payments AS payments
    UNION ALL
    SELECT
        payments.owner_code,
        payments.control_account,
        payments.currency_code,
        payments.vms_month,
        'difference',
        payments.item,
        -payments.vms_amount,
        -payments.vms_company_amount,
        FALSE,
        payments.has_own_break
    FROM
        moved_payments AS payments
    UNION ALL
    SELECT
        unmatched.owner_code,
        unmatched.control_account,
        unmatched.currency_code,
        unmatched.period_month,
        'in transit',
        'unmatched payment, ' || unmatched.side || ' voucher ' || COALESCE(CAST(unmatched.voucher_no AS VARCHAR), '?'),
        unmatched.amount,
        CASE
            WHEN NOT unmatched.is_rest THEN unmatched.row_company_amount - unmatched.transferred_company
            ELSE
                CAST(
                    CAST(unmatched.amount * 10000 AS HUGEINT) * CAST(unmatched.row_company_amount * 10000 AS HUGEINT)
                    // CAST(unmatched.row_amount * 10000 AS HUGEINT) AS DECIMAL(38, 0)
                ) * 0.0001
        END,
        TRUE,
        FALSE
    FROM
        unmatched
    WHERE
        SIGN(unmatched.amount) = SIGN(unmatched.row_amount)
    UNION ALL
    SELECT
        ledger.owner_code,
        ledger.control_account,
        ledger.currency_code,
        ledger.period_month,
        'difference',
        'voucher ' || COALESCE(CAST(ledger.voucher_no AS VARCHAR), '?') || ' of '
        || COALESCE(CAST(ledger.posted_date AS VARCHAR), 'no date') || ', typed by hand on the account',
        ledger.amount,
        ledger.company_amount,
        FALSE,
        FALSE
    FROM
        rec.control_rows AS ledger
    WHERE
        ledger.kind = 'by hand'
)

SELECT
    owner_code,  -- ledger entity
    control_account,  -- GL account that carries suppliers or customers
    currency_code,  -- currency of the amounts
    period_month,  -- first day of the month
    kind,  -- in transit | difference
    item,  -- the document, payment or row, in words
    CAST(SUM(amount) AS DECIMAL(38, 4)) AS amount,  -- in currency_code
    CAST(SUM(company_amount) AS DECIMAL(38, 4)) AS company_amount,  -- the amount in company currency
    MAX(CASE WHEN is_payment_rest THEN 1 ELSE 0 END) = 1 AS is_payment_rest,  -- true: a payment, or its rest, that settles nothing yet
    MAX(CASE WHEN has_own_break THEN 1 ELSE 0 END) = 1 AS has_own_break  -- true: rec.documents or rec.payments has a break for it
FROM
    items
GROUP BY
    owner_code,
    control_account,
    currency_code,
    period_month,
    kind,
    item
HAVING
    SUM(amount) <> 0
    OR SUM(company_amount) <> 0
