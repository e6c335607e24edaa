-- One partner and invoice number in a voucher of the ledger's supplier or customer ledger, its payment terms added up.
-- Answers: What does a voucher have on a partner and an invoice number?
-- Read by: the comparison of documents and the search for duplicates.
-- grain: side, header_db_id, subledger_code, invoice_number
-- parts: header_db_id
WITH sides AS (
    SELECT
        'AP' AS side,
        ap_rows.owner_db_id,
        ap_rows.header_db_id,
        ap_rows.subledger_code,
        ap_rows.invoice_number,
        ap_rows.source_code,
        ap_rows.voucher_no,
        ap_rows.posted_date,
        ap_rows.imported_at,
        ap_rows.currency_code,
        ap_rows.invoice_amount,
        ap_rows.amount,
        ap_rows.invoice_date,
        ap_rows.due_date
    FROM
        stg_ledger.ap_rows AS ap_rows
    UNION ALL
    SELECT
        'AR',
        ar_rows.owner_db_id,
        ar_rows.header_db_id,
        ar_rows.subledger_code,
        ar_rows.invoice_number,
        ar_rows.source_code,
        ar_rows.voucher_no,
        ar_rows.posted_date,
        ar_rows.imported_at,
        ar_rows.currency_code,
        ar_rows.invoice_amount,
        ar_rows.amount,
        ar_rows.invoice_date,
        ar_rows.due_date
    FROM
        stg_ledger.ar_rows AS ar_rows
),

totals AS (
    SELECT
        sides.side,
        sides.header_db_id,
        sides.subledger_code,
        sides.invoice_number,
        MIN(sides.owner_db_id) AS owner_db_id,
        MIN(sides.source_code) AS source_code,
        MIN(sides.voucher_no) AS voucher_no,
        MIN(sides.posted_date) AS posted_date,
        MAX(sides.imported_at) AS imported_at,
        MIN(sides.currency_code) AS currency_code,
        SUM(sides.invoice_amount) AS currency_amount,
        SUM(sides.amount) AS company_amount,
        MIN(sides.invoice_date) AS invoice_date,
        MIN(sides.due_date) AS first_due_date,
        MAX(sides.due_date) AS last_due_date
    FROM
        sides
    WHERE
        -- Rows typed on the account without partner or number cannot be the row of an invoice of ours.
        sides.header_db_id IS NOT NULL
        AND sides.subledger_code IS NOT NULL
        AND sides.invoice_number IS NOT NULL
    GROUP BY
        sides.side,
        sides.header_db_id,
        sides.subledger_code,
        sides.invoice_number
)

SELECT
    totals.side,  -- AP | AR
    totals.header_db_id,  -- database id of the voucher in the ledger
    totals.subledger_code,  -- supplier or customer
    totals.invoice_number,  -- invoice number in the ledger
    entities.owner_code,  -- ledger entity
    totals.source_code,  -- where the voucher comes from in the ledger, as AP, AR or GL
    totals.source_code = totals.side AS is_invoice,  -- an invoice or a credit note, no payment
    totals.voucher_no,  -- number of the voucher in the ledger
    totals.posted_date,  -- posting date of the voucher in the ledger
    totals.imported_at IS NOT NULL AS is_imported,  -- true: it came through the import; false: typed by hand
    totals.currency_code,  -- currency of the rows
    totals.currency_amount,  -- sum in the currency of the rows, debit positive
    totals.company_amount,  -- sum in company currency, debit positive
    totals.invoice_date,  -- date of the invoice in the ledger
    totals.first_due_date,  -- earliest due date
    totals.last_due_date  -- latest due date
FROM
    totals
INNER JOIN map.entities AS entities
    ON totals.owner_db_id = entities.entity_db_id
WHERE
    entities.owner_code IS NOT NULL
