-- One supplier or customer as both sides have it: a VMS partner with each entity that must know it, and what the ledger
-- has under its code. Bank accounts show their last four characters alone.
-- Answers: Do both sides have the same suppliers and customers?
-- Read by: accountants (workbook, breaks) and analysts.
-- grain: side, owner_code, partner_code
WITH read_times AS (
    SELECT MAX(partners.fetched_at) AS vms_read_at
    FROM
        stg_vms.partners AS partners
),

ledger_read_times AS (
    SELECT
        side,
        MAX(fetched_at) AS ledger_read_at
    FROM
        rec.partner_rows
    GROUP BY
        side
),

wanted_sides AS (
    SELECT
        'supplier' AS side,
        wanted.partner_key,
        wanted.code,
        wanted.description,
        wanted.bank_account,
        wanted.partner_count
    FROM
        map.wanted_partners AS wanted
    WHERE
        wanted.is_supplier
    UNION ALL
    SELECT
        'customer',
        wanted.partner_key,
        wanted.code,
        wanted.description,
        wanted.bank_account,
        wanted.partner_count
    FROM
        map.wanted_partners AS wanted
    WHERE
        wanted.is_customer
),

in_vms AS (
    SELECT
        wanted_sides.*,
        owners.owner_code,
        COALESCE(owners.owner_code, 0) AS owner_no,
        partners.fetched_at,
        CAST(partners.modified_at AS DATE) AS modified_date
    FROM
        wanted_sides
    CROSS JOIN map.master_owners AS owners
    LEFT JOIN stg_vms.partners AS partners
        ON wanted_sides.partner_key = partners.partner_key
),

in_ledger AS (
    SELECT
        ledger.side,
        ledger.owner_code,
        COALESCE(ledger.owner_code, 0) AS owner_no,
        ledger.code,
        ledger.description,
        ledger.bank_account,
        ledger.row_count,
        partner_rows.to_date,
        partner_rows.modified_date,
        partner_rows.fetched_at
    FROM
        map.ledger_partners AS ledger
    LEFT JOIN rec.partner_rows AS partner_rows
        ON
            ledger.side = partner_rows.side
            AND ledger.db_id = partner_rows.db_id
    WHERE
        ledger.code IS NOT NULL
),

both_sides AS (
    SELECT
        COALESCE(in_vms.side, in_ledger.side) AS side,
        COALESCE(in_vms.owner_code, in_ledger.owner_code) AS owner_code,
        COALESCE(in_vms.owner_no, in_ledger.owner_no) AS owner_no,
        COALESCE(in_vms.code, in_ledger.code) AS code,
        in_vms.description AS name_vms,
        in_ledger.description AS name_ledger,
        in_vms.bank_account AS bank_account_vms,
        in_ledger.bank_account AS bank_account_ledger,
        in_vms.partner_count,
        in_ledger.row_count,
        in_ledger.to_date,
        in_vms.code IS NOT NULL AS is_in_vms,
        in_ledger.code IS NOT NULL AS is_in_ledger,
        in_vms.fetched_at AS vms_fetched_at,
        in_ledger.fetched_at AS ledger_fetched_at,
        COALESCE(in_vms.modified_date, in_ledger.modified_date) AS modified_date
    FROM
        in_vms
    FULL OUTER JOIN in_ledger
        ON
            in_vms.side = in_ledger.side
            AND in_vms.owner_no = in_ledger.owner_no
            AND in_vms.code = in_ledger.code
),

waiting AS (
    SELECT DISTINCT
        banks.code,
        banks.bank_account AS old_account
    FROM
        map.supplier_banks AS banks
    WHERE
        banks.is_change
),

-- What the ledger refused for a value of its own is not sent again before it has changed (post.document_checks likewise).
refusals AS (
    SELECT
        sent.side,
        COALESCE(sent.owner_code, 0) AS owner_no,
        sent.code,
        SPLIT_PART(SPLIT_PART(outbox.last_error, ' the ledger refused it: ', 2), '. Next: ', 1) AS words
    FROM
        ctl.sent_partners AS sent
    INNER JOIN ctl.outbox AS outbox
        ON sent.id = outbox.id
    WHERE
        outbox.state = 'failed'
        AND outbox.error_code = 'value_refused'
    QUALIFY
        ROW_NUMBER() OVER (
            PARTITION BY sent.side, sent.owner_code, sent.code
            ORDER BY sent.version_no DESC, sent.id DESC
        ) = 1
),

compared AS (
    SELECT
        both_sides.*,
        refusals.words AS refusal,
        RIGHT(both_sides.bank_account_vms, 4) AS bank_account_tail_vms,
        RIGHT(both_sides.bank_account_ledger, 4) AS bank_account_tail_ledger,
        companies.row_count AS company_count,
        settings.today,
        differences.differing_fields AS changed_fields,
        COALESCE(both_sides.to_date < settings.today, FALSE) AND both_sides.is_in_vms AS is_closed,
        waiting.code IS NOT NULL AND COALESCE(POSITION('bank account' IN differences.differing_fields), 0) = 0
            AS is_bank_waiting,
        ignored.operator AS ignored_by,
        ignored.reason AS ignored_reason
    FROM
        both_sides
    CROSS JOIN seed.settings AS settings
    LEFT JOIN rec.partner_differences AS differences
        ON
            both_sides.side = differences.side
            AND both_sides.owner_no = COALESCE(differences.owner_code, 0)
            AND both_sides.code = differences.code
    LEFT JOIN waiting
        ON
            both_sides.side = 'supplier'
            AND both_sides.code = waiting.code
            AND both_sides.bank_account_ledger = waiting.old_account
    LEFT JOIN refusals
        ON
            both_sides.side = refusals.side
            AND both_sides.owner_no = refusals.owner_no
            AND both_sides.code = refusals.code
    LEFT JOIN map.ledger_companies AS companies
        ON
            both_sides.side = 'customer'
            AND NOT both_sides.is_in_ledger
            AND both_sides.owner_no = COALESCE(companies.owner_code, 0)
            AND both_sides.code = companies.code
    LEFT JOIN map.ignored_subjects AS ignored
        ON
            ignored.subject = 'partner'
            AND ignored.is_effective
            AND both_sides.code = ignored.code
),

judged AS (
    SELECT
        *,
        NULLIF(
            CONCAT_WS(
                ', ',
                NULLIF(changed_fields, ''),
                CASE WHEN is_bank_waiting THEN 'bank account' END,
                CASE WHEN is_closed THEN 'closed' END
            ),
            ''
        ) AS differing_fields,
        side || ' ' || code AS subject,
        CASE
            WHEN NOT is_in_vms THEN 'only in ledger'
            WHEN partner_count > 1 OR COALESCE(row_count, 1) > 1 OR COALESCE(company_count, 1) > 1 THEN 'code not unique'
            WHEN NOT is_in_ledger THEN 'only in VMS'
            WHEN changed_fields IS NOT NULL OR is_closed THEN 'fields differ'
            WHEN is_bank_waiting THEN 'waiting for confirmation'
            ELSE 'agreed'
        END AS state
    FROM
        compared
)

SELECT
    judged.side,  -- supplier | customer
    judged.owner_code,  -- ledger entity it is created in; null: the one that the ledger's token belongs to
    judged.code AS partner_code,  -- code of the supplier or customer
    judged.name_vms,  -- name in the VMS
    judged.name_ledger,  -- name in the ledger
    judged.bank_account_tail_vms,  -- the last four characters of the bank account in the VMS
    judged.bank_account_tail_ledger,  -- the last four characters of the bank account in the ledger
    CASE WHEN judged.state IN ('fields differ', 'waiting for confirmation') THEN judged.differing_fields END
        AS differing_fields,  -- name, bank account, closed …
    judged.state,  -- agreed | only in VMS | only in ledger | fields differ | code not unique | waiting for confirmation
    CASE judged.state
        WHEN 'only in ledger' THEN 'The VMS has no such ' || judged.side || '.'
        WHEN 'only in VMS'
            THEN
                'The ledger has no ' || judged.subject || ' ' || judged.name_vms
                || COALESCE('; it refused it as it is: ' || judged.refusal, '') || '.'
        WHEN 'code not unique'
            THEN
                'The code ' || judged.code || ' stands '
                || CASE
                    WHEN judged.partner_count > 1 THEN COUNT_TEXT(judged.partner_count) || ' times in the VMS.'
                    WHEN judged.row_count > 1 THEN COUNT_TEXT(judged.row_count) || ' times in the ledger.'
                    ELSE COUNT_TEXT(judged.company_count) || ' times among the companies of the ledger.'
                END
        WHEN 'fields differ'
            THEN
                'The ' || judged.subject || ' differs: ' || judged.differing_fields
                || CASE
                    WHEN (judged.name_vms IS DISTINCT FROM judged.name_ledger)
                        THEN
                            '; it is ' || COALESCE(judged.name_vms, 'without name') || ' in the VMS and '
                            || COALESCE(judged.name_ledger, 'without name') || ' in the ledger'
                    ELSE ''
                END
                || COALESCE('; the ledger refused the change as it is: ' || judged.refusal, '')
                || CASE
                    WHEN judged.is_closed
                        THEN '; it is closed in the ledger since ' || CAST(judged.to_date AS VARCHAR)
                    ELSE ''
                END
                || '.'
        WHEN 'waiting for confirmation'
            THEN
                'The bank account of ' || judged.subject || ' ends in ' || judged.bank_account_tail_vms
                || ' in the VMS and in ' || judged.bank_account_tail_ledger
                || ' in the ledger: one of the two was changed.'
    END AS reason,  -- what is found, in words, with the figures; empty: nothing to say
    CASE
        WHEN
            judged.refusal IS NOT NULL
            AND judged.ignored_by IS NULL
            AND judged.state IN ('only in VMS', 'fields differ')
            AND NOT judged.is_closed
            THEN 'correct in the VMS what the ledger names; then `springline run master-data` sends it.'
        WHEN judged.state = 'only in ledger' THEN 'nothing: the ledger has partners of its own.'
        WHEN judged.state = 'only in VMS'
            THEN
                COALESCE(
                    'nothing: ' || judged.ignored_by || ' said that this partner is not ours (' || judged.ignored_reason
                    || ').',
                    '`springline run master-data` creates it, or `springline status` says why not; where it will never be used, '
                    || '`springline breaks ignore-subject partner ' || judged.code || ' --reason …` says so once.'
                )
        WHEN judged.state = 'code not unique' THEN 'close or rename all but one with this code; nothing is written until then.'
        WHEN judged.state = 'fields differ'
            THEN
                CASE
                    WHEN judged.is_closed THEN 'open it in the ledger again, or end it in the VMS too.'
                    ELSE 'where the VMS is wrong, correct it there first; then `springline run master-data` writes what it has.'
                END
        WHEN judged.state = 'waiting for confirmation'
            THEN
                'ask the supplier by other means than the invoice; then a second person runs `springline release '
                || judged.code || ' --reason …`, or the side that is wrong is corrected.'
    END AS next_step,  -- what to do about it; empty: nothing
    judged.state IN ('only in VMS', 'fields differ', 'code not unique')
    AND NOT (judged.state = 'only in VMS' AND judged.ignored_by IS NOT NULL) AS is_break,  -- true: it does not agree, and a person acts
    COALESCE(judged.vms_fetched_at, read_times.vms_read_at) AS as_of_vms,  -- when the VMS was read, UTC
    COALESCE(judged.ledger_fetched_at, ledger_read_times.ledger_read_at) AS as_of_ledger,  -- when the ledger was read, UTC
    CAST(DATE_DIFF('day', judged.modified_date, GREATEST(judged.modified_date, judged.today)) AS INTEGER)
        AS age_days  -- days since it was changed last; 0 when that is later
FROM
    judged
CROSS JOIN read_times
LEFT JOIN ledger_read_times
    ON judged.side = ledger_read_times.side
