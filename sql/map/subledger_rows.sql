-- One row of the ledger's supplier or customer ledger with what it is and its size in whole minor units.
-- Sizes are seen from the invoice: an invoice is positive on both sides, its payments and credit notes are negative.
-- A row of 10^13 or more of its currency is no invoice and no payment: the products behind it would overflow.
-- Answers: What is this row of the subledger, how large is it, and how much of it is settled?
-- Read by: payments and their comparison; the control accounts.
-- grain: side, row_db_id
-- parts: header_db_id
WITH sides AS (
    SELECT
        'AP' AS side,
        -1 AS side_sign,
        ap_rows.row_db_id,
        ap_rows.owner_db_id,
        ap_rows.invoice_number,
        ap_rows.amount,
        ap_rows.invoice_amount,
        ap_rows.invoice_remaining,
        ap_rows.due_date,
        ap_rows.payment_date,
        ap_rows.match_id,
        ap_rows.currency_code,
        ap_rows.subledger_code,
        ap_rows.account_code,
        ap_rows.row_type,
        ap_rows.header_db_id,
        ap_rows.voucher_no,
        ap_rows.header_text,
        ap_rows.posted_date,
        ap_rows.imported_at,
        ap_rows.source_code,
        ap_rows.fetched_at
    FROM
        stg_ledger.ap_rows AS ap_rows
    UNION ALL
    SELECT
        'AR',
        1,
        ar_rows.row_db_id,
        ar_rows.owner_db_id,
        ar_rows.invoice_number,
        ar_rows.amount,
        ar_rows.invoice_amount,
        ar_rows.invoice_remaining,
        ar_rows.due_date,
        ar_rows.payment_date,
        ar_rows.match_id,
        ar_rows.currency_code,
        ar_rows.subledger_code,
        ar_rows.account_code,
        ar_rows.row_type,
        ar_rows.header_db_id,
        ar_rows.voucher_no,
        ar_rows.header_text,
        ar_rows.posted_date,
        ar_rows.imported_at,
        ar_rows.source_code,
        ar_rows.fetched_at
    FROM
        stg_ledger.ar_rows AS ar_rows
),

known AS (
    SELECT
        sides.side,
        sides.side_sign,
        sides.row_db_id,
        entities.owner_code,
        sides.invoice_number,
        sides.due_date,
        COALESCE(sides.posted_date, sides.payment_date) AS posted_date,
        COALESCE(sides.match_id, 0) AS match_id,
        COALESCE(sides.currency_code, entities.currency_code) AS currency_code,
        sides.subledger_code,
        sides.account_code,
        sides.row_type,
        COALESCE(sides.header_db_id, -sides.row_db_id) AS header_db_id,
        sides.voucher_no,
        sides.header_text,
        sides.source_code,
        sides.imported_at IS NOT NULL AS is_imported,
        sides.fetched_at,
        sources.row_role AS source_role,
        COALESCE(row_units.minor_units, 2) AS currency_minor_units,
        COALESCE(company_units.minor_units, 2) AS company_minor_units,
        COALESCE(ABS(sides.invoice_amount) < 10000000000000, FALSE)
        AND COALESCE(ABS(sides.amount) < 10000000000000, FALSE)
        AND COALESCE(ABS(sides.invoice_remaining) < 10000000000000, TRUE) AS is_readable,
        sides.amount,
        sides.invoice_amount,
        sides.invoice_remaining
    FROM
        sides
    INNER JOIN map.entities AS entities
        ON sides.owner_db_id = entities.entity_db_id
    LEFT JOIN seed.payment_sources AS sources
        ON sides.source_code = sources.source_code
    LEFT JOIN seed.currencies AS row_units
        ON COALESCE(sides.currency_code, entities.currency_code) = row_units.currency_code
    LEFT JOIN seed.currencies AS company_units
        ON entities.currency_code = company_units.currency_code
    WHERE
        entities.owner_code IS NOT NULL
),

roles AS (
    SELECT
        *,
        CASE
            WHEN NOT is_readable THEN 'unreadable'
            WHEN source_role = 'invoice' THEN 'invoice'
            WHEN source_role = 'other_invoice' OR row_type IN ('INVOICE', 'CREDIT_MEMO') THEN 'other_invoice'
            WHEN row_type IS NULL THEN 'adjustment'
            WHEN source_role = 'payment' THEN 'payment'
            ELSE 'unknown'
        END AS row_role,
        CASE currency_minor_units WHEN 0 THEN 1 WHEN 2 THEN 100 WHEN 3 THEN 1000 ELSE 10000 END AS currency_factor,
        CASE company_minor_units WHEN 0 THEN 1 WHEN 2 THEN 100 WHEN 3 THEN 1000 ELSE 10000 END AS company_factor,
        CASE WHEN is_readable THEN CAST(ROUND(amount, 4) AS DECIMAL(38, 4)) ELSE 0 END AS company_amount,
        CASE WHEN is_readable THEN CAST(ROUND(invoice_amount, 4) AS DECIMAL(38, 4)) ELSE 0 END AS currency_amount,
        CASE WHEN is_readable THEN CAST(ROUND(invoice_remaining, 4) AS DECIMAL(38, 4)) ELSE 0 END AS remaining_amount
    FROM
        known
),

sized AS (
    SELECT
        *,
        side_sign * CAST(company_amount * company_factor AS HUGEINT) AS company_units,
        side_sign * CAST(currency_amount * currency_factor AS HUGEINT) AS amount_units,
        side_sign * CAST(remaining_amount * currency_factor AS HUGEINT) AS remaining_units
    FROM
        roles
)

SELECT
    side,  -- AP | AR
    row_db_id,
    owner_code,  -- ledger entity
    match_id,  -- 0: not matched
    row_role,  -- invoice | other_invoice | payment | adjustment | unknown | unreadable
    source_code,
    row_type,
    invoice_number,
    subledger_code,
    account_code,  -- control account
    header_db_id,
    header_text,
    is_imported,
    fetched_at,
    voucher_no,
    posted_date,
    due_date,
    currency_code,
    currency_factor,  -- minor units in one unit of currency
    company_factor,  -- minor units in one unit of company currency
    amount_units,
    company_units,  -- in company currency
    -- An invoice that does not say what is open has nothing settled; of a payment nothing is open then. A matched
    -- payment of which all is said to be open has settled something all the same.
    CASE
        WHEN row_role IN ('invoice', 'other_invoice') AND remaining_units IS NULL THEN 0
        WHEN remaining_units IS NULL THEN amount_units
        WHEN row_role = 'payment' AND remaining_units = amount_units THEN amount_units
        WHEN amount_units >= 0 THEN LEAST(GREATEST(amount_units - remaining_units, 0), amount_units)
        ELSE GREATEST(LEAST(amount_units - remaining_units, 0), amount_units)
    END AS settled_units
FROM
    sized
