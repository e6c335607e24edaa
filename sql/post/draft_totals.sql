-- One open document with the counts and sums of its voucher lines; a document without lines has a row too.
-- The last safety net of the checks reads it (expectations/post/draft_totals.json): does the voucher sum to zero, and are its
-- lines numbered from 1 without a gap, in one currency and one company?
-- grain: document_key
SELECT
    documents.document_key,
    documents.document_no,
    documents.document_type,
    documents.partner_name,
    documents.company_code,
    MIN(lines.currency) AS currency, -- currency of its voucher lines
    COUNT(lines.document_key) AS line_count, -- lines of its voucher
    COUNT(CASE WHEN lines.line_kind = 'control' THEN 1 END) AS control_line_count, -- control lines among them
    -- A GL document may carry both sides itself, and has no control line then (docs/mapping.md#1).
    CASE WHEN documents.voucher_type <> 'GL' AND COUNT(CASE WHEN lines.line_kind = 'control' THEN 1 END) = 0 THEN 1 ELSE 0 END
        AS missing_control_line_count, -- 1: an invoice without control line
    -- how many numbers are missing between 1 and the highest
    GREATEST(COALESCE(MAX(lines.tr_item_number), 0) - COUNT(DISTINCT lines.tr_item_number), 0) AS missing_number_count,
    COUNT(DISTINCT lines.currency) AS currency_count, -- different currencies of its lines
    COUNT(DISTINCT lines.company) AS company_count, -- different entities of its lines
    COALESCE(SUM(lines.currency_amount), 0) AS currency_amount_total, -- sum of its lines in the document's currency; 0 when it balances
    COALESCE(SUM(lines.amount), 0) AS amount_total -- sum of its lines in the company's currency; 0 when it balances
FROM
    post.document_checks AS documents
LEFT JOIN post.draft_lines AS lines ON documents.document_key = lines.document_key
GROUP BY
    documents.document_key,
    documents.document_no,
    documents.document_type,
    documents.partner_name,
    documents.company_code,
    documents.voucher_type
