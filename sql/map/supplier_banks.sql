-- One supplier that the ledger has or should have, with its bank details on both sides and what a second person must see.
-- What is known of it from before counts as the ledger's: a supplier added again, or under another code, waits as well.
-- The ledger never shows a SWIFT code or a bank's routing number: they are compared with what was last sent there. A first
-- value goes by itself; one that takes the place of another waits, and the details then wait together (docs/mapping.md#2).
-- Answers: Which bank details of a supplier differ, and do they wait?
-- Read by: the master-data job and the four-eyes rule on bank accounts.
-- grain: owner_code, code
WITH versions AS (
    SELECT
        sent.owner_code,
        sent.code,
        sent.swift,
        sent.bank_routing,
        -- Of an update only the fields that differed were sent: each field has a last version of its own.
        ROW_NUMBER() OVER (
            PARTITION BY sent.owner_code, sent.code
            ORDER BY CASE WHEN sent.swift IS NULL THEN 1 ELSE 0 END, sent.version_no DESC, sent.id DESC
        ) AS swift_rank,
        ROW_NUMBER() OVER (
            PARTITION BY sent.owner_code, sent.code
            ORDER BY CASE WHEN sent.bank_routing IS NULL THEN 1 ELSE 0 END, sent.version_no DESC, sent.id DESC
        ) AS routing_rank
    FROM
        ctl.sent_partners AS sent
    WHERE
        sent.side = 'supplier'
        AND sent.state = 'sent'
),

last_sent AS (
    SELECT
        owner_code,
        code,
        MAX(CASE WHEN swift_rank = 1 THEN swift END) AS swift,
        MAX(CASE WHEN routing_rank = 1 THEN bank_routing END) AS bank_routing
    FROM
        versions
    GROUP BY
        owner_code, code
),

sides AS (
    SELECT
        known.owner_code,
        wanted.code,
        wanted.partner_key,
        wanted.description,
        known.ledger_db_id,
        known.ledger_bank_account AS ledger_account,
        known.known_bank_account AS known_account,
        wanted.bank_account AS vms_account,
        last_sent.swift AS sent_swift,
        last_sent.bank_routing AS sent_routing,
        known.known_swift,
        known.known_routing,
        wanted.swift AS vms_swift,
        wanted.bank_routing AS vms_routing,
        known.is_other_account,
        COALESCE(wanted.swift <> known.known_swift, FALSE) AS is_other_swift,
        COALESCE(wanted.bank_routing <> known.known_routing, FALSE) AS is_other_routing
    FROM
        map.wanted_partners AS wanted
    INNER JOIN map.known_accounts AS known
        ON
            wanted.code = known.code
            AND wanted.partner_key IS NOT DISTINCT FROM known.partner_key
            AND wanted.bank_account IS NOT DISTINCT FROM known.vms_bank_account
    LEFT JOIN map.ledger_partners AS existing
        ON
            existing.side = 'supplier'
            AND known.code = existing.code
            AND known.owner_code IS NOT DISTINCT FROM existing.owner_code
    LEFT JOIN last_sent
        ON
            known.owner_code IS NOT DISTINCT FROM last_sent.owner_code
            AND known.code = last_sent.code
    WHERE
        wanted.is_supplier
        AND wanted.partner_count = 1
        AND COALESCE(existing.row_count, 1) = 1
),

worded AS (
    SELECT
        *,
        COALESCE(known_account, 'no account')
        || CASE
            WHEN is_other_swift AND is_other_routing THEN ' (SWIFT ' || known_swift || ', ABA ' || known_routing || ')'
            WHEN is_other_swift THEN ' (SWIFT ' || known_swift || ')'
            WHEN is_other_routing THEN ' (ABA ' || known_routing || ')'
            ELSE ''
        END AS old_account,
        COALESCE(vms_account, known_account, 'no account')
        || CASE
            WHEN is_other_swift AND is_other_routing THEN ' (SWIFT ' || vms_swift || ', ABA ' || vms_routing || ')'
            WHEN is_other_swift THEN ' (SWIFT ' || vms_swift || ')'
            WHEN is_other_routing THEN ' (ABA ' || vms_routing || ')'
            ELSE ''
        END AS new_account
    FROM
        sides
),

confirmed AS (
    SELECT DISTINCT
        partner_code,
        old_account,
        new_account
    FROM
        ctl.bank_changes
    WHERE
        decision = 'confirm'
)

SELECT
    worded.owner_code,  -- who sees it in the ledger; null: the token's own entity
    worded.code,
    worded.partner_key,
    worded.description,
    worded.ledger_db_id,  -- of the supplier with this code; null: the ledger has none
    worded.ledger_account AS bank_account,  -- as the ledger has it
    worded.sent_swift,  -- the SWIFT code last sent; null: none ever
    worded.sent_routing,  -- the routing number last sent; null: none ever
    worded.old_account,  -- bank account known of it: the ledger's, else the last one; with what else changes
    worded.new_account,  -- bank account in the VMS, with what else changes
    settings.confirm_bank_changes
    AND (worded.is_other_account OR worded.is_other_swift OR worded.is_other_routing) AS is_change,  -- a second person must see it
    settings.confirm_bank_changes
    AND (worded.is_other_account OR worded.is_other_swift OR worded.is_other_routing)
    AND confirmed.partner_code IS NULL AS is_waiting  -- nobody has released it yet
FROM
    worded
CROSS JOIN seed.settings AS settings
LEFT JOIN confirmed
    ON
        worded.code = confirmed.partner_code
        AND worded.old_account = confirmed.old_account
        AND worded.new_account = confirmed.new_account
