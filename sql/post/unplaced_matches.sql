-- One row of a match in the ledger that leads to no payment in the VMS, the leg that is missing, and what to do.
-- Only rows that concern a partner of ours are breaks: the ledger pays much that never was in the VMS.
-- Answers: Which match of the ledger leads to no payment in the VMS, and why?
-- Read by: the payments job, which notes them as breaks; rec.stray_payments.
-- grain: side, row_db_id
WITH partners AS (
    SELECT DISTINCT
        side,
        owner_code,
        subledger_no
    FROM
        map.sent_invoices
),

commissions AS (
    SELECT DISTINCT
        lines.voucher_type AS side,
        lines.company AS owner_code,
        lines.invoice_no,
        lines.subledger_no
    FROM
        post.voucher_lines AS lines
    INNER JOIN ctl.sent_vouchers AS vouchers
        ON
            lines.document_key = vouchers.document_key
            AND vouchers.state = 'sent'
    WHERE
        lines.line_kind = 'detail'
        AND lines.subledger_no IS NOT NULL
),

invoice_legs AS (
    SELECT
        legs.side,
        legs.owner_code,
        legs.match_id,
        MAX(CASE WHEN legs.is_ours THEN 1 ELSE 0 END) = 1 AS has_ours,
        MAX(CASE WHEN legs.is_ambiguous THEN 1 ELSE 0 END) = 1 AS has_ambiguous,
        MAX(CASE WHEN legs.is_other_currency THEN 1 ELSE 0 END) = 1 AS has_other_currency,
        MAX(CASE WHEN commissions.invoice_no IS NOT NULL THEN 1 ELSE 0 END) = 1 AS has_commission,
        MAX(CASE WHEN ledger.is_imported THEN 1 ELSE 0 END) = 1 AS has_imported
    FROM
        map.invoice_rows AS legs
    INNER JOIN map.subledger_rows AS ledger
        ON
            legs.side = ledger.side
            AND legs.row_db_id = ledger.row_db_id
    LEFT JOIN commissions
        ON
            legs.side = commissions.side
            AND legs.owner_code = commissions.owner_code
            AND legs.invoice_number = commissions.invoice_no
            AND legs.subledger_code = commissions.subledger_no
    WHERE
        legs.match_id <> 0
    GROUP BY
        legs.side,
        legs.owner_code,
        legs.match_id
),

payment_legs AS (
    SELECT DISTINCT
        side,
        owner_code,
        match_id
    FROM
        map.match_payments
),

placed AS (
    SELECT
        sent.side,
        sent.payment_db_id
    FROM
        map.sent_payments AS sent
    UNION
    SELECT
        parts.side,
        parts.payment_db_id
    FROM
        post.payment_parts AS parts
    WHERE
        parts.is_ours
),

reasons AS (
    SELECT
        ledger.owner_code,
        ledger.side,
        ledger.match_id,
        ledger.row_db_id,
        ledger.voucher_no,
        ledger.invoice_number,
        ledger.subledger_code,
        ledger.source_code,
        partners.subledger_no IS NOT NULL AS is_our_partner,
        COALESCE(invoices.has_imported, FALSE) AS has_imported,
        COALESCE(invoices.has_ours, FALSE) AS has_ours,
        CASE
            -- The first reason that applies is shown: what makes the row unusable, then what its match lacks.
            WHEN ledger.row_role = 'unreadable' THEN 'amount too large'
            WHEN ledger.row_role = 'unknown' THEN 'wrong source'
            WHEN ledger.row_role = 'payment' AND ledger.match_id = 0 THEN 'not matched'
            WHEN ledger.row_role = 'payment' AND placed.payment_db_id IS NOT NULL THEN NULL
            WHEN ledger.row_role = 'payment' AND invoices.match_id IS NULL THEN 'no invoice leg'
            WHEN ledger.row_role = 'payment' AND invoices.has_ambiguous THEN 'invoice not unique'
            WHEN ledger.row_role = 'payment' AND invoices.has_other_currency THEN 'invoice in another currency'
            WHEN ledger.row_role = 'payment' AND invoices.has_ours THEN 'nothing left to settle'
            WHEN ledger.row_role = 'payment' AND invoices.has_commission THEN 'commission of a detail line'
            WHEN ledger.row_role = 'payment' THEN 'invoice unknown'
            WHEN legs.is_ours AND ledger.settled_units <> 0 AND payments.match_id IS NULL THEN 'netted in ledger'
        END AS reason
    FROM
        map.subledger_rows AS ledger
    LEFT JOIN map.invoice_rows AS legs
        ON
            ledger.side = legs.side
            AND ledger.row_db_id = legs.row_db_id
    LEFT JOIN invoice_legs AS invoices
        ON
            ledger.side = invoices.side
            AND ledger.owner_code = invoices.owner_code
            AND ledger.match_id = invoices.match_id
    LEFT JOIN payment_legs AS payments
        ON
            ledger.side = payments.side
            AND ledger.owner_code = payments.owner_code
            AND ledger.match_id = payments.match_id
    LEFT JOIN placed
        ON
            ledger.side = placed.side
            AND ledger.row_db_id = placed.payment_db_id
    LEFT JOIN partners
        ON
            ledger.side = partners.side
            AND ledger.owner_code = partners.owner_code
            AND ledger.subledger_code = partners.subledger_no
    WHERE
        ledger.match_id <> 0
        OR ledger.row_role <> 'invoice'
)

SELECT
    reasons.owner_code,  -- ledger entity
    reasons.side,  -- AP | AR
    reasons.match_id,  -- 0: not matched
    reasons.row_db_id,
    reasons.voucher_no,
    reasons.subledger_code,
    reasons.invoice_number,
    reasons.source_code,
    reasons.reason,
    words.next_step,
    reasons.is_our_partner
    AND (
        words.is_break = 'always'
        OR (words.is_break = 'with ours' AND reasons.has_ours)
        OR (words.is_break = 'imported' AND reasons.has_imported)
    ) AS is_break
FROM
    reasons
INNER JOIN seed.match_reasons AS words
    ON reasons.reason = words.reason
