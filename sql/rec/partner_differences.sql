-- One partner that is on both sides and would be corrected in the ledger, with the fields that differ: what the job
-- master-data would write (post.supplier_changes, post.customer_changes).
-- Answers: Which fields of a partner differ?
-- Read by: rec.partners.
-- grain: side, owner_code, code
WITH changes AS (
    SELECT
        'supplier' AS side,
        suppliers.owner_code,
        suppliers.code,
        suppliers.action,
        suppliers.description,
        suppliers.company_number,
        suppliers.tax_number,
        suppliers.street_address,
        suppliers.zip_code,
        suppliers.place,
        suppliers.country_code,
        suppliers.email,
        suppliers.bank_account,
        suppliers.swift,
        suppliers.bank_routing
    FROM
        post.supplier_changes AS suppliers
    UNION ALL
    SELECT
        'customer',
        customers.owner_code,
        customers.code,
        customers.action,
        customers.description,
        customers.company_number,
        customers.tax_number,
        customers.street_address,
        customers.zip_code,
        customers.place,
        customers.country_code,
        customers.email,
        customers.bank_account,
        CAST(NULL AS VARCHAR),
        CAST(NULL AS VARCHAR)
    FROM
        post.customer_changes AS customers
)

SELECT
    changes.side,  -- supplier or customer
    changes.owner_code,  -- ledger entity
    changes.code,  -- code of the supplier or customer
    CONCAT_WS(
        ', ',
        CASE WHEN changes.description IS NOT NULL THEN 'name' END,
        CASE WHEN changes.company_number IS NOT NULL THEN 'organisation number' END,
        CASE WHEN changes.tax_number IS NOT NULL THEN 'VAT number' END,
        CASE WHEN changes.street_address IS NOT NULL THEN 'street' END,
        CASE WHEN changes.zip_code IS NOT NULL THEN 'zip code' END,
        CASE WHEN changes.place IS NOT NULL THEN 'place' END,
        CASE WHEN changes.country_code IS NOT NULL THEN 'country' END,
        CASE WHEN changes.email IS NOT NULL THEN 'e-mail' END,
        CASE WHEN changes.bank_account IS NOT NULL THEN 'bank account' END,
        CASE WHEN changes.swift IS NOT NULL THEN 'SWIFT code' END,
        CASE WHEN changes.bank_routing IS NOT NULL THEN 'routing number' END
    ) AS differing_fields  -- fields that differ between VMS and ledger
FROM
    changes
WHERE
    changes.action = 'update'
