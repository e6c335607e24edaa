-- One voucher or document that has come into a sealed period since, has changed there or is gone: what was sealed beside
-- what is there now. A document whose voucher is late itself has no row of its own.
-- Of a period that was reopened these rows are what the next version of its pack has beside the last one; they stop nothing.
-- Answers: What has changed in a period after it was sealed?
-- Read by: accountants, in the period-end pack; close.breaks.
-- grain: period_month, side, subject
WITH sealed_periods AS (
    SELECT
        CAST(closes.period || '-01' AS DATE) AS period_month,
        closes.state = 'reopened' AS is_reopened,
        CAST(SUBSTRING(seals.sealed_at, 1, 19) AS TIMESTAMP) AS sealed_at
    FROM
        ctl.closes AS closes
    INNER JOIN ctl.seals AS seals
        ON
            closes.period = seals.period
            AND closes.version = seals.version
),

present AS (
    SELECT
        entries.period_month,
        entries.side,
        entries.subject,
        entries.account,
        entries.voyage_no,
        entries.status,
        entries.company_currency_code,
        entries.company_amount
    FROM
        close.period_entries AS entries
    INNER JOIN sealed_periods AS periods
        ON entries.period_month = periods.period_month
    WHERE
        entries.side <> 'accrual'
),

sealed AS (
    SELECT
        entries.period_month,
        entries.side,
        entries.subject,
        entries.account,
        entries.voyage_no,
        entries.status,
        entries.company_currency_code,
        entries.company_amount
    FROM
        ctl.sealed_entries AS entries
    INNER JOIN sealed_periods AS periods
        ON entries.period_month = periods.period_month
    WHERE
        entries.side <> 'accrual'
),

-- Nearly all rows are as they were, and go no further.
differing AS (
    SELECT
        COALESCE(present.period_month, sealed.period_month) AS period_month,
        COALESCE(present.side, sealed.side) AS side,
        COALESCE(present.subject, sealed.subject) AS subject,
        COALESCE(present.account, sealed.account) AS account,
        COALESCE(present.voyage_no, sealed.voyage_no) AS voyage_no,
        COALESCE(present.company_currency_code, sealed.company_currency_code) AS currency_code,
        COALESCE(sealed.company_amount, 0) AS amount_sealed,
        COALESCE(present.company_amount, 0) AS amount_now
    FROM
        present
    FULL OUTER JOIN sealed
        ON
            present.period_month = sealed.period_month
            AND present.side = sealed.side
            AND present.subject = sealed.subject
            AND present.account = sealed.account
            AND present.voyage_no = sealed.voyage_no
    WHERE
        present.subject IS NULL
        OR sealed.subject IS NULL
        OR present.company_amount <> sealed.company_amount
        OR present.status <> sealed.status
),

moved AS (
    SELECT
        differing.period_month,
        differing.side,
        differing.subject,
        -- What was moved: the larger of what was added and what was taken away.
        GREATEST(
            SUM(GREATEST(differing.amount_now - differing.amount_sealed, 0)),
            SUM(GREATEST(differing.amount_sealed - differing.amount_now, 0))
        ) AS moved_amount,
        STRING_AGG(
            CASE
                WHEN differing.side = 'ledger'
                    THEN
                        'account ' || differing.account
                        || CASE WHEN differing.voyage_no = '' THEN '' ELSE ' on ' || differing.voyage_no END || ': '
                        || AMOUNT_TEXT(CAST(differing.amount_sealed AS DECIMAL(38, 4)), differing.currency_code) || ' then, '
                        || AMOUNT_TEXT(CAST(differing.amount_now AS DECIMAL(38, 4)), differing.currency_code) || ' now'
            END, '; ' ORDER BY differing.account, differing.voyage_no
        ) AS moves,
        MIN(differing.amount_sealed) AS amount_sealed,
        MIN(differing.amount_now) AS amount_now
    FROM
        differing
    GROUP BY
        differing.period_month,
        differing.side,
        differing.subject
),

-- All that is known of these subjects, then and now.
known AS (
    SELECT
        entries.period_month,
        entries.side,
        entries.subject,
        1 AS is_now,
        entries.company_code,
        entries.owner_code,
        entries.document_key,
        entries.document_no,
        entries.header_db_id,
        entries.voucher_no,
        entries.status,
        entries.company_currency_code
    FROM
        close.period_entries AS entries
    INNER JOIN moved
        ON
            entries.period_month = moved.period_month
            AND entries.side = moved.side
            AND entries.subject = moved.subject
    UNION ALL
    SELECT
        entries.period_month,
        entries.side,
        entries.subject,
        0,
        entries.company_code,
        entries.owner_code,
        entries.document_key,
        entries.document_no,
        entries.header_db_id,
        entries.voucher_no,
        entries.status,
        entries.company_currency_code
    FROM
        ctl.sealed_entries AS entries
    INNER JOIN moved
        ON
            entries.period_month = moved.period_month
            AND entries.side = moved.side
            AND entries.subject = moved.subject
),

subjects AS (
    SELECT
        known.period_month,
        known.side,
        known.subject,
        MIN(known.company_code) AS company_code,
        MIN(known.owner_code) AS owner_code,
        MIN(known.document_key) AS document_key,
        MIN(known.document_no) AS document_no,
        MIN(known.header_db_id) AS header_db_id,
        MIN(known.voucher_no) AS voucher_no,
        MIN(known.company_currency_code) AS company_currency_code,
        MIN(known.is_now) = 0 AS was_there,
        MAX(known.is_now) = 1 AS is_there,
        MIN(CASE WHEN known.is_now = 0 THEN known.status END) AS status_sealed,
        MIN(CASE WHEN known.is_now = 1 THEN known.status END) AS status_now
    FROM
        known
    GROUP BY
        known.period_month,
        known.side,
        known.subject
),

vouchers AS (
    SELECT
        documents.header_db_id,
        documents.document_key,
        documents.document_no,
        documents.company_code
    FROM
        rec.documents AS documents
    WHERE
        documents.header_db_id IS NOT NULL
    QUALIFY
        ROW_NUMBER() OVER (
            PARTITION BY documents.header_db_id
            ORDER BY CASE WHEN documents.document_key IS NULL THEN 1 ELSE 0 END, documents.subject
        ) = 1
),

late AS (
    SELECT
        subjects.period_month,
        subjects.side,
        subjects.subject,
        COALESCE(subjects.company_code, vouchers.company_code, companies.company_code) AS company_code,
        subjects.owner_code,
        COALESCE(subjects.document_key, vouchers.document_key) AS document_key,
        COALESCE(subjects.document_no, vouchers.document_no) AS document_no,
        subjects.voucher_no,
        subjects.company_currency_code,
        CASE WHEN NOT subjects.was_there THEN 'added' WHEN NOT subjects.is_there THEN 'removed' ELSE 'changed' END AS change,
        subjects.status_sealed,
        subjects.status_now,
        moved.moved_amount,
        moved.moves,
        moved.amount_sealed,
        moved.amount_now
    FROM
        subjects
    INNER JOIN moved
        ON
            subjects.period_month = moved.period_month
            AND subjects.side = moved.side
            AND subjects.subject = moved.subject
    LEFT JOIN vouchers
        ON
            subjects.side = 'ledger'
            AND subjects.header_db_id = vouchers.header_db_id
    LEFT JOIN map.actual_companies AS companies
        ON subjects.owner_code = companies.owner_code
),

late_vouchers AS (
    SELECT DISTINCT
        late.period_month,
        late.document_key
    FROM
        late
    WHERE
        late.side = 'ledger'
        AND late.document_key IS NOT NULL
)

SELECT
    late.period_month,  -- first day of the sealed month
    late.side,  -- ledger | vms
    late.subject,  -- `ledger:` and the voucher's id, or the document key
    late.company_code,  -- VMS company
    late.owner_code,  -- ledger entity
    late.document_key,  -- database id of the VMS document, where the voucher is one of ours
    late.document_no,  -- number of the VMS document, where the voucher is one of ours
    late.voucher_no,  -- number of the voucher in the ledger
    late.change,  -- added | changed | removed
    late.company_currency_code,  -- currency of the company amounts
    CAST(late.moved_amount AS DECIMAL(38, 4)) AS company_amount,  -- what was moved, in company currency, without sign
    CASE
        WHEN late.side = 'ledger'
            THEN
                'Voucher ' || COALESCE(CAST(late.voucher_no AS VARCHAR), late.subject)
                || COALESCE(' of document ' || late.document_no, '')
                || CASE late.change
                    WHEN 'added' THEN ' was booked into '
                    WHEN 'removed' THEN ' was taken out of '
                    ELSE ' was changed in '
                END
                || SUBSTRING(CAST(late.period_month AS VARCHAR), 1, 7) || ' after the seal: ' || late.moves || '.'
        WHEN late.change = 'added'
            THEN
                'Document ' || COALESCE(late.document_no, late.subject) || ' came into '
                || SUBSTRING(CAST(late.period_month AS VARCHAR), 1, 7) || ' after the seal ('
                || late.status_now || ', ' || AMOUNT_TEXT(CAST(late.amount_now AS DECIMAL(38, 4)), late.company_currency_code) || ').'
        WHEN late.change = 'removed'
            THEN
                'Document ' || COALESCE(late.document_no, late.subject) || ' is not in '
                || SUBSTRING(CAST(late.period_month AS VARCHAR), 1, 7) || ' any more (it was '
                || late.status_sealed || ', ' || AMOUNT_TEXT(CAST(late.amount_sealed AS DECIMAL(38, 4)), late.company_currency_code) || ').'
        ELSE
            'Document ' || COALESCE(late.document_no, late.subject) || ' was '
            || late.status_sealed || ' with ' || AMOUNT_TEXT(CAST(late.amount_sealed AS DECIMAL(38, 4)), late.company_currency_code)
            || ' when ' || SUBSTRING(CAST(late.period_month AS VARCHAR), 1, 7) || ' was sealed, and is '
            || late.status_now || ' with ' || AMOUNT_TEXT(CAST(late.amount_now AS DECIMAL(38, 4)), late.company_currency_code) || ' now.'
    END AS reason,  -- what is found, in words, with the figures; empty: nothing to say
    CASE
        WHEN periods.is_reopened THEN 'nothing: the period is reopened, and its next seal takes this in.'
        WHEN late.side = 'ledger'
            THEN
                'move the voucher into an open period in the ledger, accept the late posting (`springline breaks accept`), or'
                || ' reopen the period (`springline close reopen ' || SUBSTRING(CAST(late.period_month AS VARCHAR), 1, 7)
                || ' --reason …`).'
        ELSE
            'where it was not sent to the ledger, date the document in an open period in the VMS; else accept the late posting'
            || ' (`springline breaks accept`), or reopen the period (`springline close reopen '
            || SUBSTRING(CAST(late.period_month AS VARCHAR), 1, 7) || ' --reason …`).'
    END AS next_step,  -- what to do about it; empty: nothing
    periods.sealed_at,  -- when it was sealed last, UTC
    periods.is_reopened  -- true: the period is open for its next version
FROM
    late
INNER JOIN sealed_periods AS periods
    ON late.period_month = periods.period_month
LEFT JOIN late_vouchers
    ON
        late.side = 'vms'
        AND late.period_month = late_vouchers.period_month
        AND late.document_key = late_vouchers.document_key
WHERE
    late_vouchers.document_key IS NULL
