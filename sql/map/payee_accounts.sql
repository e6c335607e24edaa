-- One open AP document of a partner with a bank account, and the account its payment goes to.
-- A Norwegian IBAN is the 11-digit national number. While a changed account waits for a second person, the voucher
-- carries the one the ledger has, never the new one (docs/mapping.md#1-1 and #2).
-- Answers where a supplier is paid; read by post.draft_lines.
-- grain: document_key
WITH wanted AS (
    SELECT
        documents.document_key,
        -- The ledger's own code of the supplier, where the tenant's file has another (partners.codes).
        COALESCE(mapping.ledger_partner, documents.partner_code) AS partner_code,
        CASE
            WHEN SUBSTRING(documents.partner_iban, 1, 2) = 'NO' AND LENGTH(documents.partner_iban) = 15
                THEN SUBSTRING(documents.partner_iban, 5)
            ELSE COALESCE(documents.partner_iban, documents.partner_bank_account_no)
        END AS bank_account
    FROM
        map.open_documents AS documents
    LEFT JOIN seed.partner_mapping AS mapping
        ON documents.partner_code = mapping.vms_partner
    WHERE
        documents.voucher_type = 'AP'
),

waiting AS (
    SELECT
        wanted.document_key,
        suppliers.bank_account
    FROM
        wanted
    INNER JOIN map.ledger_partners AS suppliers
        ON
            suppliers.side = 'supplier'
            AND wanted.partner_code = suppliers.code
            AND wanted.bank_account <> suppliers.bank_account
    CROSS JOIN seed.settings AS settings
    WHERE
        settings.confirm_bank_changes
        AND NOT EXISTS (
            SELECT 1
            FROM
                ctl.bank_changes AS changes
            WHERE
                changes.partner_code = wanted.partner_code
                -- Behind an account may stand what else changes (map.supplier_banks).
                AND (
                    changes.new_account = wanted.bank_account
                    OR STARTS_WITH(changes.new_account, wanted.bank_account || ' (')
                )
                AND (
                    changes.old_account = suppliers.bank_account
                    OR STARTS_WITH(changes.old_account, suppliers.bank_account || ' (')
                )
                AND changes.decision = 'confirm'
        )
    QUALIFY
        ROW_NUMBER() OVER (PARTITION BY wanted.document_key ORDER BY suppliers.owner_code, suppliers.db_id) = 1
)

SELECT
    wanted.document_key,
    COALESCE(waiting.bank_account, wanted.bank_account) AS bank_account,
    waiting.document_key IS NOT NULL AS is_waiting  -- the VMS has another one, which nobody has released yet
FROM
    wanted
LEFT JOIN waiting
    ON wanted.document_key = waiting.document_key
WHERE
    wanted.bank_account IS NOT NULL
