-- One document as both sides have it: what was sent, what the VMS and the ledger have, and what keeps it from going out.
-- In it are all that were sent, those ready for posting, those set aside, and those that somebody else has acknowledged
-- since the first batch: what was posted before is the past's. An ACC document that is posted may be an actual.
-- grain: document_key
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

posted_elsewhere AS (
    SELECT documents.document_key
    FROM
        rec.vms_documents AS documents
    CROSS JOIN ctl.first_day AS first_day
    WHERE
        documents.status_code = 'POS'
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
    WHERE
        documents.status_code = 'RFP'
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
    chosen.document_key,
    COALESCE(documents.document_no, vouchers.document_no, set_aside.document_no) AS document_no,
    documents.document_type,
    COALESCE(documents.company_code, vouchers.company_code) AS company_code,
    COALESCE(vouchers.owner_code, documents.owner_code) AS owner_code,
    documents.partner_code,
    documents.partner_name,
    documents.document_date,
    COALESCE(documents.currency_code, sent.currency) AS currency_code,
    COALESCE(documents.company_currency_code, ledger.company_currency_code) AS company_currency_code,
    documents.status_code,
    documents.fetched_at,
    CASE WHEN documents.status_code <> 'GONE' THEN documents.amount END AS amount,  -- as in the VMS
    CASE WHEN documents.status_code <> 'GONE' THEN documents.company_amount END AS company_amount,  -- as in the VMS
    vouchers.state AS outbox_state,
    vouchers.last_error,
    acknowledgements.state AS acknowledgement_state,  -- null: done, or not begun
    acknowledgements.last_error AS acknowledgement_error,
    sent.posted_date AS sent_date,
    sent.control_sign * sent.control_currency AS sent_amount,  -- in the VMS's sign
    sent.control_sign * sent.control_company AS sent_company_amount,  -- in the VMS's sign
    imports.import_state,  -- waiting | refused | booked | removed; null: the books have it, or it was not sent
    imports.messages AS import_messages,
    ledger.header_db_id,
    ledger.voucher_no,
    ledger.posted_date,
    ledger.amount AS ledger_amount,  -- in the VMS's sign
    ledger.company_amount AS ledger_company_amount,  -- in the VMS's sign
    NULLIF(ledger.changes, '') AS ledger_changes,
    ledger.again,
    ledger.reversals,
    COALESCE(ledger.fetched_at, imports.fetched_at) AS ledger_fetched_at,
    changes.changes AS vms_changes,
    duplicates.reasons AS duplicate_reasons,
    holds.messages AS hold_messages,
    COALESCE(ignored_keys.reason, ignored_numbers.reason) AS ignore_reason,
    set_aside.messages AS reject_messages
FROM
    chosen
LEFT JOIN rec.vms_documents AS documents
    ON chosen.document_key = documents.document_key
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
