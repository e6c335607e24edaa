-- One VMS partner code with what the ledger should hold of it, and on which sides.
-- Two partners with one code contradict each other: neither is written (partner_count tells).
-- Answers: Which partners should the ledger have, and with which name, address and bank account?
-- Read by: the master-data job and the comparison of partners.
-- grain: code
WITH typed AS (
    SELECT
        partners.partner_key,
        -- What the ledger calls it, where the tenant's file has another code (partners.codes).
        COALESCE(mapping.ledger_partner, TRIM(partners.partner_code)) AS code,
        supplier_types.partner_type_code IS NOT NULL AS is_supplier,
        customer_types.partner_type_code IS NOT NULL AS is_customer
    FROM
        stg_vms.partners AS partners
    LEFT JOIN seed.partner_mapping AS mapping
        ON TRIM(partners.partner_code) = mapping.vms_partner
    -- The vendor's spelling of a type first, then that of older installations (docs/mapping.md#0).
    LEFT JOIN seed.supplier_types AS supplier_types
        ON COALESCE(NULLIF(TRIM(partners.partner_type), ''), TRIM(partners.partner_type_code))
            = supplier_types.partner_type_code
    LEFT JOIN seed.customer_types AS customer_types
        ON COALESCE(NULLIF(TRIM(partners.partner_type), ''), TRIM(partners.partner_type_code))
            = customer_types.partner_type_code
    WHERE
        NULLIF(TRIM(partners.partner_code), '') IS NOT NULL
),

-- Codes are counted by themselves: a window would carry every column of every partner along.
codes AS (
    SELECT
        code,
        MIN(CASE WHEN is_supplier OR is_customer THEN partner_key END) AS partner_key,
        CAST(COUNT(*) AS INTEGER) AS partner_count
    FROM
        typed
    GROUP BY
        code
),

cleaned AS (
    SELECT
        codes.*,
        NULLIF(TRIM(partners.partner_name), '') AS description,
        NULLIF(TRIM(partners.registration_no), '') AS company_number,
        NULLIF(TRIM(partners.vat_number), '') AS tax_number,
        NULLIF(TRIM(partners.address1), '') AS street_address,
        NULLIF(TRIM(partners.zip_code), '') AS zip_code,
        NULLIF(TRIM(partners.city), '') AS place,
        NULLIF(TRIM(partners.country_code), '') AS country_code,
        NULLIF(TRIM(partners.email), '') AS email,
        NULLIF(UPPER(REPLACE(partners.iban, ' ', '')), '') AS iban,
        NULLIF(TRIM(partners.bank_account_no), '') AS bank_account_no,
        NULLIF(TRIM(partners.swift_address), '') AS swift,
        NULLIF(TRIM(partners.aba_number), '') AS bank_routing,
        typed.is_supplier,
        typed.is_customer
    FROM
        codes
    INNER JOIN typed
        ON codes.partner_key = typed.partner_key
    INNER JOIN stg_vms.partners AS partners
        ON codes.partner_key = partners.partner_key
)

SELECT
    partner_key,
    code,
    TRIM(SUBSTRING(COALESCE(description, code), 1, 100)) AS description,  -- cut as every text is (docs/mapping.md#1-1)
    company_number,
    tax_number,
    street_address,
    zip_code,
    place,  -- city
    country_code,
    email,
    CASE
        WHEN SUBSTRING(iban, 1, 2) = 'NO' AND LENGTH(iban) = 15 THEN SUBSTRING(iban, 5)
        ELSE COALESCE(iban, bank_account_no)
    END AS bank_account,  -- a Norwegian IBAN as its national number
    swift,
    bank_routing,  -- the bank's ABA number
    is_supplier,  -- its type is in partners.supplier_types
    is_customer,  -- its type is in partners.customer_types
    partner_count  -- more than 1: the VMS has the code twice
FROM
    cleaned
