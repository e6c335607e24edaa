-- One supplier or customer of the ledger with every field that can be read back, as one owner sees its code.
-- Bank account, tax number and address come from the subledger row of the same id and code, where there is one.
-- Answers: What does the ledger have of this partner?
-- Read by: the master-data job, the four-eyes rule on bank accounts, the comparison of partners.
-- grain: side, owner_code, code
WITH sides AS (
    SELECT
        'supplier' AS side,
        suppliers.supplier_db_id AS db_id,
        suppliers.code,
        suppliers.description,
        suppliers.email,
        suppliers.owner_db_id,
        suppliers.company_db_id,
        suppliers.company_number
    FROM
        stg_ledger.suppliers AS suppliers
    UNION ALL
    SELECT
        'customer',
        customers.customer_db_id,
        customers.code,
        customers.description,
        customers.email,
        customers.owner_db_id,
        customers.company_db_id,
        customers.company_number
    FROM
        stg_ledger.customers AS customers
),

-- Codes are counted by themselves: a window would carry every column of every row along.
codes AS (
    SELECT
        sides.side,
        visibility.owner_code,
        sides.code,
        MIN(sides.db_id) AS db_id,
        CAST(COUNT(*) AS INTEGER) AS row_count
    FROM
        sides
    INNER JOIN map.master_visibility AS visibility
        ON sides.owner_db_id = visibility.seen_owner_db_id
    GROUP BY
        sides.side, visibility.owner_code, sides.code
)

SELECT
    codes.side,  -- supplier or customer
    codes.owner_code,  -- who sees it; null: the token's own entity
    codes.code,
    codes.db_id,
    sides.description,
    sides.email,
    sides.company_db_id,
    sides.company_number,
    subledgers.subledger_db_id IS NOT NULL AS has_subledger,  -- bank account and address can be read back
    subledgers.bank_account,
    COALESCE(subledgers.tax_no, companies.tax_number) AS tax_number,
    subledgers.street_address,
    subledgers.zip_code,
    subledgers.place,
    subledgers.country_code,
    codes.row_count  -- more than 1: not unique
FROM
    codes
INNER JOIN sides
    ON
        codes.side = sides.side
        AND codes.db_id = sides.db_id
LEFT JOIN stg_ledger.subledgers AS subledgers
    ON
        codes.db_id = subledgers.subledger_db_id
        AND codes.code = subledgers.code
LEFT JOIN stg_ledger.companies AS companies
    ON sides.company_db_id = companies.company_db_id
