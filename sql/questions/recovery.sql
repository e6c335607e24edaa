-- What a control store is made anew with, by name.

-- name: open
-- The documents that may become a voucher and are not posted in the VMS.
SELECT
    documents.document_key,
    documents.document_no,
    documents.company_code,
    documents.document_type
FROM
    stg_vms.documents AS documents
INNER JOIN
    seed.voucher_types AS voucher_types
    ON documents.document_type = voucher_types.document_type
WHERE
    documents.status_code IN ('PEN', 'INV', 'RFP')
ORDER BY documents.document_key;

-- name: look_alikes
-- The vouchers of the ledger that may be an open document under another number: an import brought them, partner, currency
-- and amount are the same, and no document of the VMS has the number at the head of their text.
WITH drafts AS (
    SELECT
        draft_lines.document_key,
        draft_lines.company AS owner_code,
        draft_lines.voucher_type,
        draft_lines.subledger_no,
        draft_lines.currency,
        SUM(draft_lines.currency_amount) AS control_amount
    FROM
        post.draft_lines AS draft_lines
    WHERE
        draft_lines.line_kind = 'control'
    GROUP BY
        draft_lines.document_key,
        draft_lines.company,
        draft_lines.voucher_type,
        draft_lines.subledger_no,
        draft_lines.currency
),

book_rows AS (
    SELECT
        header_db_id,
        voucher_no,
        header_text,
        owner_db_id,
        source_code,
        subledger_code,
        currency_code,
        imported_at,
        invoice_amount
    FROM
        stg_ledger.ap_rows
    UNION ALL
    SELECT
        header_db_id,
        voucher_no,
        header_text,
        owner_db_id,
        source_code,
        subledger_code,
        currency_code,
        imported_at,
        invoice_amount
    FROM
        stg_ledger.ar_rows
),

-- Before anything is compared: of thousands of vouchers of one partner and amount nearly all are a document's.
nobodys AS (
    SELECT *
    FROM
        book_rows
    WHERE
        imported_at IS NOT NULL
        AND NOT EXISTS (
            SELECT 1
            FROM
                stg_vms.documents AS documents
            WHERE
                SPLIT_PART(book_rows.header_text, ' ', 1) = SPLIT_PART(documents.document_no, ' ', 1)
                AND STARTS_WITH(book_rows.header_text || ' ', documents.document_no || ' ')
        )
),

booked AS (
    SELECT
        header_db_id,
        voucher_no,
        owner_db_id,
        source_code,
        subledger_code,
        currency_code,
        SUM(invoice_amount) AS control_amount
    FROM
        nobodys
    GROUP BY
        header_db_id,
        voucher_no,
        owner_db_id,
        source_code,
        subledger_code,
        currency_code
)

SELECT
    drafts.document_key,
    MIN(booked.voucher_no) AS voucher_no
FROM
    drafts
INNER JOIN stg_ledger.entities AS entities
    ON drafts.owner_code = entities.owner_code
INNER JOIN booked
    ON
        entities.owner_db_id = booked.owner_db_id
        AND drafts.voucher_type = booked.source_code
        AND drafts.subledger_no = booked.subledger_code
        AND drafts.currency = booked.currency_code
        AND drafts.control_amount = booked.control_amount
GROUP BY
    drafts.document_key
ORDER BY drafts.document_key;

-- name: stood
-- What people held or ignored when the control store was copied last, as a hint: the last word on each document.
SELECT
    decisions.action || ' of' AS what,
    decisions.document_no,
    decisions.reason
FROM
    ctl.decisions AS decisions
WHERE
    decisions.subject = 'document'
    AND decisions.action IN ('hold', 'release', 'ignore')
QUALIFY
    ROW_NUMBER() OVER (
        PARTITION BY decisions.document_no, decisions.document_key
        ORDER BY decisions.decision_no DESC
    ) = 1
    AND decisions.action <> 'release'
ORDER BY decisions.document_no, decisions.document_key;

-- name: never_shown
-- The changes of suppliers in the ledger as far as the ledger never shows what it has: what it shows can be compared.
SELECT
    natural_key,
    action,
    ledger_db_id,
    owner_code,
    code,
    partner_key,
    swift,
    bank_routing
FROM
    post.supplier_changes
WHERE
    action = 'update'
    AND (swift IS NOT NULL OR bank_routing IS NOT NULL)
ORDER BY natural_key;

-- name: accounts_of_nobody
-- Suppliers with an account in the VMS and none that is known in the ledger: remembered as such, the account is a change
-- from none and waits. 0: no row of the ledger.
SELECT DISTINCT
    partner_key,
    COALESCE(owner_code, 0) AS owner_code,
    0 AS ledger_db_id,
    code,
    'no account' AS bank_account
FROM
    map.known_accounts
WHERE
    known_bank_account IS NULL
    AND vms_bank_account IS NOT NULL
    AND partner_key IS NOT NULL
ORDER BY partner_key, owner_code;

-- name: on_one_side
-- Writes that one side alone knows of: sent and not there, or there, ours by its name, and not in the outbox.
WITH sent_actuals AS (
    SELECT actuals.document_no
    FROM
        ctl.actuals AS actuals
    WHERE
        actuals.state = 'sent'
),

posted_actuals AS (
    SELECT documents.document_no
    FROM
        stg_vms.documents AS documents
    WHERE
        documents.document_type = 'ACC'
        AND STARTS_WITH(documents.document_no, 'ACT')
        AND documents.status_code NOT IN ('GONE', 'REJECTED')
)

SELECT
    'voucher of document' AS what,
    documents.document_no AS subject,
    'sent, and the ledger does not have it' AS side
FROM
    rec.documents AS documents
INNER JOIN
    ctl.outbox AS outbox
    ON documents.document_key = outbox.document_key
WHERE
    outbox.kind = 'voucher'
    AND outbox.state = 'sent'
    AND documents.state = 'only in VMS'
UNION ALL
SELECT
    'voucher',
    COALESCE(CAST(orphans.voucher_no AS VARCHAR), CAST(orphans.header_db_id AS VARCHAR))
    || ' (' || orphans.document_no || ')',
    'in the ledger, imported, and never sent by Springline'
FROM
    rec.orphan_vouchers AS orphans
UNION ALL
-- Not booked yet, so in no voucher; ours are those that name a document of the VMS by key and number.
SELECT DISTINCT
    'import item',
    items.ext_order_number || ' (document ' || CAST(items.tr_reg_number AS VARCHAR) || ')',
    'waits in the ledger''s import, and never sent by Springline'
FROM
    stg_ledger.import_items AS items
INNER JOIN
    stg_vms.documents AS documents
    ON items.tr_reg_number = documents.document_key AND items.ext_order_number = documents.document_no
WHERE
    items.job_level < 3
    AND NOT EXISTS (
        SELECT 1
        FROM
            ctl.outbox AS outbox
        WHERE
            outbox.kind = 'voucher'
            AND outbox.document_key = items.tr_reg_number
            AND outbox.state IN ('sending', 'sent', 'unknown')
    )
UNION ALL
SELECT
    'payment',
    payments.payment_document_no,
    CASE
        WHEN payments.status = 'gone' THEN 'sent, and the VMS does not have it'
        ELSE 'in the VMS, and never sent by Springline'
    END
FROM
    rec.payment_documents AS payments
WHERE
    payments.status = 'gone'
    OR (payments.status = 'nobody sent it' AND STARTS_WITH(payments.payment_document_no, 'XL'))
UNION ALL
SELECT
    'actual',
    COALESCE(sent.document_no, posted.document_no),
    CASE
        WHEN posted.document_no IS NULL THEN 'sent, and the VMS does not have it'
        ELSE 'in the VMS, and never sent by Springline'
    END
FROM
    sent_actuals AS sent
FULL OUTER JOIN posted_actuals AS posted
    ON sent.document_no = posted.document_no
WHERE
    posted.document_no IS NULL
    OR sent.document_no IS NULL
UNION ALL
-- A rate in the VMS does not say who entered it: only that one is missing can be told, for the days that are read back.
SELECT DISTINCT
    'rate',
    CAST(rates.rate_date AS VARCHAR) || ' ' || rates.from_currency_code || ':' || rates.to_currency_code,
    'sent, and the VMS does not have it'
FROM
    rec.exchange_rates AS rates
INNER JOIN
    ctl.rates AS sent
    ON
        rates.rate_date = sent.rate_date
        AND rates.from_currency_code = sent.from_currency
        AND rates.to_currency_code = sent.to_currency
WHERE
    rates.state = 'only in ledger'
    AND sent.state = 'sent'
ORDER BY what, subject;
