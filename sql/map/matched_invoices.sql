-- One ledger voucher that carries the entity, side, invoice number and partner of an invoice of ours, and which it is.
-- Where one number stands for several, on either side, the recorded header decides, else its text (docs/mapping.md#3).
-- A supplier or customer may get another code in the ledger: where the code of the voucher is gone there, or was added
-- anew and the row's is no other partner's, header or text alone tell that it is the same voucher.
-- Answers: Which voucher of the ledger is this invoice of ours?
-- Read by: map.invoice_rows.
-- grain: side, owner_code, header_db_id, invoice_number, subledger_code
WITH headers AS (
    SELECT
        side,
        owner_code,
        header_db_id,
        invoice_number,
        subledger_code,
        MIN(header_text) AS header_text
    FROM
        map.subledger_rows
    WHERE
        row_role = 'invoice'
    GROUP BY
        side,
        owner_code,
        header_db_id,
        invoice_number,
        subledger_code
),

codes AS (
    SELECT
        'AP' AS side,
        suppliers.code
    FROM
        stg_ledger.suppliers AS suppliers
    UNION
    SELECT
        'AR',
        customers.code
    FROM
        stg_ledger.customers AS customers
),

-- 2: the header recorded when the voucher was looked up; 1: the same header text; 0: only number and partner agree.
direct AS (
    SELECT
        headers.*,
        invoices.document_key,
        CASE
            WHEN invoices.header_db_id = headers.header_db_id THEN 2
            WHEN invoices.header_text = headers.header_text THEN 1
            ELSE 0
        END AS closeness
    FROM
        headers
    INNER JOIN map.sent_invoices AS invoices
        ON
            headers.side = invoices.side
            AND headers.owner_code = invoices.owner_code
            AND headers.invoice_number = invoices.invoice_no
            AND headers.subledger_code = invoices.subledger_no
),

-- What a header says of an invoice that it names under another code. Almost none does, so that the rest is asked of few.
named_otherwise AS (
    SELECT DISTINCT invoices.document_key
    FROM
        headers
    INNER JOIN map.sent_invoices AS invoices
        ON
            headers.side = invoices.side
            AND headers.owner_code = invoices.owner_code
            AND headers.invoice_number = invoices.invoice_no
            AND headers.subledger_code <> invoices.subledger_no
            AND (headers.header_db_id = invoices.header_db_id OR headers.header_text = invoices.header_text)
),

-- Invoices whose code was changed, or may have been. One that the ledger has may have been added anew since, by the
-- master-data job for the documents that came later: then the invoice has no row under it.
renamed AS (
    SELECT
        invoices.*,
        codes.code IS NULL AS is_code_gone,
        wanted.code IS NOT NULL OR partners.partner_key IS NOT NULL AS is_in_vms
    FROM
        named_otherwise
    INNER JOIN map.sent_invoices AS invoices
        ON named_otherwise.document_key = invoices.document_key
    LEFT JOIN codes
        ON
            invoices.side = codes.side
            AND invoices.subledger_no = codes.code
    LEFT JOIN map.wanted_partners AS wanted
        ON invoices.subledger_no = wanted.code
    LEFT JOIN stg_vms.partners AS partners
        ON invoices.partner_key = partners.partner_key
    WHERE
        codes.code IS NULL
        OR NOT EXISTS (
            SELECT 1
            FROM
                direct
            WHERE
                direct.document_key = invoices.document_key
        )
),

candidates AS (
    SELECT *
    FROM
        direct
    UNION ALL
    SELECT
        headers.*,
        renamed.document_key,
        CASE WHEN renamed.header_db_id = headers.header_db_id THEN 2 ELSE 1 END
    FROM
        headers
    INNER JOIN renamed
        ON
            headers.side = renamed.side
            AND headers.owner_code = renamed.owner_code
            AND headers.invoice_number = renamed.invoice_no
            AND headers.subledger_code <> renamed.subledger_no
            AND (headers.header_db_id = renamed.header_db_id OR headers.header_text = renamed.header_text)
    -- Somebody in the ledger has the row's code.
    INNER JOIN codes
        ON
            headers.side = codes.side
            AND headers.subledger_code = codes.code
    LEFT JOIN map.wanted_partners AS holders
        ON headers.subledger_code = holders.code
    WHERE
        renamed.is_code_gone
        -- Booked again on another partner it would be that one's: the row's code is nobody's in the VMS, or the same
        -- partner's by now.
        OR (holders.code IS NULL AND renamed.is_in_vms)
        OR holders.partner_key = renamed.partner_key
),

compared AS (
    SELECT
        *,
        COUNT(*) OVER (PARTITION BY side, owner_code, header_db_id, invoice_number, subledger_code) AS invoice_count,
        COUNT(*) OVER (PARTITION BY document_key) AS header_count,
        MAX(closeness) OVER (PARTITION BY side, owner_code, header_db_id, invoice_number, subledger_code)
            AS closest_of_header,
        MAX(closeness) OVER (PARTITION BY document_key) AS closest_of_invoice
    FROM
        candidates
),

counted AS (
    SELECT
        *,
        invoice_count = 1 AND header_count = 1 AS is_only_one,
        closeness > 0 AND closeness = closest_of_header AND closeness = closest_of_invoice AS is_closest,
        SUM(CASE WHEN closeness = closest_of_header THEN 1 ELSE 0 END)
            OVER (PARTITION BY side, owner_code, header_db_id, invoice_number, subledger_code) AS ties_of_header,
        SUM(CASE WHEN closeness = closest_of_invoice THEN 1 ELSE 0 END) OVER (PARTITION BY document_key)
            AS ties_of_invoice
    FROM
        compared
),

decided AS (
    SELECT
        side,
        owner_code,
        header_db_id,
        invoice_number,
        subledger_code,
        document_key,
        -- Where two are equally close, neither is taken: to guess would pay the wrong invoice.
        is_only_one OR (is_closest AND ties_of_header = 1 AND ties_of_invoice = 1) AS is_ours
    FROM
        counted
),

claimed AS (
    SELECT
        *,
        MAX(CASE WHEN is_ours THEN 1 ELSE 0 END) OVER (PARTITION BY document_key) = 1 AS is_found
    FROM
        decided
)

SELECT
    side,
    owner_code,
    header_db_id,
    invoice_number,
    subledger_code,
    MAX(CASE WHEN is_ours THEN document_key END) AS document_key,  -- null: somebody else's, or not to be told
    MAX(CASE WHEN is_ours THEN 1 ELSE 0 END) = 0 AND MAX(CASE WHEN is_found THEN 0 ELSE 1 END) = 1
        AS is_ambiguous  -- an invoice of ours that has no voucher yet may be this one
FROM
    claimed
GROUP BY
    side,
    owner_code,
    header_db_id,
    invoice_number,
    subledger_code
