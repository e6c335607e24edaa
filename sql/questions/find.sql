-- What `springline explain` finds documents by when the text is no document number: each statement gives documents that
-- are called so, and what that name is to them. $1 is the text in capitals, or a number where the statement asks for one; -1 is
-- none. A statement that names a table the file does not have gives no rows.

-- name: documents_of_warehouse
-- A view, made for one connection. Payments are left out: what the others find leads from them to their invoices.
CREATE OR REPLACE TEMP VIEW called AS
SELECT
    document_key,
    document_no,
    document_type,
    company_code,
    partner_code,
    partner_name,
    document_date,
    document_amount AS amount,
    currency_code,
    -- Invoice number, pipe, KID (docs/mapping.md#1-1).
    TRIM(SPLIT_PART(external_document_no, '|', 1)) AS invoice_no,
    TRIM(SPLIT_PART(external_document_no, '|', 2)) AS kid
FROM
    stg_vms.documents
WHERE
    document_type NOT IN ('PMI', 'PMO');

-- name: documents_of_published_file
-- It has no staging tables: there the documents are those that became vouchers, or would.
CREATE OR REPLACE TEMP VIEW called AS
SELECT
    document_key,
    document_no,
    document_type,
    company_code,
    partner_code,
    partner_name,
    document_date,
    currency_amount AS amount,
    currency AS currency_code,
    invoice_no,
    x_identifier AS kid
FROM
    post.vouchers;

-- name: by_words
SELECT
    called.document_key,
    named.what
FROM
    called,
    LATERAL (
        VALUES
        ('invoice number', called.invoice_no),
        ('KID', called.kid),
        ('document number', called.document_no),
        ('partner and invoice number', called.partner_code || ' ' || called.invoice_no),
        ('partner and KID', called.partner_code || ' ' || called.kid),
        ('partner and document number', called.partner_code || ' ' || called.document_no)
    ) AS named (what, name)
WHERE
    UPPER(named.name) = $1;

-- name: by_partner
SELECT
    document_key,
    'partner' AS what
FROM
    called
WHERE
    UPPER(partner_code) = $1;

-- name: by_voucher
SELECT
    document_key,
    'voucher number' AS what
FROM
    rec.documents
WHERE
    document_key IS NOT NULL
    AND voucher_no_ledger = $1;

-- name: by_booked_row
-- Before the two sides are compared a voucher of the ledger is told as `springline explain` tells it: by its header.
WITH booked AS (
    SELECT
        header_db_id,
        header_text,
        source_code
    FROM
        stg_ledger.transactions
    WHERE
        voucher_no = $1
    UNION
    SELECT
        header_db_id,
        header_text,
        source_code
    FROM
        stg_ledger.ap_rows
    WHERE
        voucher_no = $1
    UNION
    SELECT
        header_db_id,
        header_text,
        source_code
    FROM
        stg_ledger.ar_rows
    WHERE
        voucher_no = $1
)

SELECT
    sent.document_key,
    'voucher number' AS what
FROM
    ctl.sent_vouchers AS sent
INNER JOIN
    booked
    ON
        sent.header_db_id = booked.header_db_id
        OR (sent.header_db_id IS NULL AND sent.header_text = booked.header_text AND sent.voucher_type = booked.source_code);

-- name: by_import_item
SELECT
    tr_reg_number AS document_key,
    'import item' AS what
FROM
    stg_ledger.import_items
WHERE
    import_item_db_id = $1;

-- name: by_transferred_payment
-- By the payment's document in the VMS, else by its voucher or its row in the ledger.
SELECT
    sent.document_key,
    'payment' AS what
FROM
    ctl.payments AS sent
WHERE
    UPPER(sent.document_no) = $1
    OR sent.payment_db_id = $2
    OR sent.payment_db_id IN (
        SELECT booked.row_db_id
        FROM map.subledger_rows AS booked
        WHERE booked.voucher_no = $2
    );

-- name: by_matched_payment
-- Matched in the ledger, and not necessarily in the VMS yet.
SELECT
    invoices.document_key,
    'payment' AS what
FROM
    map.match_payments AS payments
INNER JOIN
    map.invoice_rows AS invoices
    ON
        payments.side = invoices.side
        AND payments.owner_code = invoices.owner_code
        AND payments.match_id = invoices.match_id
WHERE
    invoices.document_key IS NOT NULL
    AND (payments.voucher_no = $1 OR payments.payment_db_id = $1);

-- name: by_payment_in_vms
-- One that people entered there names its invoice on its lines.
SELECT
    invoices.document_key,
    'payment' AS what
FROM
    stg_vms.documents AS payments
INNER JOIN
    stg_vms.document_lines AS lines
    ON
        payments.document_key = lines.document_key
        AND payments.fetch_id = lines.fetch_id
INNER JOIN
    stg_vms.documents AS invoices
    ON
        lines.ref_document_no = invoices.document_no
        AND payments.company_code = invoices.company_code
WHERE
    payments.document_type IN ('PMI', 'PMO')
    AND UPPER(payments.document_no) = $1;

-- name: rows_in_ledger
-- A row of the ledger that is called so, whether or not it has to do with a document.
SELECT
    side,
    row_db_id,
    voucher_no,
    source_code,
    subledger_code
FROM
    map.subledger_rows
WHERE
    voucher_no = $1
    OR row_db_id = $1
ORDER BY side, row_db_id;

-- name: facts
-- What tells the documents whose keys are $1 apart, the largest first.
SELECT
    document_key,
    document_no,
    document_type,
    company_code,
    partner_name,
    document_date,
    amount,
    currency_code
FROM
    called
WHERE
    document_key IN (SELECT UNNEST(CAST($1 AS BIGINT[])))
ORDER BY ABS(amount) DESC NULLS LAST, document_date ASC, document_key ASC;

-- name: near
-- $1 is the text in capitals, $2 the same without anything but letters and digits, $3 how many characters may differ.
WITH names AS (
    SELECT
        called.document_key,
        named.what,
        named.name,
        REGEXP_REPLACE(UPPER(named.name), '[^\p{L}\p{N}]', '', 'g') AS plain_name,
        DAMERAU_LEVENSHTEIN(UPPER(named.name), $1) AS distance
    FROM
        called,
        LATERAL (
            VALUES
            ('document number', called.document_no),
            ('invoice number', called.invoice_no),
            ('KID', called.kid)
        ) AS named (what, name)
    WHERE
        named.name <> ''
)

SELECT
    document_key,
    what,
    name
FROM
    names
WHERE
    distance <= $3
    OR plain_name = $2
    -- Part of a number says little when it is short.
    OR (LENGTH($2) >= 4 AND CONTAINS(plain_name, $2))
QUALIFY
    ROW_NUMBER() OVER (PARTITION BY document_key ORDER BY plain_name <> $2, distance, what) = 1
-- Of names that differ in as many characters, the one whose beginning agrees is meant more often.
ORDER BY plain_name <> $2 ASC, distance ASC, JARO_WINKLER_SIMILARITY(UPPER(name), $1) DESC, name ASC, document_key ASC
LIMIT 3;
