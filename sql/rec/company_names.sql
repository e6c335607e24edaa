-- One entity of the ledger that a VMS company posts to, with the names and the currency that a reader wants beside codes.
-- Answers: Which company is this, and in which currency are its books?
-- Read by: the views of schema analysis.
-- grain: owner_code
SELECT
    companies.owner_code,  -- ledger entity
    companies.company_code,  -- VMS company whose actuals these books are
    entities.description AS company_name,  -- name of the entity in the ledger
    entities.currency_code AS company_currency_code  -- currency of its books
FROM
    map.actual_companies AS companies
INNER JOIN map.entities AS entities
    ON companies.owner_code = entities.owner_code
QUALIFY
    ROW_NUMBER() OVER (PARTITION BY companies.owner_code ORDER BY entities.entity_db_id) = 1
