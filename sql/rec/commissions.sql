-- One partner beside the one of a document of ours whom a detail line of it owes something, as a broker.
-- Answers: Whose commission stands on a voucher of ours?
-- Read by: rec.control_rows.
-- grain: document_key, subledger_no
-- parts: document_key
SELECT DISTINCT
    lines.document_key,
    lines.subledger_no  -- supplier or customer of the line
FROM
    ctl.sent_lines AS lines
INNER JOIN rec.sent_vouchers AS sent
    ON lines.document_key = sent.document_key
WHERE
    NOT lines.is_control
    AND lines.subledger_no IS NOT NULL
    AND lines.subledger_no <> sent.subledger_no
