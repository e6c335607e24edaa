-- One voucher that the ledger's import has taken, with what its lines come to as they were sent, debit positive.
-- What was adopted when going live was posted by hand: it has no lines of ours.
-- Answers: What did we send of this document, and what should the ledger have of it?
-- Read by: the comparison of documents; analysts who ask what was sent.
-- grain: document_key
WITH signs AS (
    SELECT
        voucher_types.voucher_type,
        MIN(voucher_types.control_sign) AS control_sign
    FROM
        seed.voucher_types AS voucher_types
    GROUP BY
        voucher_types.voucher_type
),

totals AS (
    SELECT
        lines.document_key,
        SUM(CASE WHEN lines.invoice_amount > 0 THEN lines.invoice_amount ELSE 0 END) AS debit_currency,
        SUM(CASE WHEN lines.amount > 0 THEN lines.amount ELSE 0 END) AS debit_company,
        CAST(COUNT(*) AS INTEGER) AS line_count
    FROM
        ctl.sent_lines AS lines
    GROUP BY
        lines.document_key
),

controls AS (
    SELECT
        lines.document_key,
        SUM(lines.invoice_amount) AS control_currency,
        SUM(lines.amount) AS control_company,
        MIN(lines.account) AS control_account,
        MIN(lines.posted_date) AS posted_date,
        MIN(lines.invoice_date) AS invoice_date,
        MIN(lines.due_date) AS first_due_date,
        MAX(lines.due_date) AS last_due_date,
        CAST(COUNT(*) AS INTEGER) AS control_count
    FROM
        ctl.sent_lines AS lines
    WHERE
        lines.is_control
    GROUP BY
        lines.document_key
)

SELECT
    vouchers.document_key,
    vouchers.document_no,
    vouchers.company_code,  -- VMS company
    vouchers.owner_code,  -- ledger entity
    vouchers.voucher_type,  -- AP, AR or GL
    vouchers.invoice_no,
    vouchers.subledger_no,  -- partner of the control lines
    vouchers.currency,
    vouchers.header_text,  -- text of the first control line
    vouchers.header_db_id,  -- database id of the ledger's voucher, where a look-up has found it
    vouchers.updated_at,  -- when it moved last, UTC as text
    -- GL documents are debit-positive unless the tenant says otherwise (posting.gl_sign).
    signs.control_sign  -- of the control lines beside the document: 1 or -1
    * CASE WHEN vouchers.voucher_type = 'GL' THEN CASE gl_sign.gl_sign WHEN '-1' THEN -1 ELSE 1 END ELSE 1 END
        AS control_sign,  -- sign of the control account: 1 or -1 times the amount in the VMS
    totals.document_key IS NULL AS is_adopted,  -- posted by hand, and taken over when going live
    controls.control_account,
    controls.control_currency,  -- sum of the control lines, in currency
    controls.control_company,  -- sum of the control lines, in company currency
    totals.debit_currency,  -- sum of all debits, in currency
    totals.debit_company,  -- sum of all debits, in company currency
    controls.posted_date,  -- the day it was to be booked on
    controls.invoice_date,  -- the document's date, on AP and AR; null on GL
    controls.first_due_date,  -- earliest due date that was sent
    controls.last_due_date,  -- latest due date that was sent
    controls.control_count,  -- control lines sent: one a payment term
    totals.line_count  -- lines sent, with those of the control account
FROM
    ctl.sent_vouchers AS vouchers
INNER JOIN signs
    ON vouchers.voucher_type = signs.voucher_type
LEFT JOIN totals
    ON vouchers.document_key = totals.document_key
LEFT JOIN controls
    ON vouchers.document_key = controls.document_key
LEFT JOIN seed.gl_sign AS gl_sign
    ON vouchers.company_code = gl_sign.company_code
WHERE
    vouchers.state = 'sent'
