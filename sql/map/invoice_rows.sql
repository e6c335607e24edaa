-- One row of an invoice in the ledger, ours or another's, with the invoice it belongs to.
-- The rows of an invoice of ours are its payment terms; any other row is an invoice by itself.
-- Answers: Which rows of the subledger belong to which invoice?
-- Read by: payments and their comparison.
-- grain: side, row_db_id
-- parts: header_db_id; map.sent_invoices by document_key of map.matched_invoices
SELECT
    ledger.side,
    ledger.owner_code,
    ledger.match_id,
    ledger.row_db_id,
    ledger.header_db_id,
    ledger.invoice_number,
    ledger.subledger_code,
    matched.document_key IS NOT NULL AND invoices.currency = ledger.currency_code AS is_ours,
    COALESCE(matched.is_ambiguous, FALSE) AS is_ambiguous,
    matched.document_key IS NOT NULL AND invoices.currency <> ledger.currency_code AS is_other_currency,
    CASE WHEN invoices.currency = ledger.currency_code THEN matched.document_key END AS document_key,
    CASE WHEN invoices.currency = ledger.currency_code THEN matched.document_key ELSE ledger.row_db_id END AS invoice_key,
    ledger.currency_code,
    ledger.currency_factor,
    ledger.company_factor,
    ledger.amount_units,
    ledger.company_units,
    ledger.settled_units,
    ledger.due_date,
    ledger.fetched_at
FROM
    map.subledger_rows AS ledger
LEFT JOIN map.matched_invoices AS matched
    ON
        ledger.side = matched.side
        AND ledger.owner_code = matched.owner_code
        AND ledger.header_db_id = matched.header_db_id
        AND ledger.invoice_number = matched.invoice_number
        AND ledger.subledger_code = matched.subledger_code
LEFT JOIN map.sent_invoices AS invoices
    ON matched.document_key = invoices.document_key
WHERE
    ledger.row_role IN ('invoice', 'other_invoice')
    AND (ledger.match_id <> 0 OR matched.document_key IS NOT NULL)
