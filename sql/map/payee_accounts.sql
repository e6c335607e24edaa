-- One open AP document of a partner with a bank account, and the account its payment goes to.
-- While a changed account waits for a second person, the voucher carries the one the ledger has, or none, never the new
-- one (docs/mapping.md#1-1 and #2).
-- Answers where a supplier is paid; read by post.draft_lines.
-- grain: document_key
WITH waiting AS (
    SELECT
        payees.document_key,
        -- The ledger may have the new account already, under the code that the supplier has only now.
        NULLIF(known.ledger_bank_account, known.vms_bank_account) AS bank_account
    FROM
        map.open_payees AS payees
    INNER JOIN map.known_accounts AS known
        ON
            payees.code = known.code
            AND payees.bank_account = known.vms_bank_account
            AND payees.partner_key IS NOT DISTINCT FROM known.partner_key
            AND payees.master_owner_code IS NOT DISTINCT FROM known.owner_code
    CROSS JOIN seed.settings AS settings
    WHERE
        settings.confirm_bank_changes
        AND known.is_other_account
        AND NOT EXISTS (
            SELECT 1
            FROM
                ctl.bank_changes AS changes
            WHERE
                changes.partner_code = known.code
                -- Behind an account may stand what else changes (map.supplier_banks).
                AND (
                    changes.new_account = known.vms_bank_account
                    OR STARTS_WITH(changes.new_account, known.vms_bank_account || ' (')
                )
                AND (
                    changes.old_account = known.known_bank_account
                    OR STARTS_WITH(changes.old_account, known.known_bank_account || ' (')
                )
                AND changes.decision = 'confirm'
        )
)

SELECT
    payees.document_key,
    -- Null while it waits and the ledger has none.
    CASE WHEN waiting.document_key IS NULL THEN payees.bank_account ELSE waiting.bank_account END AS bank_account,
    waiting.document_key IS NOT NULL AS is_waiting  -- the VMS has another one, which nobody has released yet
FROM
    map.open_payees AS payees
LEFT JOIN waiting
    ON payees.document_key = waiting.document_key
WHERE
    payees.bank_account IS NOT NULL
