-- One document beside its voucher: what the VMS has, what was sent, what the ledger has, and what to do about it.
-- A voucher that the ledger alone has is a row of its own. Amounts carry the VMS's sign on both sides.
-- Answers: Is each document booked as the VMS has it, and what must be done if not?
-- Read by: accountants (workbook, report), analysts, the close.
-- grain: subject
-- parts: document_key
WITH worded AS (
    SELECT
        facts.document_key,
        CASE
            WHEN states.state = 'waiting' AND facts.import_state = 'waiting'
                THEN 'the ledger''s import has it and its posting job has not booked it yet'
            WHEN states.state = 'waiting' AND facts.outbox_state = 'sent'
                THEN
                    'the ledger has booked it and the VMS has not been told yet'
                    || COALESCE(': ' || facts.acknowledgement_error, '')
            WHEN states.state = 'waiting' THEN 'it is ready for posting and has not been sent yet'
            WHEN states.state = 'held' THEN facts.hold_messages
            WHEN states.state = 'unknown'
                THEN COALESCE(facts.last_error, 'it was sent, and whether it has arrived is not known')
            WHEN states.state = 'ignored' THEN 'it is on the ignore list: ' || facts.ignore_reason
            WHEN states.state = 'rejected' AND facts.import_state = 'refused'
                THEN
                    CASE
                        WHEN facts.status_code = 'POS' THEN 'it is posted in the VMS, not in the ledger'
                        ELSE 'it is not in the ledger'
                    END
                    || ', whose posting job refused it '
                    || COALESCE('after the import had taken it: ' || facts.import_messages, 'without a word')
            WHEN states.state = 'rejected'
                THEN COALESCE(facts.reject_messages, facts.last_error, 'the ledger refused it')
            WHEN states.state = 'only in VMS' AND facts.outbox_state = 'sent' AND facts.import_state = 'removed'
                THEN 'the ledger''s import took it, and neither the import nor the books have it now'
            WHEN states.state = 'only in VMS' AND facts.outbox_state = 'sent'
                THEN 'the ledger had booked it, and its books do not have it any more'
            WHEN states.state = 'only in VMS'
                THEN 'somebody else has acknowledged it: it is POS in the VMS, and no voucher was sent'
            WHEN states.state = 'only in ledger'
                THEN
                    'the VMS does not have it any more; the ledger has voucher ' || CAST(facts.voucher_no AS VARCHAR)
                    || ' of ' || CAST(facts.posted_date AS VARCHAR)
            ELSE
                CONCAT_WS(
                    '; ',
                    CASE
                        WHEN states.state = 'amount differs'
                            THEN
                                'the VMS has ' || COALESCE(AMOUNT_TEXT(facts.amount, facts.currency_code), 'nothing')
                                || COALESCE(' (' || AMOUNT_TEXT(facts.company_amount, facts.company_currency_code) || ')', '')
                                || ', the ledger ' || AMOUNT_TEXT(facts.ledger_amount, facts.currency_code)
                                || ' (' || AMOUNT_TEXT(facts.ledger_company_amount, facts.company_currency_code) || ')'
                    END,
                    'reversed by voucher ' || facts.reversals,
                    'booked again by voucher ' || facts.again,
                    facts.ledger_changes,
                    facts.vms_changes,
                    facts.vat_difference,
                    CASE
                        WHEN facts.status_code IN ('PEN', 'INV', 'RFP') AND facts.acknowledgement_state IS NULL
                            THEN 'its status in the VMS is ' || facts.status_code || ' again'
                    END,
                    facts.duplicate_reasons
                )
        END AS reason
    FROM
        rec.document_facts AS facts
    INNER JOIN rec.document_states AS states
        ON facts.document_key = states.document_key
    WHERE
        states.state <> 'agreed'
),

steps AS (
    SELECT
        states.document_key,
        CASE
            WHEN states.state = 'waiting' AND facts.import_state = 'waiting'
                THEN 'nothing: the posting job books it, and a person can start that in Xledger.'
            WHEN states.state = 'waiting' THEN 'nothing: the next run goes on with it.'
            WHEN states.state = 'held' THEN 'correct what the rule names; the next run lets it go by itself.'
            WHEN states.state = 'unknown' THEN 'nothing: the next run looks it up.'
            WHEN states.state = 'ignored' THEN 'nothing, or `springline release` when it is to be posted after all.'
            WHEN states.state = 'rejected' AND facts.import_state = 'refused'
                THEN
                    'accounting corrects what the ledger names, in Xledger or in the VMS, then runs `springline retry` on the '
                    || 'document: until then the books lack what the VMS shows.'
            WHEN states.state = 'rejected' THEN 'correct what the message names; the next run tries it again.'
            WHEN states.state = 'only in VMS' AND facts.outbox_state = 'sent'
                THEN
                    'find out who removed it from the ledger, and book it there again by hand under its own text: what '
                    || 'was sent is never sent again.'
            WHEN states.state = 'only in VMS'
                THEN
                    'find its voucher in the ledger, or post it there by hand; then `springline breaks accept` this, with the '
                    || 'number of that voucher as the reason.'
            WHEN states.state = 'only in ledger'
                THEN 'reverse the voucher in the ledger; where the document is missed, enter it in the VMS anew.'
            WHEN facts.reversals IS NOT NULL AND (states.state = 'amount differs' OR facts.sent_amount = 0)
                THEN
                    'take the reversal out of the ledger; a document that is wrong is reversed in the VMS, whose '
                    || 'reversal is posted by itself.'
            WHEN facts.again IS NOT NULL AND (states.state = 'amount differs' OR facts.sent_amount = 0)
                THEN 'reverse the second voucher in the ledger.'
            WHEN states.drift = 'suspected duplicate'
                THEN
                    'compare the two; when they are the same, reverse one where it was entered, else `springline breaks accept` this one.'
            WHEN states.drift = 'VAT differs'
                THEN
                    'correct the rate of the tax rule in the ledger, or map the VAT code to another one (posting.tax_rules); '
                    || 'then reverse the document in the VMS and enter it anew, or book the difference in the ledger and '
                    || '`springline breaks accept` this one.'
            WHEN facts.vms_changes IS NULL AND facts.ledger_changes IS NOT NULL
                THEN 'undo the change in the ledger, or correct the document in the VMS by a reversal and a new one.'
            WHEN states.drift = 'status moved in the VMS'
                THEN 'find out in the VMS who moved it, and set it to POS again.'
            ELSE 'undo the change in the VMS, or correct the voucher in the ledger by a reversal and a new document.'
        END AS next_step
    FROM
        rec.document_facts AS facts
    INNER JOIN rec.document_states AS states
        ON facts.document_key = states.document_key
    WHERE
        states.state <> 'agreed'
),

ours AS (
    SELECT
        CAST(facts.document_key AS VARCHAR) AS subject,
        facts.document_key,
        facts.document_no,
        facts.document_type,
        facts.company_code,
        facts.owner_code,
        facts.partner_code,
        facts.partner_name,
        facts.document_date,
        COALESCE(facts.posted_date, facts.sent_date, facts.document_date) AS period_date,
        facts.currency_code,
        facts.company_currency_code,
        facts.status_code AS status_vms,
        facts.outbox_state,
        facts.voucher_no,
        facts.header_db_id,
        facts.posted_date,
        facts.booked_at,
        CASE
            WHEN facts.header_db_id IS NOT NULL THEN 'booked'
            WHEN facts.import_state = 'refused' THEN 'refused'
            WHEN facts.import_state IN ('waiting', 'booked') THEN 'waiting'
            ELSE 'not sent'
        END AS import_state,
        facts.import_messages,
        CASE WHEN COALESCE(facts.status_code, '') <> 'GONE' THEN COALESCE(facts.amount, facts.sent_amount) END AS amount_vms,
        facts.ledger_amount AS amount_ledger,
        CASE
            WHEN COALESCE(facts.status_code, '') <> 'GONE' THEN COALESCE(facts.company_amount, facts.sent_company_amount)
        END AS company_amount_vms,
        facts.ledger_company_amount AS company_amount_ledger,
        states.drift,
        states.state,
        worded.reason,
        steps.next_step,
        states.state IN ('amount differs', 'fields differ', 'only in VMS', 'only in ledger')
        OR (states.state = 'rejected' AND COALESCE(facts.import_state, '') = 'refused') AS is_break,
        COALESCE(facts.fetched_at, readings.documents_read_at) AS vms_fetched_at,
        COALESCE(facts.ledger_fetched_at, readings.books_read_at) AS ledger_fetched_at
    FROM
        rec.document_facts AS facts
    INNER JOIN rec.document_states AS states
        ON facts.document_key = states.document_key
    LEFT JOIN rec.document_readings AS readings
        ON facts.document_key = readings.document_key
    LEFT JOIN worded
        ON facts.document_key = worded.document_key
    LEFT JOIN steps
        ON facts.document_key = steps.document_key
    UNION ALL
    SELECT
        'ledger:' || CAST(orphans.header_db_id AS VARCHAR),
        orphans.document_key,
        orphans.document_no,
        orphans.document_type,
        orphans.company_code,
        orphans.owner_code,
        orphans.partner_code,
        orphans.partner_name,
        CAST(NULL AS DATE),
        orphans.posted_date AS period_date,
        orphans.currency_code,
        orphans.company_currency_code,
        CAST(NULL AS VARCHAR),
        CAST(NULL AS VARCHAR),
        orphans.voucher_no,
        orphans.header_db_id,
        orphans.posted_date,
        CAST(NULL AS TIMESTAMP),
        'booked',
        CAST(NULL AS VARCHAR),
        CAST(NULL AS DECIMAL(38, 4)),
        orphans.amount,
        CAST(NULL AS DECIMAL(38, 4)),
        orphans.company_amount,
        CAST(NULL AS VARCHAR),
        'only in ledger',
        'voucher ' || CAST(orphans.voucher_no AS VARCHAR) || ' (' || orphans.header_text
        || ') was imported under the number of document ' || orphans.document_no || ', and Springline never sent it',
        'find out what imported it; reverse it in the ledger when the document has a voucher, or is to get one.',
        TRUE,
        orphans.documents_read_at,
        orphans.fetched_at
    FROM
        rec.orphan_vouchers AS orphans
)

SELECT
    ours.subject,  -- document key; `ledger:` and the header's id where the ledger alone has it
    ours.document_key,  -- database id of the document in the VMS
    ours.document_no,  -- number of the document in the VMS
    ours.document_type,  -- kind of document in the VMS, as INI or CRO
    ours.company_code,  -- VMS company
    ours.owner_code,  -- ledger entity
    ours.partner_code,  -- supplier or customer, by its code
    ours.partner_name,  -- name of the supplier or customer in the VMS
    ours.document_date,
    CAST(DATE_TRUNC('month', ours.period_date) AS DATE) AS period_month,  -- of the voucher's date, else of the document's
    ours.currency_code,  -- currency of the document
    ours.company_currency_code,  -- currency of the company amounts
    ours.status_vms,  -- PEN, INV, RFP, POS; GONE: deleted; REJECTED: its text breaks the contract
    ours.outbox_state,  -- todo | sending | sent | unknown | failed; null: nothing was to be sent
    ours.voucher_no AS voucher_no_ledger,  -- number of the voucher in the ledger; null: not booked
    ours.header_db_id,  -- database id of the voucher in the ledger
    ours.posted_date AS posted_date_ledger,  -- posting date of the voucher in the ledger
    ours.booked_at AS booked_at_ledger,  -- when the ledger's import booked it, UTC; null: not booked, or typed by hand
    ours.import_state AS import_state_ledger,  -- not sent | waiting | booked | refused
    ours.import_messages AS import_error_ledger,  -- what its posting job says
    ours.amount_vms,  -- in currency_code
    ours.amount_ledger,  -- in currency_code: on the control account, of a GL document its lines
    ours.amount_ledger - ours.amount_vms AS amount_difference,  -- ledger less VMS
    ours.company_amount_vms,  -- in company_currency_code
    ours.company_amount_ledger,  -- in company_currency_code
    ours.company_amount_ledger - ours.company_amount_vms AS company_amount_difference,  -- ledger less VMS
    ours.drift,  -- what moved after posting, on which side; null: nothing
    ours.state,  -- agreed | waiting | held | unknown | rejected | amount differs | fields differ | only in VMS | only in ledger | ignored
    NULLIF(ours.reason, '') AS reason,  -- in words, with values; null: agreed
    ours.next_step,  -- what to do about it; empty: nothing
    ours.is_break,  -- true: it does not agree, and a person has to act
    ours.vms_fetched_at AS as_of_vms,  -- UTC: when its row there, else the list, was read
    ours.ledger_fetched_at AS as_of_ledger,  -- UTC: when its row there, else the books
    CAST(
        DATE_DIFF(
            'day',
            COALESCE(ours.document_date, ours.posted_date),
            GREATEST(COALESCE(ours.document_date, ours.posted_date), settings.today)
        ) AS INTEGER
    ) AS age_days,  -- days since the date of the document; 0 when it is dated later
    CASE voucher_types.voucher_type
        WHEN 'AP' THEN 'Payable'
        WHEN 'AR' THEN 'Receivable'
        ELSE 'General ledger'
    END AS side  -- which subledger its voucher belongs to: Payable | Receivable | General ledger, which has none
FROM
    ours
CROSS JOIN seed.settings AS settings
LEFT JOIN seed.voucher_types AS voucher_types
    ON ours.document_type = voucher_types.document_type
