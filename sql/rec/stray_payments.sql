-- One payment that settles no invoice on the other side: a row of the ledger that leads to none of ours, the rest that a
-- payment has left over, or a document of the VMS that nobody sent.
-- Answers: Which payments find no invoice?
-- Read by: accountants, by way of rec.payments; the control accounts.
-- grain: subject
WITH unplaced AS (
    SELECT
        matches.side,
        matches.row_db_id,
        matches.reason,
        matches.next_step,
        matches.is_break
    FROM
        post.unplaced_matches AS matches
    WHERE
        matches.is_break
        OR matches.reason IN ('nothing left to settle', 'commission of a detail line')
),

not_unique AS (
    SELECT
        breaks.side,
        breaks.row_db_id
    FROM
        post.payment_breaks AS breaks
    WHERE
        breaks.kind = 'invoice not unique'
),

our_matches AS (
    SELECT
        side,
        owner_code,
        match_id,
        MIN(CASE WHEN settled_units = amount_units THEN 1 ELSE 0 END) = 1 AS is_settled
    FROM
        map.invoice_rows
    WHERE
        is_ours
        AND match_id <> 0
    GROUP BY
        side,
        owner_code,
        match_id
),

-- What has gone to the VMS of a payment, for whichever invoice, is not left over.
transferred AS (
    SELECT
        side,
        payment_db_id,
        SUM(source_amount) AS amount,
        SUM(company_amount) AS company_amount
    FROM
        map.sent_payments
    GROUP BY
        side,
        payment_db_id
),

ledger_rows AS (
    SELECT
        ledger.*,
        unplaced.reason,
        unplaced.next_step AS match_step,
        unplaced.is_break AS is_match_break,
        not_unique.row_db_id IS NOT NULL AS is_not_unique,
        our_matches.is_settled,
        unplaced.row_db_id IS NULL AND not_unique.row_db_id IS NULL AS is_rest,
        CASE ledger.currency_factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END
        * CAST(
            CASE
                WHEN unplaced.row_db_id IS NULL AND not_unique.row_db_id IS NULL
                    THEN ledger.settled_units - ledger.amount_units
                WHEN not_unique.row_db_id IS NOT NULL THEN ledger.settled_units
                ELSE -ledger.amount_units
            END AS DECIMAL(38, 0)
        ) AS paid,
        CASE ledger.currency_factor WHEN 1 THEN 1.0000 WHEN 100 THEN 0.0100 WHEN 1000 THEN 0.0010 ELSE 0.0001 END
        * CAST(-ledger.amount_units AS DECIMAL(38, 0)) - COALESCE(transferred.amount, 0) AS left_over,
        COALESCE(transferred.amount, 0) AS transferred,
        COALESCE(transferred.company_amount, 0) AS transferred_company
    FROM
        map.subledger_rows AS ledger
    LEFT JOIN unplaced
        ON
            ledger.side = unplaced.side
            AND ledger.row_db_id = unplaced.row_db_id
    LEFT JOIN not_unique
        ON
            ledger.side = not_unique.side
            AND ledger.row_db_id = not_unique.row_db_id
    LEFT JOIN our_matches
        ON
            ledger.side = our_matches.side
            AND ledger.owner_code = our_matches.owner_code
            AND ledger.match_id = our_matches.match_id
    LEFT JOIN transferred
        ON
            ledger.side = transferred.side
            AND ledger.row_db_id = transferred.payment_db_id
    WHERE
        unplaced.row_db_id IS NOT NULL
        OR not_unique.row_db_id IS NOT NULL
        OR (
            our_matches.match_id IS NOT NULL
            AND ledger.row_role = 'payment'
            AND ledger.amount_units <> ledger.settled_units
        )
),

ledger_worded AS (
    SELECT
        rows_left.*,
        rows_left.side || ' ' || CAST(rows_left.row_db_id AS VARCHAR) AS subject,
        rows_left.subledger_code AS partner_code,
        rows_left.invoice_number AS invoice_no,
        rows_left.row_role = 'payment' AS is_payment,
        CASE
            WHEN rows_left.is_rest THEN SIGN(rows_left.paid) * LEAST(ABS(rows_left.paid), ABS(rows_left.left_over))
            ELSE rows_left.paid
        END AS paid_ledger,
        CASE
            WHEN rows_left.is_not_unique THEN 'invoice unknown'
            WHEN rows_left.reason IS NULL
                THEN CASE WHEN rows_left.is_settled THEN 'over paid' ELSE 'unmatched in ledger' END
            WHEN rows_left.reason = 'nothing left to settle' THEN 'over paid'
            WHEN rows_left.reason IN ('not matched', 'no invoice leg', 'wrong source', 'amount too large')
                THEN 'unmatched in ledger'
            ELSE 'invoice unknown'
        END AS state,
        CASE
            WHEN rows_left.is_not_unique THEN 'invoice not unique'
            WHEN rows_left.reason IS NULL AND rows_left.is_settled THEN 'it pays more than its invoices are'
            WHEN rows_left.reason IS NULL THEN 'a part of it settles nothing'
            ELSE rows_left.reason
        END AS why,
        COALESCE(
            rows_left.match_step,
            CASE
                WHEN rows_left.is_not_unique
                    THEN
                        'give the voucher in the ledger the header text it was imported with: document number and partner '
                        || 'name.'
                ELSE 'match the rest with another invoice in the ledger, or pay it back.'
            END
        ) AS next_step,
        rows_left.is_not_unique OR COALESCE(rows_left.is_match_break, TRUE) AS is_break
    FROM
        ledger_rows AS rows_left
    WHERE
        NOT rows_left.is_rest
        OR SIGN(rows_left.left_over) = SIGN(rows_left.paid)
),

by_hand AS (
    SELECT
        documents.payment_key,
        MIN(documents.payment_document_no) AS payment_document_no,
        MIN(documents.document_type) AS document_type,
        MIN(documents.company_code) AS company_code,
        MIN(documents.document_date) AS document_date,
        MIN(invoices.side) AS side,
        MIN(invoices.owner_code) AS owner_code,
        MIN(invoices.subledger_no) AS partner_code,
        MIN(invoices.currency) AS currency_code,
        STRING_AGG(invoices.document_no, ', ' ORDER BY invoices.document_no) AS document_numbers,
        STRING_AGG(invoices.invoice_no, ', ' ORDER BY invoices.document_no) AS invoice_numbers,
        SUM(documents.vms_amount) AS paid_vms,
        MAX(documents.fetched_at) AS fetched_at
    FROM
        rec.payment_documents AS documents
    INNER JOIN map.sent_invoices AS invoices
        ON documents.invoice_key = invoices.document_key
    WHERE
        documents.status = 'nobody sent it'
    GROUP BY
        documents.payment_key
)

SELECT
    worded.subject,  -- AP or AR and the row of the ledger; `vms:` and the key of the payment document
    worded.row_db_id,  -- database id of the ledger's row; null: it stands in the VMS alone
    worded.is_payment,  -- true: the row of the ledger is a payment
    CAST(NULL AS BIGINT) AS document_key,  -- database id of the payment document in the VMS; null: it stands in the ledger alone
    CAST(NULL AS VARCHAR) AS document_no,  -- number of the payment document in the VMS
    CAST(NULL AS VARCHAR) AS document_type,  -- PMI or PMO; null: it stands in the ledger alone
    companies.company_code,  -- VMS company
    worded.owner_code,  -- ledger entity
    worded.side,  -- AP | AR
    worded.partner_code,  -- supplier or customer, by its code
    worded.invoice_no,  -- invoice number of the row, or of the invoices paid
    worded.currency_code,  -- currency of the amounts
    worded.posted_date AS document_date,  -- date of the payment
    CAST(0 AS DECIMAL(38, 4)) AS paid_vms,  -- what the VMS has as paid, in currency_code
    CAST(worded.paid_ledger AS DECIMAL(38, 4))
        AS paid_ledger,  -- what the ledger has as paid, in currency_code; positive: it settles invoices
    CAST(worded.transferred AS DECIMAL(38, 4)) AS transferred,  -- part of the payment that is in the VMS already, in currency_code
    CAST(worded.transferred_company AS DECIMAL(38, 4))
        AS transferred_company,  -- part of the payment that is in the VMS already, in company currency
    worded.state,  -- unmatched in ledger | invoice unknown | over paid
    worded.side || ' row ' || CAST(worded.row_db_id AS VARCHAR)
    || COALESCE(' of voucher ' || CAST(worded.voucher_no AS VARCHAR), '')
    || COALESCE(', partner ' || worded.partner_code, '')
    || COALESCE(', source ' || worded.source_code, '')
    || ', ' || AMOUNT_TEXT(worded.paid_ledger, worded.currency_code)
    || CASE WHEN worded.match_id <> 0 THEN ', match ' || CAST(worded.match_id AS VARCHAR) ELSE '' END
    || ': ' || worded.why || '.' AS reason,  -- what is found, in words, with the figures; empty: nothing to say
    worded.next_step,  -- what to do about it; empty: nothing
    worded.is_break,  -- true: it does not agree, and a person has to act
    worded.is_rest,  -- true: the rest of a payment that settles something
    CAST(NULL AS TIMESTAMP) AS vms_fetched_at,  -- when the VMS was read, UTC
    worded.fetched_at AS ledger_fetched_at  -- when the ledger was read, UTC
FROM
    ledger_worded AS worded
LEFT JOIN map.actual_companies AS companies
    ON worded.owner_code = companies.owner_code
UNION ALL
SELECT
    'vms:' || CAST(by_hand.payment_key AS VARCHAR),
    CAST(NULL AS BIGINT),
    FALSE,
    by_hand.payment_key,
    by_hand.payment_document_no,
    by_hand.document_type,
    by_hand.company_code,
    by_hand.owner_code,
    by_hand.side,
    by_hand.partner_code,
    by_hand.invoice_numbers,
    by_hand.currency_code,
    by_hand.document_date,
    CAST(by_hand.paid_vms AS DECIMAL(38, 4)),
    CAST(0 AS DECIMAL(38, 4)),
    CAST(0 AS DECIMAL(38, 4)),
    CAST(0 AS DECIMAL(38, 4)),
    'unmatched in ledger',
    by_hand.document_type || ' ' || by_hand.payment_document_no || ', '
    || AMOUNT_TEXT(by_hand.paid_vms, by_hand.currency_code) || ' on document ' || by_hand.document_numbers
    || ', was typed into the VMS: no payment of the ledger stands behind it.',
    'reverse it in the VMS, or book and match the payment in the ledger: what is settled there is transferred by itself.',
    TRUE,
    FALSE,
    by_hand.fetched_at,
    CAST(NULL AS TIMESTAMP)
FROM
    by_hand
