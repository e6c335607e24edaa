-- One voucher in the ledger that an import brought and Springline never sent, though its text begins with the number of
-- a document of that entity. What was imported before the first batch does not count.
-- Answers: Which voucher looks like ours and was never sent by us?
-- Read by: accountants, by way of rec.documents; the control accounts.
-- grain: header_db_id
WITH strangers AS (
    SELECT
        headers.*,
        SPLIT_PART(headers.header_text, ' ', 1) AS first_word
    FROM
        rec.ledger_vouchers AS headers
    CROSS JOIN ctl.first_day AS first_day
    LEFT JOIN rec.voucher_headers AS ours
        ON headers.header_db_id = ours.header_db_id
    WHERE
        ours.header_db_id IS NULL
        AND CAST(headers.imported_at AS DATE) >= first_day.today
),

in_flight AS (
    SELECT outbox.document_key
    FROM
        ctl.outbox AS outbox
    WHERE
        outbox.kind = 'voucher'
        AND outbox.state IN ('sending', 'unknown')
),

named AS (
    SELECT
        strangers.header_db_id,
        documents.document_key,
        documents.document_no,
        documents.document_type,
        documents.company_code,
        documents.partner_code,
        documents.partner_name
    FROM
        strangers
    INNER JOIN rec.vms_documents AS documents
        ON
            strangers.owner_code = documents.owner_code
            AND strangers.source_code = documents.voucher_type
            AND strangers.first_word = SPLIT_PART(documents.document_no, ' ', 1)
    LEFT JOIN in_flight
        ON documents.document_key = in_flight.document_key
    WHERE
        in_flight.document_key IS NULL
        AND (
            strangers.header_text = documents.document_no
            OR STARTS_WITH(strangers.header_text, documents.document_no || ' ')
        )
    QUALIFY
        ROW_NUMBER() OVER (
            PARTITION BY strangers.header_db_id
            ORDER BY LENGTH(documents.document_no) DESC, documents.document_key
        ) = 1
),

amounts AS (
    SELECT
        invoices.header_db_id,
        SUM(invoices.currency_amount) AS currency_amount,
        SUM(invoices.company_amount) AS company_amount
    FROM
        rec.subledger_vouchers AS invoices
    INNER JOIN named
        ON invoices.header_db_id = named.header_db_id
    GROUP BY
        invoices.header_db_id
)

SELECT
    strangers.header_db_id,  -- database id of the voucher in the ledger
    strangers.owner_code,  -- ledger entity
    strangers.company_currency_code,
    strangers.source_code,
    strangers.voucher_no,  -- number of the voucher in the ledger
    strangers.header_text,  -- text of the voucher
    strangers.posted_date,  -- posting date of the voucher in the ledger
    strangers.first_currency AS currency_code,
    strangers.fetched_at,
    named.document_key,  -- database id of the VMS document whose number it carries
    named.document_no,  -- number of the VMS document that the voucher carries
    named.document_type,
    named.company_code,
    named.partner_code,  -- supplier or customer of the voucher
    named.partner_name,  -- name of the supplier or customer in the VMS
    -- Seen as in the VMS: an invoice is positive on both sides.
    CAST(
        COALESCE(
            CASE WHEN strangers.source_code = 'AR' THEN amounts.currency_amount ELSE -amounts.currency_amount END,
            strangers.debit_currency
        ) AS DECIMAL(38, 4)
    ) AS amount,  -- with the sign of the VMS (an invoice is positive), in currency_code
    CAST(
        COALESCE(
            CASE WHEN strangers.source_code = 'AR' THEN amounts.company_amount ELSE -amounts.company_amount END,
            strangers.debit_company
        ) AS DECIMAL(38, 4)
    ) AS company_amount,  -- with the sign of the VMS (an invoice is positive), in company currency
    readings.documents_read_at  -- when the list of documents in the VMS was last read, UTC
FROM
    strangers
INNER JOIN named
    ON strangers.header_db_id = named.header_db_id
LEFT JOIN amounts
    ON strangers.header_db_id = amounts.header_db_id
LEFT JOIN rec.readings AS readings
    ON readings.today IS NOT NULL
