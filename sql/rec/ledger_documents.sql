-- One document of ours that the ledger's books have: its voucher, what it comes to there, what has changed.
-- An invoice comes to what stands on its control account, a GL document to its lines beside the contra accounts.
-- Amounts are those that were sent, and what has moved since: by a hand on its lines, booked again, taken back.
-- Answers: What has become of our document in the ledger?
-- Read by: rec.document_facts.
-- grain: document_key
-- parts: document_key; stg_ledger.transactions by header_db_id of rec.voucher_headers;
--     rec.ledger_vouchers by header_db_id of rec.voucher_headers; rec.subledger_vouchers by header_db_id of rec.voucher_headers
WITH accounts AS (
    SELECT
        details.document_key,
        details.account,
        MIN(details.direction) AS vms_sign
    FROM
        rec.sent_details AS details
    WHERE
        details.voucher_type = 'GL'
    GROUP BY
        details.document_key,
        details.account
    UNION ALL
    SELECT
        vouchers.document_key,
        vouchers.control_account,
        vouchers.control_sign
    FROM
        rec.sent_vouchers AS vouchers
    WHERE
        vouchers.voucher_type <> 'GL'
        AND vouchers.control_account IS NOT NULL
),

-- A GL voucher booked once more or taken back whole comes to what was sent: an account may be contra and line in one.
others AS (
    SELECT
        headers.document_key,
        headers.header_db_id,
        headers.part,
        CASE
            WHEN
                MIN(vouchers.voucher_type) = 'GL'
                AND SUM(CASE WHEN transactions.invoice_amount > 0 THEN transactions.invoice_amount ELSE 0 END)
                = MIN(vouchers.debit_currency)
                THEN CASE headers.part WHEN 'again' THEN 1 ELSE -1 END * MIN(vouchers.sent_currency)
            ELSE SUM(COALESCE(accounts.vms_sign, 0) * transactions.invoice_amount)
        END AS currency_amount,
        CASE
            WHEN
                MIN(vouchers.voucher_type) = 'GL'
                AND SUM(CASE WHEN transactions.amount > 0 THEN transactions.amount ELSE 0 END)
                = MIN(vouchers.debit_company)
                THEN CASE headers.part WHEN 'again' THEN 1 ELSE -1 END * MIN(vouchers.sent_company)
            ELSE SUM(COALESCE(accounts.vms_sign, 0) * transactions.amount)
        END AS company_amount,
        MAX(transactions.voucher_no) AS voucher_no,
        MAX(transactions.posted_date) AS posted_date,
        MAX(transactions.fetched_at) AS fetched_at
    FROM
        rec.voucher_headers AS headers
    INNER JOIN rec.sent_vouchers AS vouchers
        ON headers.document_key = vouchers.document_key
    INNER JOIN stg_ledger.transactions AS transactions
        ON headers.header_db_id = transactions.header_db_id
    LEFT JOIN accounts
        ON
            headers.document_key = accounts.document_key
            AND transactions.account_code = accounts.account
    WHERE
        headers.part <> 'voucher'
    GROUP BY
        headers.document_key,
        headers.header_db_id,
        headers.part
),

further AS (
    SELECT
        document_key,
        CAST(SUM(currency_amount) AS DECIMAL(38, 4)) AS currency_amount,
        CAST(SUM(company_amount) AS DECIMAL(38, 4)) AS company_amount,
        MAX(fetched_at) AS fetched_at,
        SUM(CASE part WHEN 'again' THEN 1 ELSE -1 END) AS standing_count,
        STRING_AGG(
            CASE WHEN part = 'again' THEN CAST(voucher_no AS VARCHAR) || ' of ' || CAST(posted_date AS VARCHAR) END,
            ', ' ORDER BY header_db_id
        ) AS again,
        STRING_AGG(
            CASE WHEN part = 'reversal' THEN CAST(voucher_no AS VARCHAR) || ' of ' || CAST(posted_date AS VARCHAR) END,
            ', ' ORDER BY header_db_id
        ) AS reversals
    FROM
        others
    GROUP BY
        document_key
),

-- What was adopted has no lines of ours: its invoice stands in the subledger, a GL voucher has a row of its amount.
adopted AS (
    SELECT
        vouchers.document_key,
        own.header_db_id,
        vouchers.voucher_type,
        vouchers.control_sign,
        vouchers.subledger_no,
        vouchers.invoice_no,
        documents.amount,
        documents.company_amount
    FROM
        rec.sent_vouchers AS vouchers
    INNER JOIN rec.booked_vouchers AS own
        ON vouchers.document_key = own.document_key
    LEFT JOIN rec.vms_documents AS documents
        ON vouchers.document_key = documents.document_key
    WHERE
        vouchers.is_adopted
),

adopted_amounts AS (
    SELECT
        adopted.document_key,
        CAST(adopted.control_sign * invoices.currency_amount AS DECIMAL(38, 4)) AS currency_amount,
        CAST(adopted.control_sign * invoices.company_amount AS DECIMAL(38, 4)) AS company_amount,
        CAST(NULL AS DECIMAL(38, 4)) AS other_amount
    FROM
        adopted
    INNER JOIN rec.subledger_vouchers AS invoices
        ON
            adopted.header_db_id = invoices.header_db_id
            AND adopted.voucher_type = invoices.side
            AND adopted.subledger_no = invoices.subledger_code
            AND adopted.invoice_no = invoices.invoice_number
    UNION ALL
    SELECT
        adopted.document_key,
        adopted.amount,
        adopted.company_amount,
        CASE
            WHEN MAX(CASE WHEN ABS(transactions.invoice_amount) = ABS(adopted.amount) THEN 1 ELSE 0 END) = 0
                THEN CAST(MAX(ABS(transactions.invoice_amount)) AS DECIMAL(38, 4))
        END
    FROM
        adopted
    INNER JOIN stg_ledger.transactions AS transactions
        ON adopted.header_db_id = transactions.header_db_id
    WHERE
        adopted.voucher_type = 'GL'
    GROUP BY
        adopted.document_key,
        adopted.amount,
        adopted.company_amount
),

booked AS (
    SELECT
        vouchers.document_key,
        vouchers.voucher_type,
        vouchers.is_adopted,
        vouchers.subledger_no,
        vouchers.invoice_no,
        vouchers.currency,
        vouchers.posted_date AS sent_date,
        vouchers.first_due_date AS sent_first_due_date,
        vouchers.last_due_date AS sent_last_due_date,
        headers.header_db_id,
        headers.voucher_no,
        headers.posted_date,
        headers.booked_at,
        headers.company_currency_code,
        headers.first_currency,
        headers.last_currency,
        headers.fetched_at,
        COALESCE(
            CASE
                WHEN
                    headers.debit_currency <> vouchers.debit_currency
                    THEN vouchers.sent_currency + COALESCE(changes.vms_currency, 0)
            END,
            vouchers.sent_currency,
            adopted_amounts.currency_amount
        ) AS currency_amount,
        COALESCE(
            CASE
                WHEN
                    headers.debit_company <> vouchers.debit_company
                    THEN vouchers.sent_company + COALESCE(changes.vms_company, 0)
            END,
            vouchers.sent_company,
            adopted_amounts.company_amount
        ) AS company_amount,
        adopted_amounts.other_amount,
        changes.changes,
        -- Null: the invoice stands under another partner or number.
        invoices.currency_amount = vouchers.control_currency AS is_invoice_whole,
        invoices.first_due_date,
        invoices.last_due_date
    FROM
        rec.sent_vouchers AS vouchers
    INNER JOIN rec.booked_vouchers AS own
        ON vouchers.document_key = own.document_key
    INNER JOIN rec.ledger_vouchers AS headers
        ON own.header_db_id = headers.header_db_id
    LEFT JOIN rec.voucher_changes AS changes
        ON vouchers.document_key = changes.document_key
    LEFT JOIN rec.subledger_vouchers AS invoices
        ON
            own.header_db_id = invoices.header_db_id
            AND vouchers.voucher_type = invoices.side
            AND vouchers.subledger_no = invoices.subledger_code
            AND vouchers.invoice_no = invoices.invoice_number
    LEFT JOIN adopted_amounts
        ON vouchers.document_key = adopted_amounts.document_key
),

-- Partners of detail lines, as brokers, whose rows stand in the voucher beside the invoice.
brokers AS (
    SELECT DISTINCT
        lines.document_key,
        lines.subledger_no
    FROM
        ctl.sent_lines AS lines
    WHERE
        NOT lines.is_control
        AND lines.subledger_no IS NOT NULL
),

-- Whose row it is now, all of it or a term, where the partner or the invoice number was changed by hand.
strangers AS (
    SELECT
        booked.document_key,
        MIN(invoices.subledger_code) AS subledger_code,
        MIN(invoices.invoice_number) AS invoice_number
    FROM
        booked
    INNER JOIN rec.subledger_vouchers AS invoices
        ON
            booked.header_db_id = invoices.header_db_id
            AND booked.voucher_type = invoices.side
    LEFT JOIN brokers
        ON
            booked.document_key = brokers.document_key
            AND invoices.subledger_code = brokers.subledger_no
    WHERE
        NOT COALESCE(booked.is_invoice_whole, booked.is_adopted)
        AND brokers.document_key IS NULL
        AND (invoices.subledger_code <> booked.subledger_no OR invoices.invoice_number <> booked.invoice_no)
    GROUP BY
        booked.document_key
)

SELECT
    booked.document_key,
    booked.header_db_id,  -- database id of the voucher in the ledger
    booked.voucher_no,  -- number of its voucher in the ledger
    booked.posted_date,  -- posting date of the voucher in the ledger
    booked.booked_at,
    booked.company_currency_code,
    COALESCE(further.fetched_at, booked.fetched_at) AS fetched_at,  -- when one of its rows was read last, UTC
    CAST(booked.currency_amount + COALESCE(further.currency_amount, 0) AS DECIMAL(38, 4))
        AS amount,  -- what it comes to, with the sign of the VMS, in the currency of the document
    CAST(booked.company_amount + COALESCE(further.company_amount, 0) AS DECIMAL(38, 4))
        AS company_amount,  -- what it comes to, with the sign of the VMS, in company currency
    CAST(1 + COALESCE(further.standing_count, 0) AS INTEGER) AS standing_count,  -- how often it is booked, less how often it is taken back
    CONCAT_WS(
        '; ',
        booked.changes,
        CASE
            WHEN booked.sent_date <> booked.posted_date
                THEN
                    'date ' || CAST(booked.sent_date AS VARCHAR) || ' was sent, the ledger has '
                    || CAST(booked.posted_date AS VARCHAR)
        END,
        CASE
            WHEN booked.first_currency <> booked.currency OR booked.last_currency <> booked.currency
                THEN
                    'currency ' || booked.currency || ' was sent, the ledger has ' || booked.first_currency
                    || CASE
                        WHEN booked.first_currency <> booked.last_currency THEN ' and ' || booked.last_currency ELSE ''
                    END
        END,
        CASE
            WHEN strangers.document_key IS NOT NULL
                THEN
                    'partner ' || booked.subledger_no || ' with invoice ' || booked.invoice_no
                    || ' was sent, the ledger has ' || strangers.subledger_code || ' with '
                    || strangers.invoice_number
        END,
        CASE
            WHEN
                strangers.document_key IS NULL
                AND (
                    booked.first_due_date <> booked.sent_first_due_date
                    OR booked.last_due_date <> booked.sent_last_due_date
                )
                THEN
                    'due dates ' || CAST(booked.sent_first_due_date AS VARCHAR) || ' to '
                    || CAST(booked.sent_last_due_date AS VARCHAR) || ' were sent, the ledger has '
                    || CAST(booked.first_due_date AS VARCHAR) || ' to ' || CAST(booked.last_due_date AS VARCHAR)
        END,
        CASE
            WHEN booked.other_amount IS NOT NULL
                THEN
                    'the largest amount of the adopted voucher is '
                    || AMOUNT_TEXT(booked.other_amount, booked.currency)
        END
    ) AS changes,  -- what was sent and what the ledger has; empty: nothing has changed
    further.again,  -- vouchers with the same text that were imported beside it
    further.reversals  -- vouchers that take it back
FROM
    booked
LEFT JOIN further
    ON booked.document_key = further.document_key
LEFT JOIN strangers
    ON booked.document_key = strangers.document_key
