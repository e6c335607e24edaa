-- One company (legal party) of the ledger as one owner sees its code.
-- Answers: Does the ledger have this company already?
-- Read by: the master-data job.
-- grain: owner_code, code
SELECT
    visibility.owner_code,
    companies.code,
    companies.company_db_id,
    companies.description,
    companies.company_number,
    companies.tax_number,
    CAST(COUNT(*) OVER (PARTITION BY visibility.owner_code, companies.code) AS INTEGER) AS row_count  -- more than 1: not unique
FROM
    stg_ledger.companies AS companies
INNER JOIN map.master_visibility AS visibility
    ON companies.owner_db_id = visibility.seen_owner_db_id
WHERE
    companies.code IS NOT NULL
QUALIFY
    ROW_NUMBER() OVER (PARTITION BY visibility.owner_code, companies.code ORDER BY companies.company_db_id) = 1
