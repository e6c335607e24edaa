-- One invoice of ours with what each side says was paid of it, and what of that is on its way.
-- All amounts are in the invoice's currency, positive for an invoice and negative for a credit note.
-- Answers: What was paid of an invoice, says each side?
-- Read by: rec.payments.
-- grain: document_key
-- parts: document_key; map.match_payments by match_id of map.invoice_rows; rec.payment_documents by invoice_key
WITH payers AS (
    SELECT
        side,
        owner_code,
        match_id,
        MAX(posted_date) AS last_payment_date
    FROM
        map.match_payments
    GROUP BY
        side,
        owner_code,
        match_id
),

settled AS (
    SELECT
        legs.document_key,
        MIN(legs.currency_factor) AS currency_factor,
        CAST(SUM(legs.amount_units) AS DECIMAL(38, 0)) AS amount_units,
        CAST(SUM(CASE WHEN payers.match_id IS NOT NULL THEN legs.settled_units ELSE 0 END) AS DECIMAL(38, 0))
            AS paid_units,
        CAST(SUM(CASE WHEN payers.match_id IS NULL THEN legs.settled_units ELSE 0 END) AS DECIMAL(38, 0))
            AS netted_units,
        MAX(legs.due_date) AS due_date,
        MAX(payers.last_payment_date) AS last_payment_date,
        MAX(legs.fetched_at) AS fetched_at
    FROM
        map.invoice_rows AS legs
    LEFT JOIN payers
        ON
            legs.side = payers.side
            AND legs.owner_code = payers.owner_code
            AND legs.match_id = payers.match_id
    WHERE
        legs.is_ours
    GROUP BY
        legs.document_key
),

in_ledger AS (
    SELECT
        *,
        amount_units * CASE currency_factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END
            AS amount,
        paid_units * CASE currency_factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END
            AS paid,
        netted_units * CASE currency_factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END
            AS netted
    FROM
        settled
),

in_vms AS (
    SELECT
        documents.invoice_key,
        SUM(documents.vms_amount) AS paid,
        SUM(CASE WHEN documents.status = 'on its way' THEN documents.sent_amount ELSE 0 END) AS on_its_way,
        SUM(CASE WHEN documents.status = 'nobody sent it' THEN documents.vms_amount ELSE 0 END) AS by_hand,
        MAX(documents.document_date) AS last_payment_date
    FROM
        rec.payment_documents AS documents
    GROUP BY
        documents.invoice_key
),

remarks AS (
    SELECT
        documents.invoice_key,
        STRING_AGG(
            CASE documents.status
                WHEN 'gone'
                    THEN
                        documents.payment_document_no || ' was sent with '
                        || AMOUNT_TEXT(documents.sent_amount, invoices.currency) || ' and the VMS does not have it now'
                WHEN 'changed'
                    THEN
                        documents.payment_document_no || ' was sent with '
                        || AMOUNT_TEXT(documents.sent_amount, invoices.currency) || ' and is '
                        || NUMBER_TEXT(documents.vms_amount, invoices.currency) || ' in the VMS now'
                WHEN 'refused' THEN documents.payment_document_no || ' was refused by the VMS'
                WHEN 'nobody sent it'
                    THEN
                        documents.payment_document_no || ' of '
                        || AMOUNT_TEXT(documents.vms_amount, invoices.currency) || ' was typed into the VMS'
            END,
            '; ' ORDER BY documents.payment_document_no
        ) AS remarks
    FROM
        rec.payment_documents AS documents
    LEFT JOIN map.sent_invoices AS invoices
        ON documents.invoice_key = invoices.document_key
    WHERE
        documents.status NOT IN ('as sent', 'on its way')
    GROUP BY
        documents.invoice_key
),

to_send AS (
    SELECT
        changes.document_key,
        SUM(-changes.document_amount) AS amount,
        MAX(changes.document_date) AS last_payment_date
    FROM
        post.payment_changes AS changes
    GROUP BY
        changes.document_key
),

undone AS (
    SELECT DISTINCT breaks.document_key
    FROM
        post.payment_breaks AS breaks
    WHERE
        breaks.kind = 'match undone'
)

SELECT
    CAST(invoices.document_key AS VARCHAR) AS subject,  -- document key, as in rec.payments
    invoices.document_key,
    invoices.document_no,
    invoices.company_code,
    invoices.owner_code,
    invoices.side,  -- AP | AR
    invoices.invoice_no,
    invoices.subledger_no AS partner_code,
    invoices.currency AS currency_code,  -- currency of the invoice
    CAST(in_ledger.amount AS DECIMAL(38, 4)) AS amount_ledger,  -- null: not booked, or it may be one of several
    CAST(COALESCE(in_ledger.paid, 0) AS DECIMAL(38, 4)) AS paid_ledger,  -- settled in the ledger, in a match with a payment
    CAST(COALESCE(in_ledger.netted, 0) AS DECIMAL(38, 4)) AS netted_ledger,  -- settled in the ledger without a payment, as by a credit note
    CAST(COALESCE(in_vms.paid, 0) AS DECIMAL(38, 4)) AS paid_vms,  -- paid by payment documents of the VMS, in currency_code
    CAST(COALESCE(in_vms.on_its_way, 0) AS DECIMAL(38, 4)) AS on_its_way,  -- sent, and not seen in the VMS yet
    CAST(COALESCE(to_send.amount, 0) AS DECIMAL(38, 4)) AS to_send,  -- settled, and to be sent
    CAST(COALESCE(in_vms.by_hand, 0) AS DECIMAL(38, 4)) AS by_hand,  -- part of paid_vms that was typed by hand into the VMS
    remarks.remarks,  -- documents that are not as they were sent
    undone.document_key IS NOT NULL AS is_undone,  -- true: a payment was sent for it whose match was undone since
    in_ledger.due_date,  -- the last due date; rec.open_items has that of each part that is open
    COALESCE(in_ledger.last_payment_date, in_vms.last_payment_date, to_send.last_payment_date)
        AS last_payment_date,  -- date of the last payment
    in_ledger.fetched_at AS ledger_fetched_at  -- when the ledger was read, UTC
FROM
    map.sent_invoices AS invoices
LEFT JOIN in_ledger
    ON invoices.document_key = in_ledger.document_key
LEFT JOIN in_vms
    ON invoices.document_key = in_vms.invoice_key
LEFT JOIN remarks
    ON invoices.document_key = remarks.invoice_key
LEFT JOIN to_send
    ON invoices.document_key = to_send.document_key
LEFT JOIN undone
    ON invoices.document_key = undone.document_key
