-- One open AP document with the payee that the VMS names: who it is, and where it wants to be paid.
-- A Norwegian IBAN is the 11-digit national number (docs/mapping.md#1-1).
-- Answers: Whom does the VMS want to be paid, and to which account?
-- Read by: map.payee_accounts, and map.known_accounts, which looks up what was known of them.
-- grain: document_key
WITH owners AS (
    SELECT
        companies.company_code,
        MIN(COALESCE(companies.link_code, companies.owner_code)) AS master_owner_code
    FROM
        map.companies AS companies
    GROUP BY
        companies.company_code
),

keys AS (
    SELECT
        code,
        partner_key
    FROM
        map.wanted_partners
    WHERE
        partner_count = 1
)

SELECT
    documents.document_key,
    COALESCE(mapping.ledger_partner, documents.partner_code) AS code,  -- the ledger's own, where the tenant's file has another
    COALESCE(documents.partner_key, keys.partner_key) AS partner_key,
    master_owners.owner_code AS master_owner_code,  -- where its master data is; null: the token's own entity, or not known
    CASE
        WHEN SUBSTRING(documents.partner_iban, 1, 2) = 'NO' AND LENGTH(documents.partner_iban) = 15
            THEN SUBSTRING(documents.partner_iban, 5)
        ELSE COALESCE(documents.partner_iban, documents.partner_bank_account_no)
    END AS bank_account
FROM
    map.open_documents AS documents
LEFT JOIN seed.partner_mapping AS mapping
    ON documents.partner_code = mapping.vms_partner
LEFT JOIN keys
    ON COALESCE(mapping.ledger_partner, documents.partner_code) = keys.code
LEFT JOIN owners
    ON documents.company_code = owners.company_code
LEFT JOIN map.master_owners AS master_owners
    ON owners.master_owner_code = master_owners.owner_code
WHERE
    documents.voucher_type = 'AP'
