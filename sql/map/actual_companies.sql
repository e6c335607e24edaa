-- One ledger entity with the VMS company its actuals go to: the one whose code is the entity's, else the first by code
-- that posts there (docs/mapping.md#5).
-- Answers: To which VMS company do the actuals of an entity go?
-- Read by: the actuals job, the close and the comparison of payments.
-- grain: owner_code
SELECT
    companies.owner_code,
    companies.company_code
FROM
    map.companies AS companies
INNER JOIN map.entities AS entities
    ON companies.owner_code = entities.owner_code
QUALIFY
    ROW_NUMBER() OVER (
        PARTITION BY companies.owner_code
        ORDER BY CASE WHEN companies.company_code = entities.entity_code THEN 0 ELSE 1 END, companies.company_code
    ) = 1
