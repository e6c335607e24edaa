-- One document that has gone to the ledger: when it was ready, when its voucher was sent, when the ledger booked it and when
-- the VMS was told, all UTC. Ready is when Springline saw it ready for posting first: it was held then, or stored for sending.
-- Answers: How long is it from ready to booked?
-- Read by: analysts (published).
-- grain: document_key
WITH vouchers AS (
    SELECT
        outbox.document_key,
        MIN(CAST(outbox.created_at AS TIMESTAMP)) AS stored_at,
        MIN(CAST(outbox.sent_at AS TIMESTAMP)) AS sent_at
    FROM
        ctl.outbox AS outbox
    WHERE
        outbox.kind = 'voucher'
        AND outbox.document_key IS NOT NULL
    GROUP BY
        outbox.document_key
),

acknowledged AS (
    SELECT
        outbox.document_key,
        MAX(CAST(outbox.sent_at AS TIMESTAMP)) AS acknowledged_at
    FROM
        ctl.outbox AS outbox
    WHERE
        outbox.kind = 'acknowledgement'
    GROUP BY
        outbox.document_key
),

held AS (
    SELECT
        holds.document_key,
        MIN(CAST(holds.since AS TIMESTAMP)) AS held_since,
        CAST(COUNT(*) AS INTEGER) AS hold_count
    FROM
        ctl.holds AS holds
    WHERE
        holds.severity = 'critical'
        AND holds.document_key IS NOT NULL
    GROUP BY
        holds.document_key
),

timed AS (
    SELECT
        documents.document_key,
        documents.document_no,
        documents.document_type,
        documents.owner_code,
        documents.company_code,
        documents.partner_code,
        documents.partner_name,
        documents.period_month,
        documents.document_date,
        COALESCE(LEAST(held.held_since, vouchers.stored_at), vouchers.stored_at) AS ready_at,
        vouchers.stored_at,
        vouchers.sent_at,
        documents.booked_at_ledger,
        acknowledged.acknowledged_at,
        COALESCE(held.hold_count, 0) AS hold_count
    FROM
        vouchers
    INNER JOIN rec.documents AS documents
        ON CAST(vouchers.document_key AS VARCHAR) = documents.subject
    LEFT JOIN acknowledged
        ON vouchers.document_key = acknowledged.document_key
    LEFT JOIN held
        ON vouchers.document_key = held.document_key
),

minutes AS (
    SELECT
        timed.*,
        DATE_DIFF('day', CAST(timed.ready_at AS DATE), CAST(timed.stored_at AS DATE)) * 1440
        + (EXTRACT(HOUR FROM timed.stored_at) - EXTRACT(HOUR FROM timed.ready_at)) * 60
        + EXTRACT(MINUTE FROM timed.stored_at) - EXTRACT(MINUTE FROM timed.ready_at) AS minutes_held,
        -- By the ledger's clock, which is not ours: a time before the voucher was stored says nothing.
        CASE
            WHEN timed.booked_at_ledger >= timed.stored_at
                THEN
                    DATE_DIFF('day', CAST(timed.stored_at AS DATE), CAST(timed.booked_at_ledger AS DATE)) * 1440
                    + (EXTRACT(HOUR FROM timed.booked_at_ledger) - EXTRACT(HOUR FROM timed.stored_at)) * 60
                    + EXTRACT(MINUTE FROM timed.booked_at_ledger) - EXTRACT(MINUTE FROM timed.stored_at)
        END AS minutes_to_booked,
        DATE_DIFF('day', CAST(timed.stored_at AS DATE), CAST(timed.acknowledged_at AS DATE)) * 1440
        + (EXTRACT(HOUR FROM timed.acknowledged_at) - EXTRACT(HOUR FROM timed.stored_at)) * 60
        + EXTRACT(MINUTE FROM timed.acknowledged_at) - EXTRACT(MINUTE FROM timed.stored_at) AS minutes_to_acknowledged
    FROM
        timed
)

SELECT
    minutes.document_key,  -- database id of the document in the VMS
    minutes.document_no,  -- number of the document in the VMS
    minutes.document_type,  -- kind of document in the VMS, as INI or CRO
    minutes.owner_code,  -- ledger entity
    minutes.company_code,  -- VMS company
    companies.company_name,  -- name of the entity in the ledger
    minutes.partner_code,  -- supplier or customer, by its code
    minutes.partner_name,  -- name of the supplier or customer in the VMS
    minutes.document_date,  -- date of the document in the VMS
    minutes.period_month,  -- first day of the month it is posted in
    minutes.ready_at,  -- when it was seen ready for posting first, UTC
    minutes.hold_count,  -- how often a rule or a person held it
    minutes.stored_at,  -- when nothing held it and its voucher was stored for sending, UTC
    minutes.sent_at,  -- when the ledger's import had it, UTC; empty: not yet
    minutes.booked_at_ledger AS booked_at,  -- when the ledger booked it, UTC; empty: not booked, or typed by hand
    minutes.acknowledged_at,  -- when the VMS was told, UTC; empty: not yet
    CAST(minutes.minutes_held AS INTEGER) AS minutes_held,  -- from ready until it was stored for sending
    CAST(minutes.minutes_to_booked AS INTEGER) AS minutes_to_booked,  -- from there until the ledger booked it; empty: not known
    CAST(minutes.minutes_held + minutes.minutes_to_booked AS INTEGER) AS minutes_in_all,  -- from ready until booked; empty: not known
    CAST(minutes.minutes_to_acknowledged AS INTEGER)
        AS minutes_to_acknowledged  -- from the voucher stored until the VMS was told, by our clock alone; empty: not yet
FROM
    minutes
LEFT JOIN rec.company_names AS companies
    ON minutes.owner_code = companies.owner_code
