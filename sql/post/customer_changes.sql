-- One customer to add to the ledger, or to correct there: only the fields that differ are filled in an update.
-- A field the VMS leaves empty never blanks the ledger's; a field that cannot be read back is not compared.
-- A new customer whose company's code is not unique waits: it would hang on one of them by chance.
-- Answers: Which customers does the master-data job add or correct now?
-- Read by: the master-data job and the comparison of partners.
-- grain: owner_code, code
WITH changes AS (
    SELECT
        owners.owner_code,
        wanted.code,
        wanted.partner_key,
        existing.db_id AS ledger_db_id,
        CASE
            WHEN existing.db_id IS NULL OR (COALESCE(wanted.description, '') <> COALESCE(existing.description, ''))
                THEN wanted.description
        END AS description,
        CASE
            WHEN existing.db_id IS NULL OR (COALESCE(wanted.company_number, '') <> COALESCE(existing.company_number, ''))
                THEN wanted.company_number
        END AS company_number,
        CASE
            WHEN existing.db_id IS NULL OR (existing.has_subledger AND COALESCE(wanted.tax_number, '') <> COALESCE(existing.tax_number, ''))
                THEN wanted.tax_number
        END AS tax_number,
        CASE
            WHEN existing.db_id IS NULL
                OR (existing.has_subledger AND COALESCE(wanted.street_address, '') <> COALESCE(existing.street_address, ''))
                THEN wanted.street_address
        END AS street_address,
        CASE
            WHEN existing.db_id IS NULL OR (existing.has_subledger AND COALESCE(wanted.zip_code, '') <> COALESCE(existing.zip_code, ''))
                THEN wanted.zip_code
        END AS zip_code,
        CASE
            WHEN existing.db_id IS NULL OR (existing.has_subledger AND COALESCE(wanted.place, '') <> COALESCE(existing.place, ''))
                THEN wanted.place
        END AS place,
        CASE
            WHEN existing.db_id IS NULL
                OR (existing.has_subledger AND COALESCE(wanted.country_code, '') <> COALESCE(existing.country_code, ''))
                THEN wanted.country_code
        END AS country_code,
        CASE
            WHEN existing.db_id IS NULL OR (COALESCE(wanted.email, '') <> COALESCE(existing.email, ''))
                THEN wanted.email
        END AS email,
        CASE
            -- A supplier too, whose account waits for a second person: it leaves by no other door.
            WHEN COALESCE(banks.is_waiting, FALSE) THEN NULL
            WHEN existing.db_id IS NULL OR (
                    existing.has_subledger
                    AND COALESCE(wanted.bank_account, '') <> COALESCE(existing.bank_account, '')
                )
                THEN wanted.bank_account
        END AS bank_account,
        CASE WHEN existing.db_id IS NULL AND NOT COALESCE(banks.is_waiting, FALSE) THEN wanted.swift END AS swift,
        companies.company_db_id
    FROM
        map.wanted_partners AS wanted
    CROSS JOIN map.master_owners AS owners
    LEFT JOIN map.ledger_partners AS existing
        ON
            existing.side = 'customer'
            AND wanted.code = existing.code
            AND owners.owner_code IS NOT DISTINCT FROM existing.owner_code
    LEFT JOIN map.ledger_companies AS companies
        ON
            wanted.code = companies.code
            AND owners.owner_code IS NOT DISTINCT FROM companies.owner_code
    LEFT JOIN map.supplier_banks AS banks
        ON
            wanted.code = banks.code
            AND owners.owner_code IS NOT DISTINCT FROM banks.owner_code
    WHERE
        wanted.is_customer
        AND wanted.partner_count = 1
        AND COALESCE(existing.row_count, 1) = 1
        AND (existing.db_id IS NOT NULL OR COALESCE(companies.row_count, 1) = 1)
)

SELECT
    COALESCE(CAST(changes.owner_code AS VARCHAR), 'token') || ':' || changes.code AS natural_key,  -- owner and code: one outbox intent
    CASE WHEN changes.ledger_db_id IS NULL THEN 'add' ELSE 'update' END AS action,  -- add | update
    changes.ledger_db_id,  -- what to update; null: add
    changes.owner_code,  -- entity it is created in; null: the token's own
    changes.code,
    changes.partner_key,  -- database id of the partner in the VMS
    changes.company_db_id,  -- the legal party it hangs on; null when it is created in the same run
    changes.description,
    changes.company_number,
    changes.tax_number,
    changes.street_address,
    changes.zip_code,
    changes.place,
    changes.country_code,
    changes.email,
    changes.bank_account,
    changes.swift
FROM
    changes
WHERE
    changes.ledger_db_id IS NULL
    OR changes.description IS NOT NULL
    OR changes.company_number IS NOT NULL
    OR changes.tax_number IS NOT NULL
    OR changes.street_address IS NOT NULL
    OR changes.zip_code IS NOT NULL
    OR changes.place IS NOT NULL
    OR changes.country_code IS NOT NULL
    OR changes.email IS NOT NULL
    OR changes.bank_account IS NOT NULL
