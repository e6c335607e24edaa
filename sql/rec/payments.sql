-- One invoice of ours with what is paid and open on each side, or a payment that finds none. Amounts are in the currency
-- of the invoice, positive for an invoice, negative for a credit note.
-- Answers: Is each invoice paid alike on both sides, and what must be done if not?
-- Read by: accountants (workbook, report), analysts, the close.
-- grain: subject
-- parts: subject; rec.vms_documents by document_key of rec.invoice_payments
WITH next_due AS (
    SELECT
        items.document_key,
        MIN(items.due_date) AS due_date
    FROM
        rec.open_items AS items
    GROUP BY
        items.document_key
),

compared AS (
    SELECT
        invoices.document_key,
        invoices.document_no,
        documents.document_type,
        invoices.company_code,
        invoices.owner_code,
        invoices.side,
        invoices.partner_code,
        documents.partner_name,
        invoices.invoice_no,
        invoices.currency_code,
        documents.document_date,
        CASE WHEN next_due.document_key IS NULL THEN invoices.due_date ELSE next_due.due_date END AS due_date,
        CASE WHEN documents.status_code NOT IN ('GONE', 'REJECTED') THEN documents.amount END AS amount_vms,
        invoices.paid_vms,
        invoices.amount_ledger,
        invoices.paid_ledger,
        invoices.netted_ledger,
        invoices.paid_ledger - invoices.paid_vms AS paid_difference,
        invoices.on_its_way + invoices.to_send AS in_transit,
        invoices.by_hand,
        invoices.remarks,
        invoices.is_undone,
        invoices.last_payment_date,
        CASE WHEN COALESCE(documents.amount, invoices.amount_ledger) < 0 THEN -1 ELSE 1 END AS invoice_sign,
        tolerances.tolerance,
        COALESCE(documents.fetched_at, readings.documents_read_at) AS vms_fetched_at,
        COALESCE(invoices.ledger_fetched_at, readings.books_read_at) AS ledger_fetched_at
    FROM
        rec.invoice_payments AS invoices
    LEFT JOIN rec.payment_readings AS readings
        ON invoices.subject = readings.subject
    INNER JOIN seed.tolerances AS tolerances
        ON tolerances.measure = 'payment_amount'
    LEFT JOIN rec.vms_documents AS documents
        ON invoices.document_key = documents.document_key
    LEFT JOIN next_due
        ON invoices.document_key = next_due.document_key
),

judged AS (
    SELECT
        document_key,
        document_no,
        document_type,
        company_code,
        owner_code,
        side,
        partner_code,
        partner_name,
        invoice_no,
        currency_code,
        document_date,
        due_date,
        amount_vms,
        paid_vms,
        amount_ledger,
        paid_ledger,
        netted_ledger,
        paid_difference,
        in_transit,
        by_hand,
        remarks,
        last_payment_date,
        vms_fetched_at,
        ledger_fetched_at,
        amount_ledger - paid_ledger - netted_ledger AS open_ledger,
        -- What is neither on its way nor told by a row of its own.
        ABS(paid_difference - in_transit + by_hand) > tolerance AS is_unexplained,
        CASE
            WHEN is_undone THEN 'match undone'
            WHEN invoice_sign * (paid_vms - amount_vms) > tolerance THEN 'over paid'
            WHEN invoice_sign * paid_difference > tolerance THEN 'not yet in VMS'
            WHEN invoice_sign * paid_difference < -tolerance THEN 'unmatched in ledger'
            WHEN paid_vms <> 0 AND COALESCE(amount_ledger - paid_ledger - netted_ledger, amount_vms - paid_vms) <> 0
                THEN 'part paid'
            ELSE 'agreed'
        END AS state
    FROM
        compared
)

SELECT
    CAST(judged.document_key AS VARCHAR) AS subject,  -- document key; AP or AR and the row of the ledger; vms: and the key
    judged.document_key,  -- database id of the document in the VMS
    judged.document_no,  -- number of the invoice, or of the payment document
    judged.document_type,  -- kind of document in the VMS, as INI or CRO
    judged.company_code,  -- VMS company
    judged.owner_code,  -- ledger entity
    judged.side,  -- AP | AR
    judged.partner_code,  -- supplier or customer, by its code
    judged.partner_name,
    judged.invoice_no,  -- invoice number in the ledger
    judged.currency_code,  -- currency of the amounts
    judged.document_date,  -- date of the document in the VMS
    judged.due_date,  -- of the part that is due first of those that are open; of a settled invoice the last
    judged.amount_vms,  -- amount of the invoice in the VMS, in currency_code
    judged.paid_vms,  -- by posted PMI and PMO documents
    judged.amount_vms - judged.paid_vms AS open_vms,  -- amount of the invoice less what the VMS has as paid
    judged.amount_ledger,  -- null: not booked, or it may be one of several
    judged.paid_ledger,  -- settled by payments
    judged.netted_ledger,  -- settled in the ledger without a payment, as by a credit note
    judged.open_ledger,  -- open in the ledger; null: not known
    judged.paid_difference,  -- paid_ledger less paid_vms
    judged.last_payment_date,  -- date of the last payment
    CASE
        WHEN COALESCE(judged.open_ledger, judged.amount_vms - judged.paid_vms) <> 0 AND judged.due_date < settings.today
            THEN CAST(DATE_DIFF('day', judged.due_date, settings.today) AS INTEGER)
    END AS days_overdue,  -- days since the due date; null: nothing is open, or it is not due
    judged.state,  -- agreed | part paid | not yet in VMS | unmatched in ledger | invoice unknown | over paid | match undone
    CASE
        WHEN judged.state NOT IN ('agreed', 'part paid')
            THEN
                'The ledger has settled ' || AMOUNT_TEXT(judged.paid_ledger, judged.currency_code) || ' of document ' || judged.document_no
                || ', the VMS has ' || NUMBER_TEXT(judged.paid_vms, judged.currency_code) || ' paid'
                || CASE
                    WHEN judged.state = 'over paid'
                        THEN
                            ' of ' || COALESCE(NUMBER_TEXT(judged.amount_vms, judged.currency_code), 'nothing')
                    WHEN judged.state = 'match undone' THEN ': a match was undone'
                    ELSE ''
                END
                || CASE
                    WHEN judged.in_transit <> 0
                        THEN '; ' || NUMBER_TEXT(judged.in_transit, judged.currency_code) || ' is on its way'
                    ELSE ''
                END
                || COALESCE('; ' || NULLIF(judged.remarks, ''), '') || '.'
    END AS reason,  -- why the sides differ, in words; null: agreed or part paid
    CASE judged.state
        WHEN 'match undone'
            THEN 'match them again in the ledger, or correct the payment in the VMS: nothing is taken back by itself.'
        WHEN 'over paid'
            THEN
                'where the ledger too has more paid than the invoice, pay the rest back or match it with another invoice there; '
                || 'else correct in the VMS what is too much.'
        WHEN 'not yet in VMS'
            THEN
                CASE
                    WHEN judged.is_unexplained THEN 'enter what is missing in the VMS again: nothing is sent twice.'
                    ELSE 'nothing: the next run sends it, or looks it up.'
                END
        WHEN 'unmatched in ledger' THEN 'match the payment with the invoice in the ledger, or correct it in the VMS.'
    END AS next_step,  -- what to do about it; empty: nothing
    judged.state = 'match undone'
    OR (judged.state = 'over paid' AND judged.by_hand = 0)
    OR (judged.state NOT IN ('agreed', 'part paid') AND judged.is_unexplained)
        AS is_break,  -- true: it does not agree, and a person has to act
    judged.vms_fetched_at AS as_of_vms,  -- when the VMS was read, UTC
    judged.ledger_fetched_at AS as_of_ledger,  -- when the ledger was read, UTC
    CAST(DATE_DIFF('day', judged.document_date, GREATEST(judged.document_date, settings.today)) AS INTEGER)
        AS age_days,  -- days since the date of the document; 0 when it is dated later
    CASE
        WHEN COALESCE(judged.open_ledger, 0) = 0 AND COALESCE(judged.amount_vms - judged.paid_vms, 0) = 0
            THEN CAST(NULL AS VARCHAR)
        WHEN judged.due_date IS NULL THEN 'no due date'
        WHEN
            judged.due_date >= settings.today
            OR COALESCE(judged.open_ledger, judged.amount_vms - judged.paid_vms) = 0
            THEN 'not due'
        WHEN DATE_DIFF('day', judged.due_date, settings.today) <= 30 THEN '1-30 days'
        WHEN DATE_DIFF('day', judged.due_date, settings.today) <= 60 THEN '31-60 days'
        WHEN DATE_DIFF('day', judged.due_date, settings.today) <= 90 THEN '61-90 days'
        ELSE 'over 90 days'
    END AS overdue_bucket  -- of the part that is due first; rec.open_items has each part; null: nothing is open on either side
FROM
    judged
CROSS JOIN seed.settings AS settings
UNION ALL
SELECT
    strays.subject,
    strays.document_key,
    strays.document_no,
    strays.document_type,
    strays.company_code,
    strays.owner_code,
    strays.side,
    strays.partner_code,
    CAST(NULL AS VARCHAR),
    strays.invoice_no,
    strays.currency_code,
    strays.document_date,
    CAST(NULL AS DATE),
    CAST(NULL AS DECIMAL(38, 4)),
    strays.paid_vms,
    CAST(NULL AS DECIMAL(38, 4)),
    CAST(NULL AS DECIMAL(38, 4)),
    strays.paid_ledger,
    CAST(NULL AS DECIMAL(38, 4)),
    CAST(NULL AS DECIMAL(38, 4)),
    strays.paid_ledger - strays.paid_vms,
    strays.document_date AS last_payment_date,
    CAST(NULL AS INTEGER),
    strays.state,
    strays.reason,
    strays.next_step,
    -- What a payment has left over stays on account in the ledger: both sides agree on what it settles.
    strays.is_break AND NOT COALESCE(strays.is_rest, FALSE),
    COALESCE(strays.vms_fetched_at, readings.documents_read_at),
    COALESCE(strays.ledger_fetched_at, readings.books_read_at),
    CAST(DATE_DIFF('day', strays.document_date, GREATEST(strays.document_date, settings.today)) AS INTEGER),
    CAST(NULL AS VARCHAR)
FROM
    rec.stray_payments AS strays
LEFT JOIN rec.payment_readings AS readings
    ON strays.subject = readings.subject
CROSS JOIN seed.settings AS settings
