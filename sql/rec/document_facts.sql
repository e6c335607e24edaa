-- One document as both sides have it: what was sent, what the VMS and the ledger have, and what keeps it from going out.
-- In it are all that were sent, those ready for posting, those set aside, and those that somebody else has acknowledged
-- since the first batch: what was posted before that day was never ours to compare. An ACC document that is posted may be an actual.
-- Answers: What is known of a document on both sides, before it is judged?
-- Read by: rec.document_states and rec.documents.
-- grain: document_key
-- parts: document_key
WITH vouchers AS (
    SELECT
        outbox.document_key,
        outbox.document_no,
        outbox.company_code,
        outbox.owner_code,
        outbox.state,
        outbox.last_error
    FROM
        ctl.outbox AS outbox
    WHERE
        outbox.kind = 'voucher'
),

acknowledgements AS (
    SELECT
        outbox.document_key,
        outbox.state,
        outbox.last_error
    FROM
        ctl.outbox AS outbox
    WHERE
        outbox.kind = 'acknowledgement'
        AND outbox.state <> 'sent'
),

holds AS (
    SELECT
        holds.document_key,
        STRING_AGG(holds.message, ' ' ORDER BY holds.hold_id) AS messages
    FROM
        ctl.holds AS holds
    WHERE
        holds.until IS NULL
        AND holds.severity = 'critical'
        AND holds.document_key IS NOT NULL
    GROUP BY
        holds.document_key
),

ignored_keys AS (
    SELECT
        ignored.document_key,
        MIN(ignored.reason) AS reason
    FROM
        ctl.ignored AS ignored
    WHERE
        ignored.until IS NULL
        AND ignored.document_key IS NOT NULL
    GROUP BY
        ignored.document_key
),

ignored_numbers AS (
    SELECT
        ignored.document_no,
        MIN(ignored.reason) AS reason
    FROM
        ctl.ignored AS ignored
    WHERE
        ignored.until IS NULL
        AND ignored.document_key IS NULL
    GROUP BY
        ignored.document_no
),

set_aside AS (
    SELECT
        TRY_CAST(rejected.object_key AS BIGINT) AS document_key,
        MIN(rejected.document_no) AS document_no,
        STRING_AGG(rejected.message, ' ' ORDER BY rejected.rejected_id) AS messages
    FROM
        ctl.rejected AS rejected
    WHERE
        rejected.until IS NULL
        AND rejected.side = 'vms'
        AND rejected.entity = 'Document'
        AND TRY_CAST(rejected.object_key AS BIGINT) IS NOT NULL
    GROUP BY
        TRY_CAST(rejected.object_key AS BIGINT)
),

-- Posted by somebody else since the first batch: without this a document typed into both systems by hand would be
-- missed. Both dates count, so that an old document that is only edited now stays out.
posted_elsewhere AS (
    SELECT documents.document_key
    FROM
        rec.vms_documents AS documents
    CROSS JOIN ctl.first_day AS first_day
    LEFT JOIN map.left_companies AS left_companies
        ON documents.company_code = left_companies.company_code
    WHERE
        documents.status_code = 'POS'
        AND left_companies.company_code IS NULL
        AND documents.document_type <> 'ACC'
        AND documents.document_date >= first_day.today
        AND CAST(documents.modified_at AS DATE) >= first_day.today
),

chosen AS (
    SELECT vouchers.document_key
    FROM
        vouchers
    WHERE
        vouchers.state IN ('sending', 'sent', 'unknown')
    UNION
    SELECT documents.document_key
    FROM
        rec.vms_documents AS documents
    LEFT JOIN map.left_companies AS left_companies
        ON documents.company_code = left_companies.company_code
    WHERE
        documents.status_code = 'RFP'
        AND left_companies.company_code IS NULL
    UNION
    SELECT posted_elsewhere.document_key
    FROM
        posted_elsewhere
    UNION
    SELECT set_aside.document_key
    FROM
        set_aside
)

SELECT
    chosen.document_key,  -- database id of the document in the VMS
    COALESCE(documents.document_no, vouchers.document_no, set_aside.document_no) AS document_no,  -- number of the document in the VMS
    documents.document_type,
    COALESCE(documents.company_code, vouchers.company_code) AS company_code,  -- VMS company
    COALESCE(vouchers.owner_code, documents.owner_code) AS owner_code,  -- ledger entity
    documents.partner_code,  -- supplier or customer, by its code
    documents.partner_name,  -- name of the supplier or customer in the VMS
    documents.document_date,  -- date of the document in the VMS
    COALESCE(documents.currency_code, sent.currency) AS currency_code,  -- currency of the document
    COALESCE(documents.company_currency_code, ledger.company_currency_code) AS company_currency_code,  -- currency of the company amounts
    CASE
        -- A warehouse that was built anew has read all documents there are, and none that the VMS deleted before.
        WHEN vouchers.state = 'sent' AND staged.document_key IS NULL AND set_aside.document_key IS NULL THEN 'GONE'
        ELSE documents.status_code
    END AS status_code,  -- PEN, INV, RFP, POS; GONE: deleted; REJECTED: its text breaks the contract
    documents.fetched_at,
    CASE WHEN documents.status_code <> 'GONE' THEN documents.amount END AS amount,  -- what the VMS has, with its sign, in currency_code
    CASE WHEN documents.status_code <> 'GONE' THEN documents.company_amount END
        AS company_amount,  -- what the VMS has, with its sign, in company currency
    vouchers.state AS outbox_state,  -- where its voucher stands: todo | sending | sent | unknown | failed; null: none
    vouchers.last_error,  -- what the ledger answered to its voucher last
    acknowledgements.state AS acknowledgement_state,  -- where the acknowledgement to the VMS stands; null: done, or not begun
    acknowledgements.last_error AS acknowledgement_error,  -- what the VMS answered to the acknowledgement last
    sent.posted_date AS sent_date,
    sent.sent_currency AS sent_amount,  -- as it was sent, with the sign of the VMS, in currency_code
    sent.sent_company AS sent_company_amount,  -- as it was sent, with the sign of the VMS, in company currency
    imports.import_state,  -- waiting | refused | booked | removed; null: the books have it, or it was not sent
    imports.messages AS import_messages,
    ledger.header_db_id,  -- database id of the voucher in the ledger
    ledger.voucher_no,  -- number of the voucher in the ledger
    ledger.posted_date,  -- posting date of the voucher in the ledger
    ledger.booked_at,
    ledger.amount AS ledger_amount,  -- what the ledger has, with the sign of the VMS, in currency_code
    ledger.company_amount AS ledger_company_amount,  -- what the ledger has, with the sign of the VMS, in company currency
    NULLIF(ledger.changes, '') AS ledger_changes,  -- what was sent and what the ledger has; empty: nothing has changed
    vat.finding AS vat_difference,  -- the VAT of both sides; empty: it agrees, or there is none
    ledger.standing_count,
    ledger.again,
    ledger.reversals,
    COALESCE(ledger.fetched_at, imports.fetched_at) AS ledger_fetched_at,  -- when the ledger was read, UTC
    changes.changes AS vms_changes,
    duplicates.reasons AS duplicate_reasons,
    holds.messages AS hold_messages,  -- why it is held, and what to do
    COALESCE(ignored_keys.reason, ignored_numbers.reason) AS ignore_reason,  -- why a person has said to ignore it; null: nobody has
    set_aside.messages AS reject_messages  -- why its text was set aside: what was expected, what came, what to do
FROM
    chosen
LEFT JOIN rec.vms_documents AS documents
    ON chosen.document_key = documents.document_key
LEFT JOIN stg_vms.documents AS staged
    ON chosen.document_key = staged.document_key
LEFT JOIN vouchers
    ON chosen.document_key = vouchers.document_key
LEFT JOIN acknowledgements
    ON chosen.document_key = acknowledgements.document_key
LEFT JOIN rec.sent_vouchers AS sent
    ON chosen.document_key = sent.document_key
LEFT JOIN rec.import_states AS imports
    ON chosen.document_key = imports.document_key
LEFT JOIN rec.ledger_documents AS ledger
    ON chosen.document_key = ledger.document_key
LEFT JOIN rec.vat_differences AS vat
    ON chosen.document_key = vat.document_key
LEFT JOIN rec.document_changes AS changes
    ON chosen.document_key = changes.document_key
LEFT JOIN rec.suspected_duplicates AS duplicates
    ON chosen.document_key = duplicates.document_key
LEFT JOIN holds
    ON chosen.document_key = holds.document_key
LEFT JOIN ignored_keys
    ON chosen.document_key = ignored_keys.document_key
LEFT JOIN ignored_numbers
    ON documents.document_no = ignored_numbers.document_no
LEFT JOIN set_aside
    ON chosen.document_key = set_aside.document_key
