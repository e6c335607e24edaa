-- One detail line of a voucher as it was sent, with what makes its amounts those of the VMS.
-- The sign was kept with the voucher; of one that was sent before it was kept, it is the company's.
-- Answers: What did we send of a document, beside its control lines?
-- Read by: the comparison of documents.
-- grain: document_key, item_no
-- parts: document_key
WITH signs AS (
    SELECT
        voucher_types.voucher_type,
        MIN(voucher_types.control_sign) AS control_sign
    FROM
        seed.voucher_types AS voucher_types
    GROUP BY
        voucher_types.voucher_type
)

SELECT
    lines.document_key,
    lines.item_no,  -- number of the line in its voucher
    vouchers.voucher_type,  -- AP, AR or GL
    -- What the VMS had when it was sent: a mapping file that has changed since must not look like a change in the VMS.
    CASE WHEN lines.is_mapped THEN lines.vms_account ELSE lines.account END AS account,  -- account of the line as the VMS had it
    CASE WHEN lines.is_mapped THEN lines.vms_vessel_code ELSE lines.gl_object1 END AS vessel_code,  -- vessel of the line as the VMS had it
    CASE WHEN lines.is_mapped THEN lines.vms_voyage_no ELSE lines.project END AS voyage_no,  -- voyage of the line as the VMS had it
    CASE WHEN lines.is_mapped THEN lines.vms_partner_code ELSE lines.subledger_no END AS subledger_no,  -- of a commission: whose
    lines.line_text,
    COALESCE(
        lines.direction,
        CASE
            WHEN vouchers.voucher_type = 'GL' THEN CASE gl_sign.gl_sign WHEN '-1' THEN -1 ELSE 1 END
            ELSE -signs.control_sign
        END
    ) AS direction,  -- 1 or -1: times the sent amount it is the VMS's
    lines.invoice_amount,  -- in the voucher's currency, debit positive
    lines.amount  -- in company currency, debit positive
FROM
    ctl.sent_lines AS lines
INNER JOIN ctl.sent_vouchers AS vouchers
    ON lines.document_key = vouchers.document_key
INNER JOIN signs
    ON vouchers.voucher_type = signs.voucher_type
LEFT JOIN seed.gl_sign AS gl_sign
    ON vouchers.company_code = gl_sign.company_code
WHERE
    NOT lines.is_control
    AND vouchers.state = 'sent'
