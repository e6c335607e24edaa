-- One supplier as the VMS has it now, as one owner sees it, and the bank details that are known of it from before.
-- The identity of a supplier is its key in the VMS, and its code where the key is new: a supplier that was deleted in the
-- ledger, renamed in the VMS, mapped to another code or made anew for another entity is the same payee all the same, and
-- its account is no first account (docs/mapping.md#2).
-- Answers: Which bank account did this supplier have before?
-- Read by: the four-eyes rule on bank accounts, for master data and for vouchers.
-- grain: owner_code, code, partner_key, vms_bank_account
WITH asked AS (
    SELECT
        owners.owner_code,
        wanted.code,
        wanted.partner_key,
        wanted.bank_account AS vms_bank_account
    FROM
        map.wanted_partners AS wanted
    CROSS JOIN map.master_owners AS owners
    WHERE
        wanted.is_supplier
    UNION
    SELECT
        payees.master_owner_code,
        payees.code,
        payees.partner_key,
        payees.bank_account
    FROM
        map.open_payees AS payees
),

-- What the ledger had when it was last seen with an account, and what was sent to it since.
remembered AS (
    SELECT
        NULLIF(seen.owner_code, 0) AS owner_code,
        seen.partner_key,
        seen.code,
        seen.bank_account,
        CAST(NULL AS VARCHAR) AS swift,
        CAST(NULL AS VARCHAR) AS bank_routing,
        seen.seen_at,
        0 AS version_no
    FROM
        ctl.supplier_accounts AS seen
    UNION ALL
    SELECT
        sent.owner_code,
        sent.partner_key,
        sent.code,
        sent.bank_account,
        sent.swift,
        sent.bank_routing,
        sent.updated_at,
        sent.version_no
    FROM
        ctl.sent_partners AS sent
    WHERE
        sent.side = 'supplier'
        -- What may have arrived is known as well: another account would take its place.
        AND sent.state IN ('sending', 'sent', 'unknown')
),

matched AS (
    SELECT
        asked.*,
        remembered.owner_code AS seen_owner_code,
        remembered.code AS seen_code,
        TRUE AS is_same_key,
        remembered.bank_account,
        remembered.swift,
        remembered.bank_routing,
        remembered.seen_at,
        remembered.version_no
    FROM
        asked
    INNER JOIN remembered
        ON asked.partner_key = remembered.partner_key
    UNION ALL
    SELECT
        asked.*,
        remembered.owner_code,
        remembered.code,
        FALSE,
        remembered.bank_account,
        remembered.swift,
        remembered.bank_routing,
        remembered.seen_at,
        remembered.version_no
    FROM
        asked
    INNER JOIN remembered
        ON asked.code = remembered.code
    UNION ALL
    -- What the ledger has now is newer than anything that was seen in it.
    SELECT
        asked.*,
        existing.owner_code,
        existing.code,
        FALSE,
        existing.bank_account,
        CAST(NULL AS VARCHAR),
        CAST(NULL AS VARCHAR),
        '9999',
        0
    FROM
        asked
    INNER JOIN map.ledger_partners AS existing
        ON
            existing.side = 'supplier'
            AND asked.code = existing.code
),

-- In the order of what counts: 0 the same partner under another code, 1 this owner's own, 2 what another owner has.
ranked AS (
    SELECT
        *,
        CASE
            WHEN COALESCE(owner_code, 0) <> COALESCE(seen_owner_code, 0) THEN 2
            WHEN
                is_same_key
                AND seen_code <> code
                AND seen_at = MAX(CASE WHEN is_same_key AND bank_account IS NOT NULL THEN seen_at END)
                    OVER (PARTITION BY owner_code, code, partner_key, vms_bank_account, seen_owner_code)
                THEN 0
            ELSE 1
        END AS place
    FROM
        matched
),

accounts AS (
    SELECT
        owner_code,
        code,
        partner_key,
        vms_bank_account,
        bank_account
    FROM
        ranked
    WHERE
        bank_account IS NOT NULL
    QUALIFY
        ROW_NUMBER() OVER (
            PARTITION BY owner_code, code, partner_key, vms_bank_account
            ORDER BY
                place ASC,
                -- Of several other owners the one that has it as the VMS does: there it has been let through.
                CASE WHEN place = 2 AND bank_account = vms_bank_account THEN 0 ELSE 1 END ASC,
                seen_at DESC,
                version_no DESC,
                bank_account ASC
        ) = 1
),

-- Of an update only the fields that differed were sent: each field has a last version of its own.
details AS (
    SELECT
        owner_code,
        code,
        partner_key,
        vms_bank_account,
        swift,
        bank_routing,
        ROW_NUMBER() OVER (
            PARTITION BY owner_code, code, partner_key, vms_bank_account
            ORDER BY CASE WHEN swift IS NULL THEN 1 ELSE 0 END ASC, place ASC, seen_at DESC, version_no DESC, swift ASC
        ) AS swift_rank,
        ROW_NUMBER() OVER (
            PARTITION BY owner_code, code, partner_key, vms_bank_account
            ORDER BY CASE WHEN bank_routing IS NULL THEN 1 ELSE 0 END ASC, place ASC, seen_at DESC, version_no DESC, bank_routing ASC
        ) AS routing_rank
    FROM
        ranked
),

last_details AS (
    SELECT
        owner_code,
        code,
        partner_key,
        vms_bank_account,
        MAX(CASE WHEN swift_rank = 1 THEN swift END) AS swift,
        MAX(CASE WHEN routing_rank = 1 THEN bank_routing END) AS bank_routing
    FROM
        details
    GROUP BY
        owner_code, code, partner_key, vms_bank_account
)

SELECT
    asked.owner_code,  -- who sees it in the ledger; null: the token's own entity
    asked.code,  -- as the ledger calls it
    asked.partner_key,
    asked.vms_bank_account,  -- as the VMS has it now
    existing.db_id AS ledger_db_id,  -- of the supplier with this code; null: the ledger has none
    existing.bank_account AS ledger_bank_account,  -- as the ledger has it now
    accounts.bank_account AS known_bank_account,  -- the one that another would take the place of; null: none
    last_details.swift AS known_swift,  -- the SWIFT code last sent for it; null: none
    last_details.bank_routing AS known_routing,  -- the routing number last sent for it; null: none
    COALESCE(asked.vms_bank_account <> accounts.bank_account, FALSE) AS is_other_account  -- a second person must see it
FROM
    asked
LEFT JOIN map.ledger_partners AS existing
    ON
        existing.side = 'supplier'
        AND asked.code = existing.code
        AND asked.owner_code IS NOT DISTINCT FROM existing.owner_code
LEFT JOIN accounts
    ON
        asked.owner_code IS NOT DISTINCT FROM accounts.owner_code
        AND asked.code = accounts.code
        AND asked.partner_key IS NOT DISTINCT FROM accounts.partner_key
        AND asked.vms_bank_account IS NOT DISTINCT FROM accounts.vms_bank_account
LEFT JOIN last_details
    ON
        asked.owner_code IS NOT DISTINCT FROM last_details.owner_code
        AND asked.code = last_details.code
        AND asked.partner_key IS NOT DISTINCT FROM last_details.partner_key
        AND asked.vms_bank_account IS NOT DISTINCT FROM last_details.vms_bank_account
