-- One voucher that the ledger's import has taken, with what its lines come to as they were sent, debit positive.
-- An invoice comes to what stands on its control account. A GL document may have several contra accounts or none, so it
-- comes to its detail lines, each with the sign that makes it the VMS's again (docs/mapping.md#1).
-- What was adopted when going live was posted by hand: it has no lines of ours.
-- Answers: What did we send of this document, and what should the ledger have of it?
-- Read by: the comparison of documents; analysts who ask what was sent.
-- grain: document_key
-- parts: document_key
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
        MIN(lines.posted_date) AS posted_date,
        CAST(COUNT(*) AS INTEGER) AS line_count
    FROM
        ctl.sent_lines AS lines
    GROUP BY
        lines.document_key
),

details AS (
    SELECT
        directions.document_key,
        CAST(SUM(directions.direction * directions.invoice_amount) AS DECIMAL(38, 4)) AS currency_amount,
        CAST(SUM(directions.direction * directions.amount) AS DECIMAL(38, 4)) AS company_amount
    FROM
        rec.sent_details AS directions
    GROUP BY
        directions.document_key
),

controls AS (
    SELECT
        lines.document_key,
        SUM(lines.invoice_amount) AS control_currency,
        SUM(lines.amount) AS control_company,
        MIN(lines.account) AS control_account,
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
    -- In no CASE: within one DuckDB works the same text out five times over.
    SAME_NUMBER(vouchers.invoice_no) AS same_no,  -- the invoice number without what people write in other ways
    vouchers.subledger_no,  -- partner of the control lines
    COALESCE(vouchers.vms_partner_code, vouchers.subledger_no) AS partner_code,  -- the same partner as the VMS had it
    vouchers.vms_partner_key AS partner_key,  -- its database id in the VMS; null: sent by an older release, or GL
    vouchers.currency,
    vouchers.header_text,  -- text of the first control line
    vouchers.header_db_id,  -- database id of the ledger's voucher, where a look-up has found it
    vouchers.updated_at,  -- when it moved last, UTC as text
    signs.control_sign,  -- of an invoice's control account: 1 or -1 times the amount in the VMS
    totals.document_key IS NULL AS is_adopted,  -- posted by hand, and taken over when going live
    CASE
        WHEN vouchers.voucher_type = 'GL' THEN details.currency_amount ELSE signs.control_sign * controls.control_currency
    END AS sent_currency,  -- what the voucher comes to, with the sign of the VMS, in currency
    CASE
        WHEN vouchers.voucher_type = 'GL' THEN details.company_amount ELSE signs.control_sign * controls.control_company
    END AS sent_company,  -- what the voucher comes to, with the sign of the VMS, in company currency
    controls.control_account,  -- of several contra accounts the lowest
    controls.control_currency,  -- sum of the control lines, in currency
    controls.control_company,  -- sum of the control lines, in company currency
    totals.debit_currency,  -- sum of all debits, in currency
    totals.debit_company,  -- sum of all debits, in company currency
    totals.posted_date,  -- the day it was to be booked on
    controls.invoice_date,  -- the document's date, on AP and AR; null on GL
    controls.first_due_date,  -- earliest due date that was sent
    controls.last_due_date,  -- latest due date that was sent
    COALESCE(controls.control_count, 0) AS control_count,  -- control lines sent: one a payment term, or a contra account
    totals.line_count  -- lines sent, with those of the control account
FROM
    ctl.sent_vouchers AS vouchers
INNER JOIN signs
    ON vouchers.voucher_type = signs.voucher_type
LEFT JOIN totals
    ON vouchers.document_key = totals.document_key
LEFT JOIN controls
    ON vouchers.document_key = controls.document_key
LEFT JOIN details
    ON vouchers.document_key = details.document_key
WHERE
    vouchers.state = 'sent'
