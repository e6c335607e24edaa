-- One voucher an open document becomes, with its totals and what finds it in the ledger.
-- Answers: What voucher will be sent, and how is it found again?
-- Read by: the loader of vouchers and the dry run.
-- grain: document_key
WITH line_totals AS (
    SELECT
        document_key,
        CAST(COUNT(*) AS INTEGER) AS line_count,
        SUM(currency_amount) AS currency_balance,
        SUM(amount) AS balance,
        MAX(CASE WHEN tr_item_number = 1 THEN text END) AS header_text
    FROM
        post.draft_lines
    GROUP BY
        document_key
)

SELECT
    documents.document_key,
    documents.document_no,
    documents.document_type,
    documents.company_code,  -- VMS company
    documents.owner_code,  -- ledger entity
    documents.voucher_type,  -- AP, AR or GL
    documents.partner_key,  -- database id of the partner in the VMS: its code may change
    documents.partner_code,
    documents.partner_name,
    documents.currency_code AS currency,  -- of the document
    documents.company_currency_code AS company_currency,  -- of the company
    documents.document_date,
    posting_periods.posted_date,  -- the day it is booked on
    posting_periods.is_moved,  -- posted in a later period than its own
    CAST(amounts.total_currency AS DECIMAL(38, 4)) AS currency_amount,  -- as in the VMS
    CAST(amounts.total_company AS DECIMAL(38, 4)) AS amount,  -- company currency, as in the VMS
    line_totals.line_count,  -- control and detail lines
    CAST(line_totals.currency_balance AS DECIMAL(38, 4)) AS currency_balance,  -- sum of all lines, zero when it balances
    CAST(line_totals.balance AS DECIMAL(38, 4)) AS balance,  -- the same in company currency
    numbers.invoice_no,  -- invoiceNumber
    numbers.x_identifier,  -- KID
    documents.external_document_no,
    facts.is_reversal,
    line_totals.header_text,  -- text of the first control line
    documents.content_hash,
    documents.modified_at
FROM
    map.open_documents AS documents
INNER JOIN map.document_amounts AS amounts
    ON documents.document_key = amounts.document_key
INNER JOIN map.document_facts AS facts
    ON documents.document_key = facts.document_key
INNER JOIN map.document_numbers AS numbers
    ON documents.document_key = numbers.document_key
INNER JOIN map.posting_periods AS posting_periods
    ON documents.document_key = posting_periods.document_key
INNER JOIN line_totals
    ON documents.document_key = line_totals.document_key
